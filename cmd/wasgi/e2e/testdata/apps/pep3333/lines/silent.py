"""Has nothing to say and yields that, until nobody listens."""

import time


def application(environ, start_response):
    print("waiting for", environ["QUERY_STRING"], file=environ["wsgi.errors"])
    try:
        while True:
            time.sleep(0.005)
            yield b""
    finally:
        print("silent was closed for", environ["QUERY_STRING"], file=environ["wsgi.errors"])
