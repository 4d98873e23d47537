"""Checklist 5: read with and without a size, read(0), the end.

POST /
> 0123456789
---
head 200 OK
write "b'' b'012' b'34' b'56789' b'' b'' b''" last
status ok

POST /
---
head 200 OK
write "b'' b'' b'' b'' b'' b'' b''" last
status ok
"""

def application(environ, start_response):
    body = environ["wsgi.input"]
    parts = [body.read(0), body.read(3), body.read(2), body.read(-1), body.read(), body.read(None), body.read(5)]
    start_response("200 OK", [])
    return [" ".join(map(repr, parts)).encode()]
