"""Makes each piece when the client has read the one before."""

from .gate import passed


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"piece 1"
    for number in (2, 3):
        yield b""
        passed(f"{environ['QUERY_STRING']}-{number}")
        yield b"piece %d" % number
