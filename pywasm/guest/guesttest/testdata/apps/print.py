"""print() reaches the log line by line, and what has no newline at the end of
the request.

GET /
---
head 200 OK
write "ok" last
stdout "one line\n"
stdout "to stderr \\ud800\n"
stdout "partial"
status ok
"""

import sys


def application(environ, start_response):
    print("one", "line")
    print("to stderr \ud800", file=sys.stderr)
    print("partial", end="")
    start_response("200 OK", [])
    return [b"ok"]
