#!/usr/bin/env python3
"""Proves that rules.py catches each violation, and leaves good sources alone: one row, one small tree."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import rules  # noqa: E402

TABLE = 'set(E\n  "base:"\n  "ports: base"\n  "store: base"\n  "core: base"\n  "kernel: core base ports"\n' \
        '  "surface: kernel.h base"\n)\n'
HEAD = "// What it is.\n#pragma once\n"
LONG = "void f(int x) {\n" + "  ++x;\n" * 70 + "}\n"
FITS = "void f(int x) {\n" + "  ++x;\n" * 68 + "}\n"
MEMBER_INIT = "S::S(int a) : a_{a}, b_{a} {\n" + "  ++a_;\n" * 70 + "}\n"
IN_CLASS = "namespace a {\nclass S {\n public:\n  int f() const {\n" + "    g({1, 2});\n" * 70 + "  }\n};\n}\n"
TABLE_OF_ROWS = "namespace a {\nconst Row kRows[] = {\n" + "    {1, f(2)},\n" * 90 + "};\n}\n"

# rule (None: nothing must be found), path, text
ROWS = [
    (None, "src/core/a.cpp", '#include <vector>\n\n#include "core/a.h"\n#include "base/b.h"\n'),
    ("include-up", "src/core/a.cpp", '#include "../store/s.h"\n'),
    ("include-name", "src/core/a.cpp", '#include "a.h"\n'),
    ("include-source", "src/core/a.cpp", '#include "core/b.cpp"\n'),
    ("include-edge", "src/core/a.cpp", '#include "store/s.h"\n'),
    (None, "src/core/a_test.cpp", '#include "store/s.h"\n'),
    ("include-kernel", "src/surface/a.cpp", '#include "kernel/journal.h"\n'),
    (None, "src/surface/a.cpp", '#include "kernel/kernel.h"\n'),
    ("include-third-party", "src/core/a.h", HEAD + "#include <boost/json.hpp>\n"),
    ("include-third-party", "src/store/a.h", HEAD + "#include <sqlite3.h>\n"),
    (None, "src/store/sqlite/a.h", HEAD + "#include <sqlite3.h>\n"),
    (None, "src/base/a.h", HEAD + "#include <cstdint>\n#include <fmt/format.h>\n"),
    ("kernel-namespace", "src/store/a.cpp", "namespace alos::kernel {\nclass Journal { int x; };\n}\n"),
    ("kernel-namespace", "src/store/a.cpp", "namespace alos { namespace kernel {\nclass Journal;\n} }\n"),
    ("kernel-namespace", "tests/sim/a.cpp", "namespace alos::kernel {\nclass Authority { };\n}\n"),
    ("kernel-namespace", "src/ports/a.h", HEAD + "namespace alos::kernel {\nclass Journal { };\n}\n"),
    (None, "src/ports/a.h", HEAD + "namespace alos::kernel {\nclass Journal;\nclass Authority;\n}\n"),
    (None, "src/kernel/journal.h", HEAD + "namespace alos::kernel {\nclass Journal { int x; };\n}\n"),
    ("kernel-forged", "src/kernel/a_test.cpp", "namespace alos::kernel {\nclass Journal { int x; };\n}\n"),
    (None, "src/kernel/a_test.cpp", "namespace alos::kernel {\nTEST(A, B) {}\n}\n"),
    (None, "src/store/a.cpp", "// namespace alos::kernel {\nconst char* x = \"namespace alos::kernel {\";\n"),
    ("file-size", "src/core/a.cpp", "int x;\n" * 601),
    (None, "src/core/a.cpp", "int x;\n" * 600),
    ("function-size", "src/core/a.cpp", LONG),
    (None, "src/core/a.cpp", FITS + "\n" + FITS),
    ("function-size", "src/core/a.cpp", MEMBER_INIT),
    (None, "src/core/a_test.cpp", "TEST(A, B) {\n  const Row rows[] = {\n" + "      {1, \"}\"},\n" * 90 + "  };\n}\n"),
    ("function-size", "src/core/a.cpp", IN_CLASS),
    (None, "src/core/a.cpp", TABLE_OF_ROWS),
    ("function-size", "src/core/a.cpp", "char c = '{';\nint n = 1'000;\n" + LONG),
    ("name-type", "src/core/a.cpp", "class ToolManager {\n};\n"),
    ("name-type", "src/core/a.cpp", "struct CallContext final : Base {\n};\n"),
    (None, "src/core/a.cpp", "class Scheduler {\n};\n// class FooManager {};\nContextual x;\n"),
    ("name-file", "src/core/string_utils.cpp", "int x;\n"),
    ("name-file", "src/core/common/a.cpp", "int x;\n"),
    ("header-guard", "src/core/a.h", "// What.\nint x();\n"),
    ("header-comment", "src/core/a.h", "#pragma once\nint x();\n"),
    ("header-using", "src/core/a.h", HEAD + "using namespace std;\n"),
    ("try-in-braces", "src/core/a.cpp", "Result<R> f() {\n  return R{a, TRY(g())};\n}\n"),
    ("try-in-braces", "src/core/a.cpp", "Result<R> f() {\n  return R{{1, 2}, b,\n           {h(TRY(g()))}};\n}\n"),
    ("try-in-braces", "src/core/a.cpp", "Result<int> f() {\n  r = {.a = a, .b = TRY(g())};\n}\n"),
    (None, "src/core/a.cpp", "Result<R> f() {\n  return R{TRY(g()), a, h(a, b)};\n}\n"),
    (None, "src/core/a.cpp", "Result<R> f(int a, int b) {\n  h(a, TRY(g()));\n  return h([a, b] {\n    TRY(g());\n  });\n}\n"),
    (None, "src/core/a.cpp", "Result<R> f(A a, B b) const {\n  TRY(g());\n}\nauto l = [](A a, B b) -> Result<R> { TRY(g()); };\n"),
    ("todo", "src/core/a.cpp", "// TODO: later\n"),
    (None, "src/core/a.cpp", "// TODO(perf): later\n"),
    (None, "src/core/a.cpp", "const char* x = \"TODO.md\";\n"),
    ("doc-link", "docs/a.md", "See [b](b.md).\n"),
    ("doc-link", "docs/a.md", "# One\n\nSee [b](#two).\n"),
    (None, "docs/a.md", "# One Two\n\nSee [b](#one-two), [c](https://x.org) and `[d](e)`.\n"),
    ("doc-command", "docs/a.md", "Run scripts/nothing.\n"),
    ("git-generated", "build/x.o", "x\n"),
    ("git-binary", "src/core/a.dat", "a\0b\n"),
    ("git-large", "docs/a.txt", "x" * 400_001),
    ("room-readme", "src/store/README.md", "one\n"),
]


def found_in(path, text):
    with tempfile.TemporaryDirectory() as root:
        files = {"cmake/rooms.cmake": TABLE, path: text}
        for room in ("core", "store", "kernel", "base", "ports", "surface"):
            files.setdefault(f"src/{room}/README.md", "# Room\n\nIts job.\n\nMore.\n")
        for name, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(content)
        for command in (["init", "-q"], ["add", "-f", "."]):
            subprocess.run(["git", "-C", root, *command], check=True)
        return rules.check_tree(root)[0]


def main():
    failures = 0
    for rule, path, text in ROWS:
        problems = found_in(path, text)
        if (any(f"[{rule}]" in p for p in problems) and all(f"[{rule}]" in p for p in problems)) if rule else not problems:
            continue
        failures += 1
        print(f"FAILED: {path}: wanted {rule or 'nothing'}, found {problems}")
    with tempfile.TemporaryDirectory() as root:
        problems = rules.check_tree(root)
        if problems != ([], 0):
            failures += 1
            print(f"FAILED: an empty tree: {problems}")
    print(f"{len(ROWS) + 1 - failures} of {len(ROWS) + 1} rows as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
