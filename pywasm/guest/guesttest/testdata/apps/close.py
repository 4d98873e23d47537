"""Checklist 13: close() is called once, after the end, after an exception and
when the client has gone.

GET /
---
head 200 OK
write "body"
errors "closed 1\n"
status ok

GET /raise
---
head 200 OK
write "body"
errors "closed 1\n"
traceback "ValueError: while iterating"
status exception

gone 2
GET /gone
---
head 200 OK
write "body"
errors "closed 1\n"
status ok

GET /iter
---
errors "closed 1\n"
traceback "KeyError: 'no iterator'"
status exception
"""

class Body:
    def __init__(self, environ):
        self.environ = environ
        self.closed = 0

    def __iter__(self):
        if self.environ["PATH_INFO"] == "/iter":
            raise KeyError("no iterator")
        return self.items()

    def items(self):
        yield b"body"
        if self.environ["PATH_INFO"] == "/raise":
            raise ValueError("while iterating")
        while self.environ["PATH_INFO"] == "/gone":
            yield b"lost"

    def close(self):
        self.closed += 1
        print("closed", self.closed, file=self.environ["wsgi.errors"])


def application(environ, start_response):
    start_response("200 OK", [])
    return Body(environ)
