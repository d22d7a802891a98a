#!/usr/bin/env python3
"""Holds a room to purity by what its archive needs from outside: no I/O, clock, thread or randomness.

usage: symbols.py [--allow GROUP]... ARCHIVE
A missing or empty archive is a failure: a check that looked at nothing has shown nothing.
"""
import argparse
import os
import re
import subprocess
import sys

# group: what it stands for, and the undefined symbols (demangled) that betray it.
FORBIDDEN = {
    "files": ("opens or touches files; go through a port", [
        r"(open|openat|openat2|creat|fopen|freopen|fdopen|opendir|readdir|stat|lstat|fstat|fstatat|statx)(64)?",
        r"(read|write|pread|pwrite|readv|writev|lseek|ftruncate|truncate|fsync|fdatasync|sync|mmap)(64)?",
        r"(close|dup|dup2|dup3|pipe|pipe2|unlink|unlinkat|remove|rename|renameat|renameat2|mkdir|mkdirat|rmdir)",
        r"(chdir|fchdir|getcwd|realpath|readlink|symlink|link|chmod|chown|ioctl|fcntl|poll|select|tmpfile|mkstemp)",
        r"(fread|fclose|fflush|fseek|ftell|getline|fgets|fgetc|syscall)",
        r"std::basic_(i|o)?fstream<.*|std::basic_filebuf<.*|.*VTT for std::basic_(i|o)?fstream.*",
        r"std::filesystem::(?!__cxx11::path::|path::).*(status|exists|file_size|remove|rename|copy|create_|current_path"
        r"|canonical|absolute|directory_iterator|temp_directory_path|last_write_time|permissions|space|equivalent).*",
    ]),
    "network": ("talks to a network; go through a port", [
        r"(socket|socketpair|connect|bind|listen|accept|accept4|send|sendto|sendmsg|recv|recvfrom|recvmsg|getaddrinfo)",
        r"(gethostbyname|setsockopt|epoll_\w+|io_uring_\w+|curl_\w+)",
    ]),
    "processes": ("starts or signals processes; go through a port", [
        r"(fork|vfork|clone|clone3|_Fork|posix_spawnp?|exec[vl]p?e?|execvpe|system|popen|waitpid|waitid|kill|raise)",
        r"(getpid|getppid|getuid|geteuid|signal|sigaction|prctl|exit|_exit|quick_exit|atexit)",
    ]),
    "environment": ("reads the environment; take the value as an argument", [
        r"(getenv|secure_getenv|setenv|putenv|unsetenv|environ|__environ|setlocale|gethostname|uname|sysconf)",
    ]),
    "clock": ("reads a clock or the time zone; take the time as an argument", [
        r"(clock_gettime|gettimeofday|time|clock|timespec_get|nanosleep|clock_nanosleep|usleep|sleep|ftime)",
        r"(localtime|localtime_r|mktime|tzset|timer_\w+|timerfd_\w+|setitimer|alarm)",
        r"std::chrono::.*_clock::now\(\)", r"std::this_thread::.*",
    ]),
    "threads": ("uses threads or locks; a pure room has neither", [
        r"pthread_(?!once\b)\w+", r"(thrd|mtx|cnd|sem)_\w+", r"std::thread::.*", r"std::jthread::.*",
        r"std::condition_variable.*", r"std::__condvar.*", r"std::mutex.*", r"std::future.*", r"std::__future_base.*",
        r"std::__atomic_wait.*", r"std::__detail::__(wait|platform)\w*",
    ]),
    "randomness": ("uses randomness; take the bytes as an argument", [
        r"(rand|srand|rand_r|random|srandom|drand48|lrand48|getrandom|getentropy|arc4random\w*|RAND_\w+|randombytes_\w+)",
        r"std::random_device.*",
    ]),
    "console": ("prints or reads the console; return the text", [
        r"(printf|vprintf|puts|putchar|putc|getchar|scanf|stdin|stdout|perror|syslog)", r"__printf_chk|__vprintf_chk",
        r"std::(w?cout|w?cin|w?clog)", r"fmt::v\d+::v?print.*", r"std::ios_base::Init::.*",
    ]),
    "stderr": ("prints to stderr; return an Error", [
        r"(stderr|fprintf|vfprintf|fputs|fputc|fwrite|__fprintf_chk|__vfprintf_chk|abort|std::w?cerr)",
        r"(backtrace|backtrace_symbols|backtrace_symbols_fd)",
    ]),
}


def undefined_symbols(archive):
    """How many symbols the archive has in all, and (object, symbol) for what its objects take from outside."""
    output = subprocess.run(["nm", "-C", archive], capture_output=True, text=True, check=True).stdout
    current, found, count = "?", [], 0
    for line in output.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            current = line[:-1]
        elif match := re.match(r"[0-9a-f ]*\s(\w)\s+(.*)", line):
            count += 1
            if match.group(1) in "Uvw":
                found.append((current, match.group(2)))
    return count, found


def check(archive, allowed):
    """The violations of one archive, as lines of text."""
    if not os.path.isfile(archive):
        return [f"{archive}: no such archive: build it first"]
    count, symbols = undefined_symbols(archive)
    if count == 0:
        return [f"{archive}: the archive is empty: nothing was checked"]
    rules = [(group, why, re.compile("(?:" + "|".join(patterns) + r")(?:@.*)?"))
             for group, (why, patterns) in FORBIDDEN.items() if group not in allowed]
    problems = []
    for where, symbol in sorted(set(symbols)):
        for group, why, pattern in rules:
            if pattern.fullmatch(symbol):
                problems.append(f"{os.path.basename(archive)}({where}): `{symbol}` [{group}]: {why}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--allow", action="append", default=[], choices=sorted(FORBIDDEN))
    parser.add_argument("archive")
    arguments = parser.parse_args()
    problems = check(arguments.archive, arguments.allow)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} forbidden symbols in {arguments.archive}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
