"""Fails in every way that a host has to survive; /NAME is one of them."""

import os
import re
import sys
import time

start = time.monotonic()


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    if name:
        WAYS[name]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return short() if name == "short" else [b"well\n"]


def loop():
    while True:
        pass


def swallow():
    while True:
        try:
            loop()
        except BaseException:
            continue


def recurse():
    return recurse()


def short():
    yield b"half\n"
    raise RuntimeError("in the middle of the body")


WAYS = {
    "loop": loop,
    "swallow": swallow,
    "regex": lambda: re.match(r"(a+)+$", "a" * 64 + "b"),
    "number": lambda: 7 ** (7**8),
    "sleep": lambda: time.sleep(3600),
    "memory": lambda: [bytearray(1 << 24) for _ in range(1 << 10)],
    "recurse": recurse,
    "exit": lambda: sys.exit(3),
    "os-exit": lambda: os._exit(3),
    "abort": os.abort,
    "generator": lambda: next(iter([])),
    "short": lambda: None,
}
