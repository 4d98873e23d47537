import os

# The bench writes this file: 10 MiB.
PAYLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "payload.bin")


def application(environ, start_response):
    size = os.stat(PAYLOAD).st_size
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return environ["wsgi.file_wrapper"](open(PAYLOAD, "rb"), 65536)
