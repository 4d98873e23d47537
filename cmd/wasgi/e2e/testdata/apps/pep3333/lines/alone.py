"""Counts the requests that are in this interpreter at once."""

import threading

from .gate import passed

running = 0


def application(environ, start_response):
    global running
    running += 1
    if environ["QUERY_STRING"]:
        start_response("200 OK", [])(b"waiting")
        passed(environ["QUERY_STRING"])
    else:
        start_response("200 OK", [])
    text = f" {running} running, {threading.active_count()} threads"
    running -= 1
    return [text.encode()]
