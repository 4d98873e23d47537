"""Calls start_response and has no byte yet."""

import sys

from .gate import passed


def application(environ, start_response):
    way, _, gate = environ["QUERY_STRING"].partition("&")
    if way == "replaced":
        return replaced(start_response)
    write = start_response("200 OK", [("X-Way", way), ("Content-Length", "0")] if way == "zero" else [("X-Way", way)])
    if way == "flush":
        write(b"")
        passed(gate)
        return [b"body"]
    return []


def replaced(start_response):
    start_response("500 First", [("X-First", "1"), ("X-Both", "first"), ("Content-Length", "1")])
    yield b""
    try:
        raise LookupError
    except LookupError:
        start_response("299 Second", [("X-Both", "second")], sys.exc_info())
    yield b"body"
