#!/usr/bin/env python3
"""Of the sources on stdin, prints those that the build in BUILD_DIR compiles: clang-tidy knows no flags for others.

usage: lint_units.py BUILD_DIR < paths
"""
import json
import os
import sys

with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as commands:
    known = {os.path.relpath(entry["file"]) for entry in json.load(commands)}
for path in sys.stdin.read().splitlines():
    if path in known:
        print(path)
