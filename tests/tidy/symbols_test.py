#!/usr/bin/env python3
"""Proves that symbols.py catches what it forbids: compiles one violation of each kind and checks its archive.

usage: symbols_test.py COMPILER
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import symbols  # noqa: E402

# group: a body that must be caught as that group; None: a body that must pass.
ROWS = [
    ("files", "#include <fcntl.h>\nint f() { return open(\"x\", 0); }"),
    ("files", "#include <fstream>\nint f() { std::ifstream s(\"x\"); return s.get(); }"),
    ("files", "#include <filesystem>\nbool f() { return std::filesystem::exists(\"x\"); }"),
    ("network", "#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }"),
    ("processes", "#include <unistd.h>\nint f() { return fork(); }"),
    ("environment", "#include <cstdlib>\nconst char* f() { return std::getenv(\"HOME\"); }"),
    ("clock", "#include <ctime>\nlong f() { return std::time(nullptr); }"),
    ("clock", "#include <time.h>\nint f() { timespec t; return clock_gettime(CLOCK_REALTIME, &t); }"),
    ("clock", "#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }"),
    ("clock", "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }"),
    ("threads", "#include <thread>\nvoid f() { std::thread([] {}).join(); }"),
    ("threads", "#include <mutex>\nstd::mutex m;\nvoid f() { std::scoped_lock lock(m); }"),
    ("threads", "#include <condition_variable>\nstd::condition_variable c;\nvoid f() { c.notify_all(); }"),
    ("randomness", "#include <random>\nunsigned f() { return std::random_device{}(); }"),
    ("randomness", "#include <cstdlib>\nint f() { return std::rand(); }"),
    ("console", "#include <cstdio>\nvoid f() { std::puts(\"x\"); }"),
    ("console", "#include <iostream>\nvoid f() { std::cout << 1; }"),
    ("stderr", "#include <cstdio>\nvoid f() { std::fputs(\"x\", stderr); }"),
    (None, "#include <string>\n#include <map>\n#include <memory>\nstd::map<std::string, std::shared_ptr<int>> m;\n"
           "void f() { m[\"opened\"] = std::make_shared<int>(1); }"),
    (None, "#include <filesystem>\nbool f(const std::filesystem::path& p) { return p.lexically_normal() == p; }"),
    (None, "#include <random>\nunsigned f(unsigned seed) { return std::mt19937(seed)(); }"),
]


def archive_of(compiler, folder, body):
    source, obj, archive = (os.path.join(folder, name) for name in ("x.cpp", "x.o", "libx.a"))
    with open(source, "w", encoding="utf-8") as file:
        file.write(body + "\n")
    subprocess.run([compiler, "-std=c++20", "-O1", "-c", source, "-o", obj], check=True)
    if os.path.exists(archive):
        os.remove(archive)
    subprocess.run(["ar", "rcs", archive, obj], check=True)
    return archive


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for group, body in ROWS:
            problems = symbols.check(archive_of(sys.argv[1], folder, body), [])
            if (any(f"[{group}]" in p for p in problems) if group else not problems):
                continue
            failures += 1
            print(f"FAILED: wanted {group or 'nothing'}, found {problems} in:\n{body}")
        empty = os.path.join(folder, "libempty.a")
        subprocess.run(["ar", "rcs", empty], check=True)
        for archive in (empty, os.path.join(folder, "missing.a")):
            if not symbols.check(archive, []):
                failures += 1
                print(f"FAILED: {archive} passed, though there was nothing to check")
    print(f"{len(ROWS) + 2 - failures} of {len(ROWS) + 2} rows as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
