"""Checklist 14: every item is handed over before the next is asked for; empty
items only ask whether the client is there.

GET /
---
errors "making 1\n"
head 200 OK
write "1"
ask
errors "making 2\n"
write "2"
ask
errors "made all\n"
status ok
"""

def application(environ, start_response):
    start_response("200 OK", [])
    for n in range(1, 3):
        print("making", n, file=environ["wsgi.errors"])
        yield b"%d" % n
        yield b""
    print("made all", file=environ["wsgi.errors"])
