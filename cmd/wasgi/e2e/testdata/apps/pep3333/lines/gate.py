"""Opens a gate: an application that waits for it goes on."""

import os
import time


def passed(name):
    while not os.path.exists(f"/data/gate-{name}"):
        time.sleep(0.005)


def application(environ, start_response):
    with open("/data/gate-" + environ["QUERY_STRING"], "x"):
        pass
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"open\n"]
