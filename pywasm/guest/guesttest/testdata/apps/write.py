"""Checklist 7 and 15: start_response returns write(), which sends at once, and
before what the result yields.

GET /
---
head 200 OK
header X-A: 1
write "written "
write "again "
ask
write "yielded"
status ok

GET /empty
---
ask
head 200 OK
header X-A: 1
write "" flush
ask
write "yielded"
status ok
"""

def application(environ, start_response):
    write = start_response("200 OK", [("X-A", "1")])
    if environ["PATH_INFO"] == "/empty":
        write(b"")
    else:
        write(b"written ")
        write(b"again ")
    return iter([b"", b"yielded"])
