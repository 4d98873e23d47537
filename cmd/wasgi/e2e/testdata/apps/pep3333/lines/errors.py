"""Writes to wsgi.errors whatever a text may hold."""


def application(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write("nul \x00 escape \x1b euro \u20ac snake \U0001f40d lone \ud800\n")
    errors.writelines(["one ", "line\n"])
    print(environ["QUERY_STRING"], file=errors)
    errors.flush()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"written\n"]
