#!/usr/bin/env python3
"""Runs one case of tests/must_not_compile (README.md there).

usage: run.py --compiler CXX --source DIR --roots DIR (CASE.cpp | --self-test)
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HEAD = re.compile(r"// expect: (?P<expect>.+)\n(?:// as: (?P<room>\w+)\n)?")


def compile_case(arguments, includes, path, control):
    command = [arguments.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-fdiagnostics-color=never",
               "-fmessage-length=0", *(f"-I{directory}" for directory in includes)]
    command += ["-DALOS_CONTROL"] * control
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run([*command, path], capture_output=True, text=True, env=environment, check=False)
    return done.returncode == 0, done.stderr


def problem_of(arguments, path):
    """What is wrong with the case; None if it is as it should be."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head = HEAD.match(text)
    if not head:
        return "the first line must be `// expect: REGEX` (and the second may be `// as: ROOM`)"
    if "ALOS_CONTROL" not in text:
        return "no `#ifdef ALOS_CONTROL` half: without it the case may fail for a wrong reason"
    includes = [os.path.join(arguments.source, "src"), os.path.join(arguments.source, "include")]
    if head["room"]:
        includes = [os.path.join(arguments.roots, head["room"])]
        if not os.path.isdir(includes[0]):
            return f"`as: {head['room']}`: no such room"
    compiled, errors = compile_case(arguments, includes, path, control=True)
    if not compiled:
        return f"the control half does not compile:\n{errors}"
    compiled, errors = compile_case(arguments, includes, path, control=False)
    if compiled:
        return "the forbidden half compiles"
    if not re.search(head["expect"], errors):
        return f"it fails, but nothing it prints matches /{head['expect']}/:\n{errors}"
    return None


# name: text, and a part of the problem that must be found (None: none).
SELF_TEST = [
    ("good", "// expect: static assertion failed\n#ifndef ALOS_CONTROL\nstatic_assert(false);\n#endif\n", None),
    ("compiles", "// expect: x\n#ifdef ALOS_CONTROL\n#endif\nint x;\n", "forbidden half compiles"),
    ("other reason", "// expect: private\n#ifndef ALOS_CONTROL\nint x = y;\n#endif\n", "nothing it prints matches"),
    ("broken control", "// expect: y\n#ifdef ALOS_CONTROL\n#endif\nint x = y;\n", "control half"),
    ("no control", "// expect: y\nint x = y;\n", "ALOS_CONTROL"),
    ("no head", "#ifdef ALOS_CONTROL\n#endif\n", "first line"),
    ("no room", "// expect: y\n// as: attic\n#ifdef ALOS_CONTROL\n#endif\n", "no such room"),
    ("not its room", "// expect: base/hidden.h: No such file\n// as: base\n#ifndef ALOS_CONTROL\n"
                     "#include \"base/hidden.h\"\n#endif\n", None),
]


def self_test(arguments):
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.cpp")
        for name, text, wanted in SELF_TEST:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            problem = problem_of(arguments, path)
            if (problem is None) if wanted is None else (problem is not None and wanted in problem):
                continue
            failures += 1
            print(f"FAILED: {name}: wanted {wanted}, got {problem}")
    print(f"{len(SELF_TEST) - failures} of {len(SELF_TEST)} rows as expected")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--roots", required=True)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("case", nargs="?")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test(arguments)
    problem = problem_of(arguments, arguments.case)
    if problem:
        print(f"{arguments.case}:1: {problem}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
