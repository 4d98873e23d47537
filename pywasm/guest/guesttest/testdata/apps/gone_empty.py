"""A client that goes is noticed at an empty piece too, before the head and after
it; close() is called once.

gone 2
GET /unstarted
---
ask
ask
errors "asked 2, closed\n"
status ok

gone 3
GET /started
---
head 200 OK
write "first"
ask
ask
errors "asked 2, closed\n"
status ok

GET /stays
---
ask
ask
ask
head 200 OK
write "last"
errors "asked 3, closed\n"
status ok
"""


class Body:
    def __init__(self, environ, first, last):
        self.errors, self.asked, self.last = environ["wsgi.errors"], 0, last
        self.pieces = iter(first)

    def __iter__(self):
        yield from self.pieces
        while self.asked < 3:
            self.asked += 1
            yield b""
        yield self.last

    def close(self):
        print(f"asked {self.asked}, closed", file=self.errors)


def application(environ, start_response):
    start_response("200 OK", [])
    return Body(environ, [b"first"] if environ["PATH_INFO"] == "/started" else [], b"last")
