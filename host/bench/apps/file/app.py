import os
from wsgiref.util import FileWrapper

# The bench writes this file: 10 MiB.
PAYLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "payload.bin")


def application(environ, start_response):
    size = os.stat(PAYLOAD).st_size
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    # PEP 3333 lets a server leave it out: granian does.
    return environ.get("wsgi.file_wrapper", FileWrapper)(open(PAYLOAD, "rb"), 65536)
