#!/usr/bin/env python3
"""The source rules of the project, as a test. Each violation prints file:line, the rule, and what to do.

usage: rules.py [ROOT]
"""
import os
import re
import subprocess
import sys

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
FILE_BYTES_MAX = 400_000
README_LINES = (3, 30)

# What may stand in a public header (src/<room>/*.h) beside the standard library; further rules have no exceptions.
PUBLIC_HEADER_ALLOWED = {"base": (r"fmt/(core|format)\.h",)}
PUBLIC_ROOMS = ("base", "abi", "ports", "store", "core", "kernel", "providers", "tools", "agent")

# Suffixes of type names that say nothing, and what to write instead.
BANNED_SUFFIXES = {
    "Manager": "name what it owns or does: Scheduler, Registry, Pool, Table",
    "Helper": "make it a plain function, or a method of the type it helps",
    "Helpers": "make them plain functions named for what they do",
    "Util": "name the noun it works on",
    "Utils": "name the noun they work on",
    "Handler": "name the event and the act: on_exit(), Completion, Route",
    "Context": "pass the few things it holds as arguments, or name what it stands for: Call, Turn, Scope",
}
BANNED_STEMS = {
    "common": "name the noun it holds", "util": "name the noun it works on", "utils": "name the nouns they work on",
    "helper": "name what it does", "helpers": "name what they do", "misc": "split it by noun",
    "manager": "name what it owns", "handler": "name the event", "context": "name what it stands for",
}
SYSTEM_HEADER = re.compile(r"[a-z_0-9]+")
BINARY_ALLOWED = (".png", ".ico", ".woff2", ".gif", ".webp", ".zst", ".bin")
GENERATED = re.compile(r"(^|/)(build|node_modules|__pycache__|\.cache|CMakeFiles)/|\.(o|a|so|pyc|gch|pch|db|db-wal)$"
                       r"|(^|/)(CMakeCache\.txt|compile_commands\.json|core)$")


class Report:
    def __init__(self, root):
        self.root = root
        self.problems = []

    def add(self, path, line, rule, fix):
        self.problems.append(f"{path}:{line}: [{rule}] {fix}")


