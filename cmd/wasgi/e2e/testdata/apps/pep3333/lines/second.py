"""Calls start_response a second time, after one that was taken or one that
raised, and says what came of it."""

import sys


def application(environ, start_response):
    first = "200 OK" if environ["QUERY_STRING"] == "taken" else "200"
    seen = []
    for status in (first, "204 No Content"):
        try:
            start_response(status, [("X-Evil", "1")])
        except Exception as error:
            seen.append(type(error).__name__)
            info = sys.exc_info()
    start_response("200 OK", [], info)
    return [" ".join(seen).encode()]
