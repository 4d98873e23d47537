"""wsgi.early_hints, as gunicorn has it: headers ahead of the response, checked as
start_response checks them.

GET /
---
head 103 
header Link: </a.css>; rel=preload
header Link: </b.js>; rel=preload
head 103 
head 200 OK
header X-A: 1
write "ok" last
status ok

GET /kinds
---
head 103 
header Link: a
header X-E: e
head 103 
header Link: b
head 200 OK
write "ok" last
status ok

GET /wrong
---
errors "TypeError: 'int' object is not iterable\n"
errors "ZeroDivisionError: division by zero\n"
errors "TypeError: header must be a (name, value) tuple, not 5\n"
errors "TypeError: header must be a (name, value) tuple, not ('Link',)\n"
errors "TypeError: header value must be str, not int\n"
errors "ValueError: more than 512 headers\n"
errors "TypeError: header must be a (name, value) tuple, not 'Link'\n"
errors "ValueError: header name is not a token: 'Li nk'\n"
errors "ValueError: value of header Link has a control character: 'a\\r\\nb'\n"
errors "AssertionError: hop-by-hop header not allowed: Connection\n"
errors "ValueError: early hints have no Content-Length\n"
head 200 OK
header X-A: 1
write "ok" last
status ok

GET /late
---
head 200 OK
header X-A: 1
write "first"
write "ok"
status ok

GET /many
---
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
head 103 
errors "ValueError: more than 16 early hints for one request\n"
head 200 OK
write "16" last
status ok

GET /after
---
errors "AssertionError: early hints after the request has ended\n"
head 200 OK
write "ok" last
status ok
"""

import itertools

WRONG = [5, (1 / 0 for _ in range(1)), [5], [["Link"]], [("Link", 5)], itertools.repeat(("Link", "a")), ["Link"], [("Li nk", "a")], [("Link", "a\r\nb")], [("Connection", "close")], [("Content-Length", "1")]]
kept = []


def application(environ, start_response):
    hints = environ["wsgi.early_hints"]
    way = environ["PATH_INFO"][1:]
    kept.append(hints)

    def refused(headers, hints=hints):
        try:
            hints(headers)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=environ["wsgi.errors"])

    if way == "":
        write = start_response("200 OK", [("X-A", "1")])  # keeps the head that is laid out
        hints([("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")])
        hints([])
    if way == "kinds":
        hints((["Link", "a"], (b"X-E", b"e")))
        hints(pair for pair in [("Link", b"b")])
        start_response("200 OK", [])
    if way == "wrong":
        for headers in WRONG:
            refused(headers)
    if way in ("wrong", "late"):
        write = start_response("200 OK", [("X-A", "1")])
    if way == "late":
        write(b"first")
        refused([])
        return iter([b"ok"])
    if way == "many":
        sent = 0
        for _ in range(16):
            hints([])
            sent += 1
        refused([])
        start_response("200 OK", [])
        return [str(sent).encode()]
    if way == "after":
        refused([], kept[0])
        start_response("200 OK", [])
    return [b"ok"]
