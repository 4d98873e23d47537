"""Shows the environ, or with ?os the environment of the process."""

import os


def show(key, value):
    if isinstance(value, (str, tuple, bool)):
        return f"{key}={value!a}\n"
    if callable(value):
        return f"{key} is callable\n"
    return f"{key} has {' '.join(n for n in dir(value) if n in METHODS)}\n"


METHODS = {"read", "readline", "readlines", "__iter__", "write", "writelines"}


def application(environ, start_response):
    source = os.environ if environ["QUERY_STRING"] == "os" else environ
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["".join(show(key, source[key]) for key in sorted(source)).encode()]
