import gc
import io
import sys


def generator(environ):
    try:
        yield b"one"
        yield environ["wsgi.input"].readline()
        if environ["PATH_INFO"] == "/late":
            raise ValueError("late")
    finally:
        environ["wsgi.errors"].write("closing")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/blocks":
        gc.collect()
        start_response("200 OK", [])
        return [str(sys.getallocatedblocks()).encode()]
    if path == "/raise":
        raise ValueError("early")
    if path == "/wrong":
        start_response("wrong", [])
    length = [("Content-Length", "1")] if path == "/length" else []
    write = start_response("200 OK", [("X-Header", "value"), *length])
    if path == "/write":
        write(environ["wsgi.input"].read())
    if path == "/file":
        return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))
    if path in ("/generator", "/late"):
        return generator(environ)
    return [b"a", b"b", b"c"]
