"""An exception in close() is logged; the response stands. With one in the
iteration both are logged.

GET /
---
head 200 OK
write "body"
traceback "RuntimeError: in close"
status ok

GET /both
---
head 200 OK
write "body"
traceback "RuntimeError: in close"
traceback "ValueError: in body"
status exception
"""

class Body:
    def __init__(self, path):
        self.items = iter([b"body"])
        self.path = path

    def __iter__(self):
        return self

    def __next__(self):
        for item in self.items:
            return item
        raise ValueError("in body") if self.path == "/both" else StopIteration

    def close(self):
        raise RuntimeError("in close")


def application(environ, start_response):
    start_response("200 OK", [])
    return Body(environ["PATH_INFO"])
