"""An application that sends without start_response has failed.

GET /
---
traceback "AssertionError: the application did not call start_response()"
status exception

GET /empty
---
traceback "AssertionError: the application did not call start_response()"
status exception
"""

def application(environ, start_response):
    return [b"body"] if environ["PATH_INFO"] == "/" else []
