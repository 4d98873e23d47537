"""Checklist 9: with exc_info the head is replaced while nothing was sent; later
the exception is raised again.

GET /
---
head 500 Oops
header X-New: 1
write "error page" last
status ok

GET /late
---
head 200 OK
header X-Old: 1
write "sent"
traceback "ZeroDivisionError: division by zero"
status exception

GET /none
---
head 500 Oops
header X-New: 1
write "error page" last
status ok

GET /false
---
traceback "AssertionError: Headers already set!"
status exception

GET /wrong
---
traceback "TypeError: exc_info must be a tuple as sys.exc_info() returns it, not str"
status exception

GET /named
---
head 500 Oops
header X-New: 1
write "error page" last
status ok
"""

import sys


def application(environ, start_response):
    path = environ["PATH_INFO"]
    write = start_response("200 OK", [("X-Old", "1"), ("Content-Length", "3")][: 1 if path == "/late" else 2])
    if path == "/late":
        write(b"sent")
    try:
        1 / 0
    except ZeroDivisionError:
        info = {"/none": (None, None, None), "/wrong": "text", "/false": ()}.get(path, sys.exc_info())
        if path == "/named":
            start_response("500 Oops", [("X-New", "1")], exc_info=info)
        else:
            start_response("500 Oops", [("X-New", "1")], info)
    return [b"error page"]
