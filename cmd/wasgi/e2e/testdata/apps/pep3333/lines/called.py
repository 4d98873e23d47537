"""Says how it was called, and leaves a mark in the environ."""


def application(*args, **named):
    environ, start_response = args
    facts = type(environ) is dict, not named, "mark" in environ
    environ["mark"] = "left"
    del environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(facts).encode()]
