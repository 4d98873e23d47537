"""Checklist 8: a second call without exc_info is fatal, even if the first
raised.

GET /
---
traceback "AssertionError: Headers already set!"
status exception

GET /failed
---
traceback "AssertionError: Headers already set!"
status exception

GET /caught
---
traceback "AssertionError: start_response() failed, so there is no status to send"
status exception
"""

def application(environ, start_response):
    path = environ["PATH_INFO"]
    try:
        start_response("200 OK" if path == "/" else "broken", [])
    except ValueError:
        pass
    if path != "/caught":
        start_response("200 OK", [])
    return [b"never"]
