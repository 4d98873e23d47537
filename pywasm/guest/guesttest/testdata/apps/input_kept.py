"""An application that keeps wsgi.input must not read another request's body.

POST /first
> first
---
head 200 OK
write "b'first'" last
status ok

POST /second
> second
---
head 200 OK
write "b''" last
status ok
"""

kept = []


def application(environ, start_response):
    kept.append(environ["wsgi.input"])
    start_response("200 OK", [])
    return [repr(kept[0].read()).encode()]
