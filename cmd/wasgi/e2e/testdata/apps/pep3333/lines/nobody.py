"""Gives a body where there may be none. The query is the status, and a length."""

from urllib.parse import unquote


def application(environ, start_response):
    status, _, length = unquote(environ["QUERY_STRING"]).partition("&")
    start_response(status, [("Content-Length", length)] if length else [])
    return iter([b"body"]) if environ["PATH_INFO"].endswith("/iterator") else [b"body"]
