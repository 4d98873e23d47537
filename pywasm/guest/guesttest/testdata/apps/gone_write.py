"""A client that goes while write() sends is no fault of the application.

gone 1
GET /
---
head 200 OK
errors "BrokenPipeError: the client has gone\n"
status ok

gone 1
GET /swallow
---
head 200 OK
errors "BrokenPipeError: the client has gone\n"
status ok
"""

def application(environ, start_response):
    write = start_response("200 OK", [])
    try:
        write(b"lost")
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=environ["wsgi.errors"])
        if environ["PATH_INFO"] == "/":
            raise
    return [b"lost too"]
