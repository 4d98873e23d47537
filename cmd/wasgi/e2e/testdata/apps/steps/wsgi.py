"""Streams three steps; each but the first waits until a request has asked for it."""

import os
import time


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/stream":
        return steps()
    with open(marker(environ["QUERY_STRING"]), "x"):
        return [b"asked\n"]


def steps():
    for number in "123":
        while number > "1" and not os.path.exists(marker(number)):
            time.sleep(0.005)
        yield f"step {number}\n".encode()


def marker(number):
    return f"/data/ask-{number}"
