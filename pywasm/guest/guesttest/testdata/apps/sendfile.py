"""Checklist 22: a file that is nothing but a descriptor is sent by the host, from
where the application stands in it; everything else is read here. The host of
these tests takes a file for 100 bytes, and its answer depends on the offset.

GET /raw
---
head 200 OK
file from 5
errors "at 100, closed\n"
status ok

GET /buffered
---
head 200 OK
file from 5
errors "at 100, closed\n"
status ok

GET /random
---
head 200 OK
file from 7
errors "at 100, closed\n"
status ok

GET /length
---
head 200 OK
header Content-Length: 10
file from 5, at most 10
errors "at 15, closed\n"
status ok

GET /short
---
head 200 OK
header Content-Length: 96
file from 5, at most 96
errors "at 100, closed\n"
traceback "AssertionError: the application sent 95 of the 96 bytes of its Content-Length"
status exception

GET /refused
---
head 200 OK
file from 90
head 200 OK
write "0123456789"
errors "at 100, closed\n"
status ok

GET /gone
---
head 200 OK
file from 91
errors "at 91, closed\n"
status ok

GET /broken
---
head 200 OK
file from 92
errors "at 92, closed\n"
traceback "RuntimeError: the host refused response_file (error 6)"
status exception

GET /own-read
---
head 200 OK
write "own"
errors "at 5, closed\n"
status ok

GET /subclass
---
head 200 OK
write "0123456789"
errors "at 100, closed\n"
status ok

GET /text
---
errors "at 100, closed\n"
traceback "TypeError: the response body must be made of bytes, not str"
status exception

GET /wrapped
---
head 200 OK
write "0123456789"
errors "at 100, closed\n"
status ok

GET /after-write
---
head 200 OK
write "first"
file from 5
errors "at 100, closed\n"
status ok

GET /no-start
---
errors "at 100, closed\n"
traceback "AssertionError: the application did not call start_response()"
status exception
"""

import io

PATH = "/tmp/file"
PLACES = {"refused": 90, "gone": 91, "broken": 92, "subclass": 90, "wrapped": 90}
OPENERS = {
    "raw": lambda: open(PATH, "rb", buffering=0),
    "random": lambda: open(PATH, "r+b"),
    "text": lambda: open(PATH),
    "subclass": lambda: Own(PATH),
}
LENGTHS = {"length": "10", "short": "96"}


class Own(io.FileIO):
    pass


class Middleware:
    def __init__(self, wrapper):
        self.close = wrapper.close
        self.blocks = iter(wrapper)

    def __iter__(self):
        return self.blocks


def application(environ, start_response):
    way = environ["PATH_INFO"][1:]
    with open(PATH, "wb") as file:
        file.write(b"0123456789" * 10)
    file = OPENERS.get(way, lambda: open(PATH, "rb"))()
    file.read(PLACES.get(way, 5))  # a buffer has all of the file then
    if way == "random":
        file.write(b"xy")  # which is in the buffer only
    if way == "own-read":
        file.read = lambda size, blocks=[b"", b"own"]: blocks.pop()
    close = file.close

    def closed():
        print(f"at {file.tell()}, closed", file=environ["wsgi.errors"])
        close()

    file.close = closed
    if way != "no-start":
        write = start_response("200 OK", [("Content-Length", LENGTHS[way])] if way in LENGTHS else [])
    if way == "after-write":
        write(b"first")
    wrapper = environ["wsgi.file_wrapper"](file)
    return Middleware(wrapper) if way == "wrapped" else wrapper
