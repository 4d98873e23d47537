"""An application below middleware that gives it another environ and another
start_response."""


def inner(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    write = start_response("200 OK", [("X-Inner", "1")])
    write(b"inner ")
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))


def application(environ, start_response):
    def mine(status, headers, exc_info=None):
        return start_response(status, [*headers, ("X-Outer", "2")], exc_info)

    return (piece[:3] for piece in inner(dict(environ), mine))
