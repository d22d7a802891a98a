#!/usr/bin/env python3
"""Prints what clang-tidy is to look at: each unit that the build in BUILD_DIR compiles, the largest first so that both cores
end together; or, of the PATHs, those that it compiles, since clang-tidy knows no flags for others.

usage: lint_units.py BUILD_DIR [PATH...]
"""
import json
import os
import re
import sys


def lines_of(unit):
    """How many lines a unit has, with the sources that a unit made of several includes."""
    with open(unit, encoding="utf-8") as file:
        text = file.read()
    return text.count("\n") + sum(lines_of(name) for name in re.findall(r'#include "(/[^"]+\.cpp)"', text))


with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as commands:
    known = {os.path.relpath(entry["file"]) for entry in json.load(commands)}
if len(sys.argv) > 2:
    units = [path for path in sys.argv[2:] if path in known]
else:
    units = sorted((path for path in known if "/alos_pch.dir/" not in path), key=lines_of, reverse=True)
if units:
    print("\n".join(units))
