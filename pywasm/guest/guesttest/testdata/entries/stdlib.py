"""Imports every public module of the standard library, and tries what
unsupported.json, on the command line, says of their use. One line of JSON."""

import contextlib
import importlib
import io
import json
import sys
import warnings

QUIET = {"antigravity", "this"}  # one opens a browser, the other prints


def outcome(function, *args):
    # What is printed meanwhile is nobody's answer.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            function(*args)
        except BaseException as error:
            return f"{type(error).__name__}: {error}"
    return None


def main(calls):
    warnings.simplefilter("ignore")
    names = sorted(n for n in sys.stdlib_module_names if not n.startswith("_") and n not in QUIET)
    imports = {name: outcome(importlib.import_module, name) for name in names}
    uses = {call: outcome(eval, call, dict(sys.modules)) for call in calls}
    print(json.dumps({"imports": {k: v for k, v in imports.items() if v}, "uses": uses}))


main(json.loads(sys.argv[1]))
