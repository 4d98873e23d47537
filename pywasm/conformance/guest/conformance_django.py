"""Runs Django's own runtests.py in the current folder and records what its
unittest runner is told: conformance_django.py [arguments of runtests.py]."""

import runpy
import sys
import unittest

import conformance_record as records

if __name__ == "__main__":
    records.observe(unittest.TextTestResult)
    sys.argv[0] = "runtests.py"
    sys.path[0] = "/work"
    try:
        runpy.run_path("/work/runtests.py", run_name="__main__")
    finally:
        records.end()
