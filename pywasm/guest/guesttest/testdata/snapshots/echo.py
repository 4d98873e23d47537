"""Sends the variables of the message back, and proves that the base is whole."""


def application(environ, start_response):
    environ = dict(environ)
    for name in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "wsgi.version"):
        del environ[name]
    start_response("200 OK", [])
    return ["".join(f"{len(k)} {k} {len(v)} {v}" for k, v in sorted(environ.items()) if isinstance(v, str)).encode("latin-1")]
