"""Runs one module of CPython's own tests with CPython's own runner:
conformance_cpython.py [--whole] MODULE [arguments of "python -m test"].

--whole runs a module that CPython skips on WASI because most of its kind need
sockets, though it does not.

ctypes is hidden: the guest's stand-in only lets types be declared, and tests of
more skip themselves without it, as in CPython's own builds for WASI. Where the
guest lacks modules that are for tests only, test modules that would be skipped
as a whole for want of one get one whose functions skip the test that calls them."""

import importlib.util
import sys
import types
import unittest

import conformance_record as records
from test import support
from test.libregrtest import main, single, testresult


def observe_module():
    """Records a module that is skipped or fails as a whole."""
    load = single._load_run_test

    def observed(result, runtests):
        try:
            return load(result, runtests)
        except unittest.SkipTest as skip:
            records.record(result.test_name, "skipped", str(skip))
            raise
        except support.TestFailed:
            raise
        except Exception as exception:
            records.record(result.test_name, "failed", records.describe(exception))
            raise

    single._load_run_test = observed


_NO_TESTS_RAN = 4  # the exit status for a module that skipped itself
_FOR_TESTS = ("_testinternalcapi", "_testlimitedcapi", "_testsinglephase")
_NEED_THEM = {
    "test_bytes", "test_class", "test_code", "test_compile", "test_compileall", "test_dis", "test_getpath",
    "test_marshal", "test_pkgutil", "test_pyclbr", "test_traceback", "test_types",
}  # fmt: skip


class _ForTests(types.ModuleType):
    """A module of which only the configuration is known."""

    @staticmethod
    def get_config():
        return {"code_debug_ranges": 1}

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def skip(*args, **kwargs):
            raise unittest.SkipTest(f"needs {self.__name__}.{name}")

        return skip


def run(args):
    if args[0] == "--whole":
        support.has_socket_support = True
        args = args[1:]
    sys.modules["_ctypes"] = None
    if args[0] in _NEED_THEM:
        names = _FOR_TESTS if args[0] != "test_traceback" else (*_FOR_TESTS, "_testcapi")
        sys.modules.update({name: _ForTests(name) for name in names if not importlib.util.find_spec(name)})
    records.observe(testresult.RegressionTestResult)
    observe_module()
    sys.argv[1:] = args[1:] + args[:1]
    try:
        main.main()
    except SystemExit as end:
        if end.code != _NO_TESTS_RAN:
            raise
    finally:
        records.end()


if __name__ == "__main__":
    run(sys.argv[1:])
