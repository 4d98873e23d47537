"""A list whose sizes add up to 2**32 goes item by item, as any above 64 KiB.

gone 1
GET /
---
head 200 OK
status ok
"""

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"x" * (1 << 20)] * 4096
