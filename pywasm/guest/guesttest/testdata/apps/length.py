"""Checklist 17: never more than Content-Length, fewer is an error, and nothing
that has no body is expected to have one.

GET /right
---
head 200 OK
header Content-Length: 4
write "ab"
write "cd" last
errors "end of 1\n"
status ok

GET /more
---
head 200 OK
header Content-Length: 3
write "ab"
write "c" last
gateway "the application sent more than the 3 bytes of its Content-Length; the rest was dropped"
status ok

GET /less
---
head 200 OK
header Content-Length: 9
write "ab"
write "cd"
errors "end of 1\n"
traceback "AssertionError: the application sent 4 of the 9 bytes of its Content-Length"
status exception

HEAD /less
---
head 200 OK
header Content-Length: 9
write "ab"
write "cd"
errors "end of 1\n"
status ok

GET /written
---
head 200 OK
header Content-Length: 3
write "ab"
write "c" last
errors "ValueError: write() past the 3 bytes of the Content-Length\n"
gateway "the application sent more than the 3 bytes of its Content-Length; the rest was dropped"
status ok

HEAD /written
---
head 200 OK
header Content-Length: 3
write "ab"
write "c" last
status ok

GET /uncaught
---
head 200 OK
header Content-Length: 0
write "" flush
traceback "ValueError: write() past the 0 bytes of the Content-Length"
status exception
"""

LENGTHS = {"/right": "4", "/more": "3", "/less": "9", "/written": "3", "/uncaught": "0"}


def application(environ, start_response):
    write = start_response("200 OK", [("Content-Length", LENGTHS[environ["PATH_INFO"]])])
    if environ["PATH_INFO"] == "/uncaught":
        write(b"x")
    if environ["PATH_INFO"] == "/written":
        try:
            for piece in (b"ab", b"cd"):
                write(piece)
        except ValueError as error:
            print(f"ValueError: {error}", file=environ["wsgi.errors"])
        return
    yield b"ab"
    yield b"cd"
    print("end of 1", file=environ["wsgi.errors"])
