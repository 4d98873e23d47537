"""Writes before it returns, each time when the client has read the last."""

from .gate import passed


def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written 1")
    passed(environ["QUERY_STRING"] + "-2")
    write(b"written 2")
    passed(environ["QUERY_STRING"] + "-3")
    return [b"returned"]