def tracked_files(root):
    """Paths below root that git has or would take; every file, where there is no git."""
    command = ["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-co", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        done = None
    if done and done.returncode == 0:
        return sorted(p for p in set(done.stdout.splitlines()) if os.path.isfile(os.path.join(root, p)))
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ("build", ".git", "node_modules", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return sorted(found)


def git_index(root):
    command = ["git", "-c", f"safe.directory={root}", "-C", root, "ls-files"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank(text):
    """The text with comments and the insides of literals blanked out; lines stay where they are."""
    def empty(match):
        piece = match.group(0)
        lines = "\n" * piece.count("\n")
        return lines if piece.startswith("/") else '""' + lines
    return TOKEN.sub(empty, text)


def functions(code):
    """(first line, last line, head) of each function body in blanked code; lambdas count with their function."""
    scope = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?(?:typedef\s+)?"
                       r"(?:namespace|class|struct|union|enum|extern\s*\"\"|concept)\b", re.DOTALL)
    stack, head, head_line, line = [], "", 1, 1
    parens, found, inside = 0, [], None
    for index, char in enumerate(code):
        if char == "\n":
            line += 1
        if inside is not None:  # only braces matter until the function ends
            if char == "{":
                inside[0] += 1
            elif char == "}":
                inside[0] -= 1
                if inside[0] == 0:
                    rest = code[index + 1:index + 200].lstrip()
                    start, text, inside = inside[1], inside[2], None
                    if rest[:1] in (",", "{", ")"):  # the end of a member initialiser, not of a body
                        head, head_line = text, start
                    else:
                        found.append((start, line, text))
                        head = ""
            continue
        if char in "(":
            parens += 1
        elif char == ")":
            parens = max(0, parens - 1)
        if char == "{" and parens > 0:
            stack.append(("init", head))
            head += char
            continue
        if char == "}" and stack and stack[-1][0] == "init" and parens > 0:
            stack.pop()
            continue
        if char == "{":
            if scope.match(head) and not re.search(r"\)\s*(const|noexcept|override|final)*\s*$", head):
                stack.append(("scope", head))
            elif "(" in head and not re.search(r"=\s*$", head):
                inside = [1, head_line, head.strip()]
                continue
            else:
                stack.append(("init", head))
            head = ""
        elif char == "}":
            if stack:
                stack.pop()
            head = ""
        elif char == ";" and parens == 0:
            head = ""
        else:
            if not head.strip() and not char.isspace():
                head_line = line
            head = (head + char) if head.strip() or not char.isspace() else ""
    return found


def room_of(path):
    match = re.match(r"src/(\w+)/", path)
    return match.group(1) if match else None


def is_test(path):
    return path.startswith("tests/") or re.search(r"_(test|fuzz|bench)\.cpp$", path) is not None


def edges_of(root):
    """The table of cmake/rooms.cmake."""
    path = os.path.join(root, "cmake/rooms.cmake")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        rows = re.findall(r'^\s*"(\w+):\s*([^"]*)"', file.read(), re.MULTILINE)
    return {room: used.split() for room, used in rows}


def check_includes(report, path, text, edges):
    room = room_of(path) or ("main" if path == "src/main.cpp" else None)
    public = room in PUBLIC_ROOMS and re.fullmatch(r"src/\w+/\w+\.h", path)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        kind, name = match.groups()
        if ".." in name.split("/"):
            report.add(path, number, "include-up", f'write "<room>/{name.split("/")[-1]}" instead of a way through `..`')
        elif name.endswith(".cpp"):
            report.add(path, number, "include-source", "include a header; a source file is compiled once, by its room")
        elif kind == '"' and room and not is_test(path):
            used = name.split("/")[0]
            if "/" not in name:
                report.add(path, number, "include-name", f'write "{room}/{name}": every include names its room')
            elif used in edges and used != room and used not in edges.get(room, []):
                if used == "kernel" and "kernel.h" in edges.get(room, []):
                    if name != "kernel/kernel.h":
                        report.add(path, number, "include-kernel", 'use "kernel/kernel.h", the one public header')
                else:
                    report.add(path, number, "include-edge",
                               f"{room} may not use {used} (cmake/rooms.cmake): move the code or go through a port")
        elif kind == "<" and public and not SYSTEM_HEADER.fullmatch(name):
            if not any(re.fullmatch(rule, name) for rule in PUBLIC_HEADER_ALLOWED.get(room, ())):
                report.add(path, number, "include-third-party",
                           f"<{name}> in a public header: include it in the .cpp, or in a header of a sub-folder")


def namespace_bodies(code, name):
    """(line, body) of each `namespace <name> { ... }` in blanked code."""
    pattern = r"namespace\s+" + r"\s*::\s*".join(name.split("::")) + r"(?:::\w+)*\s*\{"
    nested = r"namespace\s+" + name.split("::")[-1] + r"(?:::\w+)*\s*\{"
    for match in list(re.finditer(pattern, code)) + list(re.finditer(nested, code)):
        depth, index = 1, match.end()
        while index < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[index], 0)
            index += 1
        yield code.count("\n", 0, match.start()) + 1, code[match.end():index - 1]


def check_kernel(report, path, code):
    """Only the kernel makes tokens: nobody else may declare its classes, which are friends of the tokens."""
    if path.startswith("tests/must_not_compile/"):
        return
    for line, body in namespace_bodies(code, "alos::kernel"):
        forward = re.fullmatch(r"(\s*(class|struct)\s+\w+\s*;)*\s*", body) is not None
        if room_of(path) == "ports" and forward and not is_test(path):
            continue
        if room_of(path) != "kernel":
            report.add(path, line, "kernel-namespace",
                       "only src/kernel opens namespace alos::kernel (ports may forward-declare in it): "
                       "use the kernel through kernel/kernel.h")
        elif is_test(path):
            for made in re.finditer(r"\b(?:class|struct)\s+(Journal|Authority)\b[^;{]*\{", body):
                report.add(path, line + body.count("\n", 0, made.start()), "kernel-forged",
                           f"a test defines {made.group(1)} anew and so could forge tokens: use the real one")


def check_names(report, path, code):
    for part in re.split(r"[/.]", path.lower()):
        for word in ([part] if part in BANNED_STEMS else [part.rsplit("_", 1)[-1]] if "_" in part else []):
            if word in BANNED_STEMS:
                report.add(path, 1, "name-file", f"`{part}` says nothing: {BANNED_STEMS[word]}")
    pattern = r"\b(?:class|struct|enum\s+class|using|concept)\s+(?:\[\[\w+\]\]\s*)?(\w*?(" + \
        "|".join(sorted(BANNED_SUFFIXES, key=len, reverse=True)) + r"))\b(?=\s*(?:final\s*)?[:{;=])"
    for match in re.finditer(pattern, code):
        line = code.count("\n", 0, match.start()) + 1
        report.add(path, line, "name-type", f"`{match.group(1)}`: {BANNED_SUFFIXES[match.group(2)]}")


def check_size(report, path, text, code):
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > FILE_LINES_MAX:
        report.add(path, FILE_LINES_MAX + 1, "file-size", f"{lines} lines, at most {FILE_LINES_MAX}: split it by noun")
    code_lines = code.splitlines()
    for first, last, head in functions(code):
        # A row of a table, `{...},` on a line of its own, is data: it does not count.
        size = sum(1 for line in code_lines[first - 1:last] if not re.fullmatch(r"\s*\{.*\},?\s*", line))
        if size > FUNCTION_LINES_MAX:
            name = re.findall(r"([~\w:]+)\s*\(", head)
            report.add(path, first, "function-size", f"`{name[0] if name else head[:40]}` has {size} lines, "
                       f"at most {FUNCTION_LINES_MAX}: give its steps names")


BODY_HEAD = re.compile(r"(\)|\b(else|do|try|const|noexcept|override|final|mutable)|->[^;{}()]*|^|[;{}])$")


def check_try(report, path, code):
    """GCC 12 (seen in 12.2) does not destroy the elements of a braced initialiser when a TRY after them returns."""
    for match in re.finditer(r"\bTRY\(", code):
        depth, comma, index = 0, False, match.start() - 1
        while index >= 0:
            char = code[index]
            if char in ")]}":
                depth += 1
            elif char in "([{" and depth > 0:
                depth -= 1
            elif depth == 0 and char == ";":
                break
            elif depth == 0 and char == ",":
                comma = True
            elif char == "{":
                if BODY_HEAD.search(code[:index].rstrip()[-200:]):
                    break
                if comma:
                    report.add(path, code.count("\n", 0, match.start()) + 1, "try-in-braces",
                               "what stands before this TRY in the braces leaks when it returns: give its value a name first")
                    break
            elif char in "([":
                comma = False  # arguments before it are destroyed as they should be
            index -= 1


def check_header(report, path, text):
    if not re.search(r"^\s*#pragma once\b", text, re.MULTILINE):
        report.add(path, 1, "header-guard", "add `#pragma once`")
    if not text.lstrip().startswith("//"):
        report.add(path, 1, "header-comment", "begin with 3 to 10 lines of comment: what it is and why")
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*using\s+namespace\b", line):
            report.add(path, number, "header-using", "no `using namespace` in a header: name what you need")


def check_source(report, root, path, edges):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    code = blank(text)
    check_includes(report, path, text, edges)
    check_kernel(report, path, code)
    check_names(report, path, code)
    check_size(report, path, text, code)
    check_try(report, path, code)
    if path.endswith(".h"):
        check_header(report, path, text)
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"//+\s*TODO\b(?!\()", line):
            report.add(path, number, "todo", "write TODO(kind): what is missing; kind is a word such as perf, safety, api")


