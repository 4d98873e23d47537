"""Calls app:application again and again for some seconds and prints calls a second.

usage: hello_loop.py SECONDS
"""

import io
import sys
import time

from app import application


def call():
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }
    answer = application(environ, lambda status, headers, exc_info=None: None)
    try:
        for _ in answer:
            pass
    finally:
        if hasattr(answer, "close"):
            answer.close()


for _ in range(200):
    call()
seconds, calls = float(sys.argv[1]), 0
begin = time.perf_counter()
while time.perf_counter() - begin < seconds:
    for _ in range(20):
        call()
    calls += 20
print(calls / (time.perf_counter() - begin))
