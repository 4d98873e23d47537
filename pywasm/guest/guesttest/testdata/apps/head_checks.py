"""Checklist 10 and 11: status and headers are checked when start_response is
called; what is right is sent as it is, duplicates and order too.

GET /
---
head 299 
header X-A: 1
header x-a: 2
header Set-Cookie: a=1
header Set-Cookie: b=2
header X-Latin: \u00e9
header X-Tab: a\tb
header X-Empty: 
write "TypeError: status must be str, not bytes\n"
write "TypeError: status must be str, not int\n"
write "TypeError: status must be str, not NoneType\n"
write "ValueError: status must be three digits, a space and a reason: ''\n"
write "ValueError: status must be three digits, a space and a reason: '200'\n"
write "ValueError: status must be three digits, a space and a reason: '20 OK'\n"
write "ValueError: status must be three digits, a space and a reason: 'abc OK'\n"
write "ValueError: status must be three digits, a space and a reason: '2000 OK'\n"
write "ValueError: status must be three digits, a space and a reason: '200-OK'\n"
write "ValueError: status must be three digits, a space and a reason: ' 200 OK'\n"
write "ValueError: status must be three digits, a space and a reason: '200  OK'\n"
write "ValueError: status must be three digits, a space and a reason: '200 OK '\n"
write "ValueError: status must be three digits, a space and a reason: '200 OK\\r\\nX: 1'\n"
write "ValueError: status must be three digits, a space and a reason: '200 \\x00'\n"
write "ValueError: status must be three digits, a space and a reason: '200\\tOK'\n"
write "ValueError: status has a character outside ISO 8859-1: '200 \u20ac'\n"
write "ValueError: status must be from 200 to 999: '100 Continue'\n"
write "ValueError: status must be from 200 to 999: '101 Switching Protocols'\n"
write "ValueError: status must be from 200 to 999: '000 X'\n"
write "TypeError: headers must be a list, not tuple\n"
write "TypeError: headers must be a list, not dict_items\n"
write "TypeError: headers must be a list, not List\n"
write "TypeError: header must be a (name, value) tuple, not ['A', '1']\n"
write "TypeError: header must be a (name, value) tuple, not ('A',)\n"
write "TypeError: header must be a (name, value) tuple, not 'AB'\n"
write "TypeError: header name must be str, not bytes\n"
write "TypeError: header value must be str, not int\n"
write "ValueError: header value has a character outside ISO 8859-1: '\u20ac'\n"
write "ValueError: header name has a character outside ISO 8859-1: '\u20ac'\n"
write "ValueError: header name is not a token: ''\n"
write "ValueError: header name is not a token: 'A:'\n"
write "ValueError: header name is not a token: 'A B'\n"
write "ValueError: header name is not a token: 'A\\n'\n"
write "ValueError: header name is not a token: '\u00e9'\n"
write "ValueError: value of header A has a control character: '1\\r\\nB: 2'\n"
write "ValueError: value of header A has a control character: '\\x00'\n"
write "ValueError: value of header A has a control character: '\\x7f'\n"
write "AssertionError: hop-by-hop header not allowed: Connection\n"
write "AssertionError: hop-by-hop header not allowed: keep-alive\n"
write "AssertionError: hop-by-hop header not allowed: Proxy-Authenticate\n"
write "AssertionError: hop-by-hop header not allowed: Proxy-Authorization\n"
write "AssertionError: hop-by-hop header not allowed: TE\n"
write "AssertionError: hop-by-hop header not allowed: Trailers\n"
write "AssertionError: hop-by-hop header not allowed: Trailer\n"
write "AssertionError: hop-by-hop header not allowed: TRANSFER-ENCODING\n"
write "AssertionError: hop-by-hop header not allowed: Upgrade\n"
write "ValueError: Content-Length is not a number of bytes: ''\n"
write "ValueError: Content-Length is not a number of bytes: '-1'\n"
write "ValueError: Content-Length is not a number of bytes: '+1'\n"
write "ValueError: Content-Length is not a number of bytes: '1, 1'\n"
write "ValueError: Content-Length is not a number of bytes: '9999999999999999999'\n"
write "ValueError: two different Content-Length headers: 1 and '2'\n"
write "ValueError: more than 512 headers\n"
write "ValueError: status and headers are above 262144 bytes\n"
status ok
"""

import sys


class List(list):
    pass


STATUSES = [
    b"200 OK", 200, None, "", "200", "20 OK", "abc OK", "2000 OK", "200-OK", " 200 OK", "200  OK", "200 OK ",
    "200 OK\r\nX: 1", "200 \0", "200\tOK", "200 €", "100 Continue", "101 Switching Protocols", "000 X",
]  # fmt: skip
HOP_BY_HOP = [
    "Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers", "Trailer",
    "TRANSFER-ENCODING", "Upgrade",
]  # fmt: skip
HEADERS = [
    (("A", "1"),), {"A": "1"}.items(), List(), [["A", "1"]], [("A",)], ["AB"], [(b"A", "1")], [("A", 1)],
    [("A", "€")], [("€", "1")], [("", "1")], [("A:", "1")], [("A B", "1")], [("A\n", "1")], [("é", "1")],
    [("A", "1\r\nB: 2")], [("A", "\0")], [("A", "\x7f")], *([(name, "x")] for name in HOP_BY_HOP),
    *([("Content-Length", text)] for text in ["", "-1", "+1", "1, 1", "9" * 19]),
    [("Content-Length", "1"), ("content-length", "2")], [("A", "1")] * 513, [("A", "x" * 262144)],
]  # fmt: skip
RIGHT = [
    ("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Latin", "é"), ("X-Tab", "a\tb"),
    ("X-Empty", ""),
]  # fmt: skip


def application(environ, start_response):
    # exc_info makes further calls legal, so that one request tries them all.
    try:
        raise LookupError
    except LookupError:
        info = sys.exc_info()
    texts = []
    for status, headers in [(s, []) for s in STATUSES] + [("200 OK", h) for h in HEADERS]:
        try:
            start_response(status, headers, info)
            texts.append(f"accepted {status!r} {headers!r}")
        except (TypeError, ValueError, AssertionError) as error:
            texts.append(f"{type(error).__name__}: {error}")
    start_response("299 ", RIGHT, info)
    return iter([f"{text}\n".encode("utf-8") for text in texts])
