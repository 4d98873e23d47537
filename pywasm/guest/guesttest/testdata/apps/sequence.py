"""Checklist 14 and 16: a list or tuple is joined, empty items and all, and
marked as whole.

GET /list
---
head 200 OK
write "abc" last
status ok

GET /tuple
---
head 200 OK
write "de" last
status ok

GET /empty
---
head 200 OK
write "" last
status ok

GET /blank
---
head 200 OK
write "" last
status ok
"""

BODIES = {"/list": [b"a", b"", b"bc", b""], "/tuple": (b"d", b"e"), "/empty": [], "/blank": [b"", b""]}


def application(environ, start_response):
    start_response("200 OK", [])
    return BODIES[environ["PATH_INFO"]]
