"""Checklist 18: an exception before the first byte leaves nothing sent; the
traceback names the whole chain. No exception ends the interpreter.

GET /Exception
---
traceback "Exception: text"
status exception

GET /SystemExit
---
traceback "SystemExit: text"
status exception

GET /KeyboardInterrupt
---
traceback "KeyboardInterrupt: text"
status exception

GET /GeneratorExit
---
traceback "GeneratorExit: text"
status exception
"""

import builtins


def application(environ, start_response):
    start_response("200 OK", [])
    try:
        raise LookupError("cause")
    except LookupError as cause:
        raise getattr(builtins, environ["PATH_INFO"][1:])("text") from cause
