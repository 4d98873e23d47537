"""Answers with the status of the query."""

from urllib.parse import unquote


def application(environ, start_response):
    start_response(unquote(environ["QUERY_STRING"], "latin-1"), [("Content-Length", "2")])
    return [b"ok"]
