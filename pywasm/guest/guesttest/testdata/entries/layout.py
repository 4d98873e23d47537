"""Answers with the address of every type and module that the standard library
has once all of it is imported, one line of JSON each: kind, name, address,
and of types the size of an instance."""

import gc
import importlib
import json
import sys
import warnings

QUIET = {"antigravity", "this"}  # one opens a browser, the other prints


def import_everything():
    warnings.simplefilter("ignore")
    for name in sorted(sys.stdlib_module_names | set(sys.builtin_module_names)):
        if name not in QUIET:
            try:
                importlib.import_module(name)
            except ImportError:
                pass


def types():
    found, left = set(), [object] + [type(o) for o in gc.get_objects()]
    while left:
        kind = left.pop()
        if kind not in found:
            found.add(kind)
            left += type.__subclasses__(kind)
    return found


def lines():
    for kind in types():
        yield "type", f"{kind.__module__}.{kind.__qualname__}", id(kind), kind.__basicsize__
    for name, module in sys.modules.items():
        if type(module) is type(sys):
            yield "module", name, id(module), 0


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["".join(json.dumps(line) + "\n" for line in lines()).encode()]


import_everything()
