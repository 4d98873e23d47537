"""A WSGI application on nothing but PEP 3333 and the standard library."""

import hashlib
import http
import re
import time

TEXT = ("Content-Type", "text/plain; charset=utf-8")
CHUNKS = 5


def application(environ, start_response):
    # A mount point asked for without its trailing slash has an empty PATH_INFO.
    path = environ.get("PATH_INFO") or "/"
    if path.startswith("/status/"):
        return status(environ, start_response)
    return ROUTES.get(path, not_found)(environ, start_response)


def hello(environ, start_response):
    return text(start_response, "Hello from WSGI!\n")


def show_environ(environ, start_response):
    lines = [f"{key}={printable(environ[key])}\n" for key in sorted(environ)]
    return text(start_response, "".join(lines))


def printable(value):
    # The repr of a stream holds an address, which differs from run to run.
    plain = (str, int, bool, tuple)
    return repr(value) if isinstance(value, plain) else f"<{type(value).__name__}>"


def echo(environ, start_response):
    if environ["REQUEST_METHOD"] != "POST":
        return text(start_response, "use POST\n", 405, [("Allow", "POST")])
    body = read_body(environ)
    headers = [
        ("Content-Type", environ.get("CONTENT_TYPE") or "application/octet-stream"),
        ("Content-Length", str(len(body))),
        ("X-Body-SHA256", hashlib.sha256(body).hexdigest()),
    ]
    start_response("200 OK", headers)
    return [body]


def read_body(environ):
    # A chunked request has no length; such a server marks the end of the input.
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read(-1)
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def stream(environ, start_response):
    pause = re.fullmatch(r"pause=(\d(\.\d+)?)", environ.get("QUERY_STRING", ""))
    start_response("200 OK", [TEXT])
    return chunks(environ["wsgi.errors"], float(pause[1]) if pause else 0)


def chunks(errors, pause):
    sent = 0
    try:
        for number in range(1, CHUNKS + 1):
            if pause and sent:
                time.sleep(pause)
            sent = number
            yield f"chunk {number} of {CHUNKS}\n".encode()
    finally:
        # Also reached through close() when the client leaves half-way.
        errors.write(f"stream closed after {sent} chunks\n")
        errors.flush()


def write(environ, start_response):
    send = start_response("200 OK", [TEXT])
    send(b"written first\n")
    send(b"written second\n")
    return [b"returned last\n"]


def fail(environ, start_response):
    raise RuntimeError("deliberate failure")


def status(environ, start_response):
    match = re.fullmatch(r"/status/([2-9]\d\d)", environ["PATH_INFO"], re.ASCII)
    if not match:
        return not_found(environ, start_response)
    code = int(match[1])
    if code in (204, 304):
        start_response(status_line(code), [])
        return []
    return text(start_response, status_line(code) + "\n", code)


def not_found(environ, start_response):
    return text(start_response, "404 Not Found\n", 404)


def text(start_response, body, code=200, headers=()):
    data = body.encode()
    length = ("Content-Length", str(len(data)))
    start_response(status_line(code), [TEXT, length, *headers])
    return [data]


def status_line(code):
    try:
        return f"{code} {http.HTTPStatus(code).phrase}"
    except ValueError:
        return f"{code} Unknown"


ROUTES = {
    "/": hello,
    "/environ": show_environ,
    "/echo": echo,
    "/stream": stream,
    "/write": write,
    "/fail": fail,
}
