"""Recursion without end is a RecursionError, in Python and in C; the
interpreter goes on.

GET /python
---
traceback "RecursionError: maximum recursion depth exceeded"
status exception

GET /repr
---
traceback "RecursionError: maximum recursion depth exceeded while getting the repr of an object"
status exception

GET /json
---
traceback "RecursionError: maximum recursion depth exceeded while decoding a JSON array from a unicode string"
status exception

GET /ast
---
traceback "MemoryError: Parser stack overflowed - Python source too complex to parse"
status exception

GET /fine
---
head 200 OK
write "fine" last
status ok
"""

import ast
import json


def python():
    python()


def nested():
    value = []
    for _ in range(100000):
        value = [value]
    repr(value)


def application(environ, start_response):
    {
        "/python": python,
        "/repr": nested,
        "/json": lambda: json.loads("[" * 100000),
        "/ast": lambda: ast.parse("(" * 100000),
        "/fine": lambda: None,
    }[environ["PATH_INFO"]]()
    start_response("200 OK", [])
    return [b"fine"]