def check_rooms(report, root, edges, paths):
    for room in edges:
        folder = f"src/{room}"
        if room == "main" or not os.path.isdir(os.path.join(root, folder)):
            continue
        readme = f"{folder}/README.md"
        if readme not in paths:
            report.add(readme, 1, "room-readme", f"room {room} has no README.md: say its one job in ten lines")
            continue
        with open(os.path.join(root, readme), encoding="utf-8") as file:
            lines = len(file.read().splitlines())
        if not README_LINES[0] <= lines <= README_LINES[1]:
            report.add(readme, 1, "room-readme", f"{lines} lines: a room's README has about ten "
                       f"({README_LINES[0]} to {README_LINES[1]}); the rest belongs in headers or docs/")


def anchors_of(text):
    found = set()
    for title in re.findall(r"^#+\s+(.*)$", text, re.MULTILINE):
        title = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower())
        found.add(title.strip().replace(" ", "-"))
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def check_document(report, root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    plain = re.sub(r"^```.*?^```", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    plain = re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group(0)), plain)
    for match in re.finditer(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", plain):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        line = plain.count("\n", 0, match.start()) + 1
        name, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(root, os.path.dirname(path), name)) if name else os.path.join(root, path)
        if not os.path.exists(full):
            report.add(path, line, "doc-link", f"`{target}` leads nowhere: correct or remove the link")
        elif anchor and full.endswith(".md"):
            with open(full, encoding="utf-8") as file:
                if anchor not in anchors_of(file.read()):
                    report.add(path, line, "doc-link", f"`{target}`: the page has no such heading")
    for match in re.finditer(r"(?<![\w/.-])(?:\./)?(scripts/[\w-]+)", text):
        if not os.path.exists(os.path.join(root, match.group(1))):
            line = text.count("\n", 0, match.start()) + 1
            report.add(path, line, "doc-command", f"`{match.group(1)}` is not there: the page is stale")


def check_git(report, root):
    for path in git_index(root):
        full = os.path.join(root, path)
        if GENERATED.search(path):
            report.add(path, 1, "git-generated", "a generated file: git rm --cached it and add it to .gitignore")
        elif os.path.isfile(full) and not os.path.islink(full):
            with open(full, "rb") as file:
                binary = b"\0" in file.read(8000)
            if binary and not path.endswith(BINARY_ALLOWED):
                report.add(path, 1, "git-binary", "a binary file: build it, or keep its source instead")
            if os.path.getsize(full) > FILE_BYTES_MAX:
                report.add(path, 1, "git-large", f"more than {FILE_BYTES_MAX} bytes: keep it out of the repository")


def check_tree(root):
    """All problems of a tree, as lines of text, and how many source files were looked at."""
    report, edges, paths = Report(root), edges_of(root), tracked_files(root)
    sources = [p for p in paths if p.endswith((".cpp", ".h")) and re.match(r"(src|include|tests|examples)/", p)]
    for path in sources:
        check_source(report, root, path, edges)
    for path in paths:
        if path.endswith(".md"):
            check_document(report, root, path)
    check_rooms(report, root, edges, paths)
    check_git(report, root)
    return report.problems, len(sources)


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    problems, sources = check_tree(root)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems in {sources} source files")
    if sources == 0:
        print("no source file was found: nothing was checked")
    return 1 if problems or sources == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
