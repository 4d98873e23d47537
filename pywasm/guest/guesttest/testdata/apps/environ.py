"""Checklist 1 to 4: environ is a new, plain dict; every variable is a str of
ISO 8859-1; the wsgi keys are there; nothing of a request stays for the next.

GET /café
---
head 200 OK
write "dict True\n"
write "/caf\u00e9 GET http\n"
write "(1, 0) False True False True\n"
write "wasgi/test a=b\n"
write "absent False True\n"
status ok

GET /
---
head 200 OK
write "dict True\n"
write "/ GET http\n"
write "(1, 0) False True False True\n"
write "wasgi/test a=b\n"
write "absent False True\n"
status ok
"""

FLAGS = ["wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated"]


def application(environ, start_response):
    start_response("200 OK", [])
    yield f"{type(environ).__name__} {'left.over' not in environ}\n".encode()
    environ["left.over"] = 1
    names = ["PATH_INFO", "REQUEST_METHOD", "wsgi.url_scheme"]
    yield " ".join(environ[name] for name in names).encode("latin-1") + b"\n"
    yield " ".join(str(environ[name]) for name in FLAGS).encode() + b"\n"
    yield "{SERVER_SOFTWARE} {X_EQUALS}\n".format(**environ).encode()
    strings = all(type(v) is str for k, v in environ.items() if "." not in k)
    yield f"{environ.get('REMOTE_USER', 'absent')} {'HTTP_COOKIE' in environ} {strings}\n".encode()
