"""Calls start_response with exc_info when a byte has gone out, and says where the
exception that comes back was raised."""

import sys


class Late(Exception):
    pass


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    try:
        raise Late("as it was")
    except Late as late:
        try:
            start_response("500 Error", [("X-Evil", "1")], sys.exc_info())
        except Late as again:
            frames, step = [], again.__traceback__
            while step is not None:
                frames.append(step.tb_frame.f_code.co_name)
                step = step.tb_next
            print("raised again", again is late, frames, file=environ["wsgi.errors"])
            raise
