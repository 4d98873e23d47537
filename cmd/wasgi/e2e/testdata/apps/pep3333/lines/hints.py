"""Sends early hints, twice, and then the response; with ?late once more, too late."""


def application(environ, start_response):
    hints = environ["wsgi.early_hints"]
    hints([("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")])
    hints([("X-Second", "yes")])
    start_response("200 OK", [("X-Last", "yes")])
    return late(hints) if environ["QUERY_STRING"] == "late" else [b"ok"]


def late(hints):
    yield b"o"
    hints([("X-Late", "yes")])
    yield b"k"
