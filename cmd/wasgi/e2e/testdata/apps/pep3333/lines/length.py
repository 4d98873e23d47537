"""Bodies with and without a length, and with a wrong one."""


def counted(environ):
    for number in range(1, 1000):
        print("made piece", number, environ["QUERY_STRING"], file=environ["wsgi.errors"])
        yield b"12"


def application(environ, start_response):
    way, _, length = environ["QUERY_STRING"].partition("&")[0].partition("=")
    write = start_response("200 OK", [("Content-Length", length)] if length else [])
    if way == "written":
        write(b"first ")
    if way == "beyond":
        for piece in counted(environ):
            write(piece)
    if way == "list":
        return [b"one"]
    if way == "counted":
        return counted(environ)
    return iter([b"o", b"", b"ne"]) if way == "iterator" else [b"second"]
