"""Sends a file of the query's size through wsgi.file_wrapper."""

import io
import os
import tempfile

OPENERS = {
    "plain": lambda path: open(path, "rb"),
    "raw": lambda path: open(path, "rb", buffering=0),
    "memory": lambda path: io.BytesIO(open(path, "rb").read()),
    "nameless": lambda path: Nameless(open(path, "rb")),
    "temporary": lambda path: temporary(open(path, "rb").read()),
    "tmp": lambda path: tmp(open(path, "rb").read()),
}


class Nameless:
    """Has read() and nothing else."""

    def __init__(self, file):
        self.read = file.read


def temporary(content):
    file = tempfile.TemporaryFile(dir="/data")
    file.write(content)
    file.seek(0)
    return file


def tmp(content):
    with open("/tmp/file", "wb") as file:
        file.write(content)
    return open("/tmp/file", "rb")


def application(environ, start_response):
    query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
    path = f"/data/file-{query['size']}"
    if not os.path.exists(path):  # a request before may still be sending it
        with open(path, "wb") as file:
            file.write((b"0123456789abcdef" * (int(query["size"]) // 16 + 1))[: int(query["size"])])
    file = OPENERS[query["as"]](path)
    file.read(int(query.get("skip", "0")))
    write = start_response("200 OK", [("Content-Length", query["length"])] if "length" in query else [])
    if "write" in query:
        write(query["write"].encode())
    if query["as"] not in ("nameless",):
        close = file.close
        try:
            file.close = lambda: (print("closed", query["id"], file=environ["wsgi.errors"]), close())
        except AttributeError:
            pass  # BytesIO
    wrapper = environ["wsgi.file_wrapper"](file, 4096)
    if "middleware" in query:
        return (piece.upper() for piece in wrapper)
    return wrapper
