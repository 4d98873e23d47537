"""Says when it is imported."""

import sys

print("imported just now", file=sys.stderr, flush=True)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"noisy\n"]
