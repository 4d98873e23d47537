"""Checklist 5: readline, readline(n), readlines(hint), iteration, mixed with
read.

POST /
> one\ntwo\nthree\nfour\n\nfive\nsix
---
head 200 OK
write "b'one\\n' b'tw' b'' b'o\\n' [b'three\\n', b'four\\n'] b'\\nfi' [b've\\n', b'six'] b'' []" last
status ok
"""

def application(environ, start_response):
    body = environ["wsgi.input"]
    parts = [body.readline(), body.readline(2), body.readline(0), body.readline(9),
             body.readlines(7), body.read(3), list(body), body.readline(), body.readlines()]
    start_response("200 OK", [])
    return [" ".join(map(repr, parts)).encode()]
