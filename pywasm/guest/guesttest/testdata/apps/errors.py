"""Checklist 6: any str, lone surrogates too; line by line; what has no newline
is handed over at the end of the request; no bytes.

GET /
---
errors "line\n"
errors "\u00e9 \\ud800 \U0001f600\n"
errors "a\n"
errors "b\n"
errors "flushed"
errors "write() argument must be str, not bytes\n"
head 200 OK
write "5 False utf-8" last
errors "partial"
status ok
"""

def application(environ, start_response):
    errors = environ["wsgi.errors"]
    n = errors.write("line\n")
    errors.write("\u00e9 \ud800 \U0001f600\n")
    errors.writelines(["a\n", "b\n"])
    errors.write("flushed")
    errors.flush()
    try:
        errors.write(b"bytes")
    except TypeError as error:
        errors.write(f"{error}\n".removeprefix("wsgi.errors."))
    errors.write("partial")
    start_response("200 OK", [])
    return [f"{n} {errors.closed} {errors.encoding}".encode()]
