# The application that makes byte code: the source is a request's body, and its
# path as applications will see it is PATH_INFO. Each request has the interpreter
# as it was before any source was read.
import gc
import os
import sys
import warnings
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

gc.disable()  # a source lives as long as its request
warnings.simplefilter("ignore")


def application(environ, start_response):
    path = os.fsdecode(environ["PATH_INFO"].encode("latin-1"))
    source = environ["wsgi.input"].read()
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as e:
        start_response("422 Unprocessable Content", [])
        return [f"{type(e).__name__}: {e}".encode(errors="backslashreplace")]
    pyc = _code_to_hash_pyc(code, source_hash(source), False)
    start_response("200 OK", [("X-Cache-Tag", sys.implementation.cache_tag)])
    return [bytes(pyc)]
