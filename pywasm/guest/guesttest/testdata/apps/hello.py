"""Checklist 16: one item may travel with its head and the mark that no byte
follows.

GET /
---
head 200 OK
header Content-Type: text/plain
header Content-Length: 5
write "hello" last
status ok
"""

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]
