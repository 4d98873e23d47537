"""Checklist 17, for a body that is a list.

GET /more
---
head 200 OK
header Content-Length: 3
write "abc" last
gateway "the application sent more than the 3 bytes of its Content-Length; the rest was dropped"
status ok

GET /less
---
traceback "AssertionError: the application sent 0 of the 3 bytes of its Content-Length"
status exception

HEAD /less
---
head 200 OK
header Content-Length: 3
write "" last
status ok

GET /zero
---
head 200 OK
header Content-Length: 0
write "" last
status ok

GET /304
---
head 304 Not Modified
header Content-Length: 3
write "" last
status ok
"""

def application(environ, start_response):
    path = environ["PATH_INFO"]
    length = "0" if path == "/zero" else "3"
    start_response("304 Not Modified" if path == "/304" else "200 OK", [("Content-Length", length)])
    return [b"abcdef"] if path == "/more" else []
