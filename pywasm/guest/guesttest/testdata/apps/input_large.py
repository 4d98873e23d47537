"""Checklist 5: a body larger than every buffer is whole, whichever way it is
read.

POST /read
> repeat 300000 0123456789
---
head 200 OK
write "3000000 55a95d24c5e52ee25a245028a1768961" last
status ok

POST /chunks
> repeat 300000 0123456789
---
head 200 OK
write "3000000 55a95d24c5e52ee25a245028a1768961" last
status ok

POST /lines
> repeat 300000 0123456789
---
head 200 OK
write "3000000 55a95d24c5e52ee25a245028a1768961" last
status ok

POST /text
> repeat 300000 0123456789
---
head 200 OK
write "3000000 55a95d24c5e52ee25a245028a1768961" last
status ok
"""

import hashlib
import io


def application(environ, start_response):
    body = environ["wsgi.input"]
    data = {
        "/read": body.read,
        "/chunks": lambda: b"".join(iter(lambda: body.read(70001), b"")),
        "/lines": lambda: b"".join(body),
        "/text": lambda: io.TextIOWrapper(body, "ascii").read().encode(),
    }[environ["PATH_INFO"]]()
    start_response("200 OK", [])
    return [f"{len(data)} {hashlib.md5(data).hexdigest()}".encode()]
