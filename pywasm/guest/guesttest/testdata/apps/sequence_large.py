"""A list above 64 KiB is not joined; the last item with bytes is marked.

GET /
---
head 200 OK
write 40000
write 40000 last
status ok
"""

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"a" * 40000, b"b" * 40000, b""]
