"""Serves app:application with waitress in as many processes as are asked for.

waitress itself has one process; its users put several behind one address.
usage: waitress_prefork.py HOST:PORT PROCESSES
"""

import logging
import os
import socket
import sys

from waitress import create_server

# A warning for each request that waits would be an access log of its own.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
host, port = sys.argv[1].rsplit(":", 1)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, int(port)))
listener.listen(1024)
for _ in range(int(sys.argv[2]) - 1):
    if os.fork() == 0:
        break

from app import application  # noqa: E402: each process imports it, as under the other servers

try:
    create_server(application, sockets=[listener], threads=4, connection_limit=2000).run()
except KeyboardInterrupt:
    pass
