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

GET /wrong
---
errors "TypeError: headers must be a list, not tuple\n"
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
errors "AssertionError: early hints after the response has begun\n"
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

WRONG = [(("Link", "a"),), ["Link"], [("Li nk", "a")], [("Link", "a\r\nb")], [("Connection", "close")], [("Content-Length", "1")]]
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
