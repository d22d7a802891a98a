#!/usr/bin/env python3
"""Prints `PASSED FAILED SKIPPED` of a ctest run: the cases of a GoogleTest program, and one for any other test.

usage: count_tests.py BUILD_DIR      (reads ctest.xml and test-results/*.xml there)
"""
import os
import sys
import xml.etree.ElementTree as xml


def cases_of(path):
    """(passed, failed, skipped) of a GoogleTest report; None if there is none that can be read."""
    try:
        suites = xml.parse(path).getroot()
    except (OSError, xml.ParseError):
        return None
    total, failed = int(suites.get("tests", 0)), int(suites.get("failures", 0)) + int(suites.get("errors", 0))
    skipped = sum(1 for case in suites.iter("testcase") if case.get("result") == "skipped")
    disabled = int(suites.get("disabled", 0))
    return total - failed - skipped - disabled, failed, skipped + disabled


def main():
    build = sys.argv[1]
    totals = [0, 0, 0]
    for test in xml.parse(os.path.join(build, "ctest.xml")).getroot().iter("testcase"):
        ran_well = test.get("status") == "run"
        counts = cases_of(os.path.join(build, "test-results", test.get("name") + ".xml"))
        if test.get("status") in ("notrun", "disabled") and test.find("failure") is None:
            counts = (0, 0, 1) if test.find("skipped") is not None else (0, 1, 0)
        elif counts is None:
            counts = (1, 0, 0) if ran_well else (0, 1, 0)
        elif not ran_well and counts[1] == 0:  # it died after, or beside, its cases
            counts = (counts[0], 1, counts[2])
        totals = [a + b for a, b in zip(totals, counts)]
    print(*totals)


if __name__ == "__main__":
    main()
