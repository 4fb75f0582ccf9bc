"""Runs the tests of one folder, or of one module, with its classes beside each other.

    suite.py NAME

Most tests wait for the server, so threads are enough.
"""

import collections
import concurrent.futures
import io
import os
import pathlib
import sys
import time
import unittest

THREADS = 12


def classes(suite):
    """The tests, gathered by their class."""
    found = collections.defaultdict(unittest.TestSuite)
    waiting = [suite]
    while waiting:
        for test in waiting.pop():
            if isinstance(test, unittest.TestSuite):
                waiting.append(test)
            else:
                found[type(test)].addTest(test)
    return list(found.values())


def run(tests):
    told = io.StringIO()
    result = unittest.TextTestRunner(stream=told, verbosity=0).run(tests)
    return result, told.getvalue()


def load(name):
    loader = unittest.defaultTestLoader
    folder = pathlib.Path(__file__).parent
    if (folder / name).is_dir():
        return loader.discover(folder / name, top_level_dir=folder)
    return loader.loadTestsFromName(name)


def main():
    begun = time.monotonic()
    groups = classes(load(sys.argv[1]))
    # The longest classes say so and begin first.
    groups.sort(key=lambda group: getattr(type(next(iter(group))), "seconds", 0), reverse=True)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(run, groups))
    ran = sum(result.testsRun for result, _ in results)
    failed = [told for result, told in results if not result.wasSuccessful()]
    for told in failed:
        print(told)
    print(f"Ran {ran} tests in {time.monotonic() - begun:.1f} s")
    # Threads that still poll would keep the program from ending.
    sys.stdout.flush()
    os._exit(0 if ran and not failed else 1)


if __name__ == "__main__":
    main()
