"""Counts its requests in a module global and in a file; deals random values."""

import os
import random
import secrets
import tempfile
import time
import uuid

FILE = "/data/requests"
seen = 0


def application(environ, start_response):
    path = environ["PATH_INFO"]
    text = dealt() if path == "/random" else counted()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


def counted():
    global seen
    seen += 1
    return f"{seen} in memory, {stored()} in /data\n"


def stored():
    with open(FILE, "a+") as file:
        file.write("x")
        file.seek(0)
        return len(file.read())


def dealt():
    values = [
        random.random(),
        secrets.token_hex(),
        uuid.uuid4(),
        next(tempfile._get_candidate_names()),
        os.urandom(8).hex(),
        time.monotonic_ns(),
    ]
    return "\n".join(str(value) for value in values)
