"""The tenant next door: answers, and has nothing to do with anybody."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "8")])
    return [b"at home\n"]
