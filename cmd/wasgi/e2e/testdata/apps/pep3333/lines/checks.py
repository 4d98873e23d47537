"""Calls start_response with each line of the request's body and says what it
raised."""

import sys


def application(environ, start_response):
    try:
        raise LookupError
    except LookupError:
        info = sys.exc_info()
    answers = []
    for line in environ["wsgi.input"]:
        try:
            start_response(*eval(line), info)
            answers.append("taken")
        except Exception as error:
            answers.append(type(error).__name__)
    start_response("299 Custom Reason", [("X-Last", "yes")], info)
    return [" ".join(answers).encode()]
