"""Checklist 22: blocks from where the file stands; no fileno needed; close() is
passed on; sizes other than the default.

GET /
---
head 200 OK
write "cdef"
errors "closed\n"
status ok

GET /blocks
---
head 200 OK
write "cd"
write "ef"
errors "closed\n"
status ok

GET /bare
---
head 200 OK
write "x"
status ok
"""

import io


class File:
    def __init__(self, data):
        self.read = io.BytesIO(data).read

    def close(self):
        print("closed", file=self.errors)


class Bare:
    def __init__(self):
        self.blocks = [b"x", b""]

    def read(self, size):
        return self.blocks.pop(0)


def application(environ, start_response):
    wrapper = environ["wsgi.file_wrapper"]
    if environ["PATH_INFO"] == "/bare":
        start_response("200 OK", [])
        return wrapper(Bare())
    start_response("200 OK", [])
    file = File(b"abcdef")
    file.errors = environ["wsgi.errors"]
    file.read(2)
    return wrapper(file) if environ["PATH_INFO"] == "/" else wrapper(file, 2)
