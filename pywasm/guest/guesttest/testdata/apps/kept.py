"""start_response and write of a request that has ended do nothing but raise.

GET /
---
head 200 OK
write "first" last
status ok

GET /
---
head 200 OK
write "start_response() after the request has ended; write() after the request has ended" last
status ok
"""

kept = []


def application(environ, start_response):
    write = start_response("200 OK", [])
    if not kept:
        kept.extend([lambda: start_response("200 OK", []), lambda: write(b"late")])
        return [b"first"]
    texts = []
    for call in kept:
        try:
            call()
        except AssertionError as error:
            texts.append(str(error))
    return ["; ".join(texts).encode()]
