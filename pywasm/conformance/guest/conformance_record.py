"""Writes one line of JSON for each test that starts and each that ends, at
once, so that a crash loses nothing but the test that it ends. The program
pywasm/conformance on the host reads them."""

import json
import os
import re
import traceback

_dumps = json.dumps
_exception_only = traceback.format_exception_only
_most = 2000
_dir = os.environ["CONFORMANCE_DIR"]
_file = open(os.path.join(_dir, "records.jsonl"), "a", encoding="utf-8", errors="backslashreplace")


def record(test, outcome, detail=""):
    _file.write(_dumps({"test": test, "outcome": outcome, "detail": detail[:_most]}) + "\n")
    _file.flush()


def end():
    record("", "end")


def _not_run():
    with open(os.path.join(_dir, "notrun.json"), encoding="utf-8") as f:
        rules = json.load(f)
    return [(re.compile(re.escape(p).replace(r"\*", ".*")), reason) for p, reason in rules]


_rules = _not_run()


def reason_not_to_run(test):
    """Why the test must not run here, None when it may."""
    for pattern, reason in _rules:
        if pattern.fullmatch(test):
            return reason
    return None


def describe(exception):
    return "".join(_exception_only(exception)).strip()


# --- unittest -------------------------------------------------------------------


def _id(test):
    test = getattr(test, "test_case", test)  # of a subtest
    try:
        return test.id()
    except Exception:
        return str(test)


def observe(result_class):
    """Records what a class of unittest.TestResult is told."""
    outcomes = {
        "startTest": "started", "addSuccess": "passed", "addError": "failed", "addFailure": "failed",
        "addSkip": "skipped", "addExpectedFailure": "passed", "addUnexpectedSuccess": "failed",
    }  # fmt: skip
    for name, outcome in outcomes.items():
        setattr(result_class, name, _recording(getattr(result_class, name), outcome))
    add_sub_test = result_class.addSubTest

    def addSubTest(self, test, subtest, err):
        if err is not None:
            record(_id(test), "failed", f"{subtest}: {describe(err[1])}")
        add_sub_test(self, test, subtest, err)

    result_class.addSubTest = addSubTest
    if _rules:  # tests of unittest itself notice one more frame
        _skip_in_unittest()


def _recording(method, outcome):
    def call(self, test, *args):
        detail = args[0] if args else ""
        record(_id(test), outcome, detail if isinstance(detail, str) else describe(detail[1]))
        return method(self, test, *args)

    return call


def _skip_in_unittest():
    import unittest

    run = unittest.TestCase.run

    def run_unless_left_out(self, result=None):
        reason = reason_not_to_run(_id(self)) if result is not None else None
        if reason is None:
            return run(self, result)
        record(_id(self), "not run", reason)
        return result

    unittest.TestCase.run = run_unless_left_out
