"""Checklist 19: what is not bytes is a TypeError, before anything is sent when
the body is a list.

GET /list
---
traceback "TypeError: the response body must be made of bytes, not str"
status exception

GET /one
---
traceback "TypeError: the response body must be made of bytes, not bytearray"
status exception

GET /generator
---
head 200 OK
write "a"
traceback "TypeError: the response body must be made of bytes, not NoneType"
status exception

GET /str
---
traceback "TypeError: the response body must be made of bytes, not str"
status exception

GET /none
---
traceback "TypeError: 'NoneType' object is not iterable"
status exception

GET /bytes
---
traceback "TypeError: the response body must be made of bytes, not int"
status exception
"""

BODIES = {
    "/list": lambda: [b"a", "b"],
    "/one": lambda: [bytearray(b"a")],
    "/generator": lambda: iter([b"a", None]),
    "/str": lambda: "text",
    "/none": lambda: None,
    "/bytes": lambda: b"text",
}


def application(environ, start_response):
    start_response("200 OK", [])
    return BODIES[environ["PATH_INFO"]]()
