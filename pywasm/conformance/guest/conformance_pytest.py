"""The plugin that records what pytest does: pytest -p conformance_pytest."""

import pytest

import conformance_record as records


def pytest_collection_modifyitems(config, items):
    kept = []
    for item in items:
        reason = records.reason_not_to_run(item.nodeid)
        if reason is None:
            kept.append(item)
        else:
            records.record(item.nodeid, "not run", reason)
    items[:] = kept


_deselected = []


def pytest_deselected(items):
    _deselected.extend(items)
    for item in items:
        expression = item.config.option.markexpr.split()
        marks = sorted({mark.name for mark in item.iter_markers() if mark.name in expression})
        records.record(item.nodeid, "skipped", "deselected: marked " + ", ".join(marks))


def pytest_runtest_logstart(nodeid, location):
    records.record(nodeid, "started")


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    outcome = report.outcome
    if hasattr(report, "wasxfail"):  # it may pass too: pytest says failed where that is forbidden
        outcome = "passed"
    records.record(report.nodeid, outcome, _detail(report))


def pytest_collectreport(report):
    if not report.passed:
        records.record(report.nodeid, report.outcome, _detail(report))


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        if not _deselected:
            records.record(session.config.args[0], "skipped", "it has no test that can run here")
        session.exitstatus = pytest.ExitCode.OK
    records.end()


def _detail(report):
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):  # path, line, reason of a skip
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash is not None else str(report.longrepr)[-1000:]
