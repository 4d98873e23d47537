"""Sends early hints, twice, and then the response."""


def application(environ, start_response):
    hints = environ["wsgi.early_hints"]
    hints([("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")])
    hints([("X-Second", "yes")])
    start_response("200 OK", [("X-Last", "yes")])
    return [b"ok"]
