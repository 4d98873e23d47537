"""Stands in for pyperf, which starts processes and cannot run in the guest.

It has what pyperformance's files call, measures the same way everywhere, and
prints one line of JSON for each benchmark: its name and the seconds of one
loop, several times. BENCH_VALUES is how many, BENCH_MIN_TIME how long at least
each of them measures.
"""

import argparse
import json
import os
import platform
import time

perf_counter = time.perf_counter
VALUES = int(os.environ.get("BENCH_VALUES", "3"))
MIN_TIME = float(os.environ.get("BENCH_MIN_TIME", "0.15"))


def python_implementation():
    return platform.python_implementation().lower()


class Runner:
    def __init__(self, add_cmdline_args=None, **_):
        self.argparser = argparse.ArgumentParser()
        self.metadata = {}
        self.args = None

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(args)
        return self.args

    def bench_func(self, name, func, *args, inner_loops=1, **_):
        def timed(loops, *args):
            begin = perf_counter()
            for _ in range(loops):
                func(*args)
            return perf_counter() - begin

        return self.bench_time_func(name, timed, *args, inner_loops=inner_loops)

    def bench_time_func(self, name, timed, *args, inner_loops=1, **_):
        self.parse_args()
        loops = calibrate(timed, args)
        values = [timed(loops, *args) / loops / inner_loops for _ in range(VALUES)]
        print(json.dumps({"name": name, "values": values}), flush=True)


def calibrate(timed, args):
    """The smallest power of two that takes MIN_TIME. Its runs warm up too."""
    loops = 1
    while timed(loops, *args) < MIN_TIME:
        loops *= 2
    return loops
