"""Runs one module of CPython's own tests with CPython's own runner:
conformance_cpython.py [--whole] MODULE [arguments of "python -m test"].

--whole runs a module that CPython skips on WASI because most of its kind need
sockets, though it does not."""

import sys
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


def run(args):
    if args[0] == "--whole":
        support.has_socket_support = True
        args = args[1:]
    records.observe(testresult.RegressionTestResult)
    observe_module()
    sys.argv[1:] = args[1:] + args[:1]
    try:
        main.main()
    finally:
        records.end()


if __name__ == "__main__":
    run(sys.argv[1:])
