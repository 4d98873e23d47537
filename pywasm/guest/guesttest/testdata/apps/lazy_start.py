"""Checklist 13: start_response may be called by the first next(); an empty
item before it is no byte.

GET /
---
ask
head 200 OK
header X-A: 1
write "body"
status ok
"""

def application(environ, start_response):
    yield b""
    start_response("200 OK", [("X-A", "1")])
    yield b"body"
