"""Checklist 15 and 19: write() takes bytes and nothing else.

GET /
---
traceback "TypeError: the response body must be made of bytes, not str"
status exception
"""

def application(environ, start_response):
    start_response("200 OK", [])("text")
    return []
