"""Fails before the first byte, or after it."""


def application(environ, start_response):
    when, _, how = environ["QUERY_STRING"].partition("&")
    start_response("200 OK", [("X-Evil", "1"), ("Content-Length", "8")] if when == "announced" else [("X-Evil", "1")])
    return body(when, how)


def body(when, how):
    if when != "early":
        yield b"half"
    if how == "text":
        yield "text"
    if how == "none":
        yield None
    if how == "array":
        yield bytearray(b"text")
    raise RuntimeError("failed " + when)
