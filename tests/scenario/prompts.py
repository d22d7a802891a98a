#!/usr/bin/env python3
"""Ten typical coding tasks under `--policy coding`: how often is a person asked? Prints a table; each at most once.

usage: prompts.py ALOS
"""

import json
import os
import subprocess
import sys
import tempfile

PROJECT = {
    "src/main.py": "from tally import tally\n\n\ndef main():\n    print(tally([1, 2]))\n",
    "src/tally.py": "def tally(items):\n    # TODO: skip None\n    return sum(items)\n",
    "src/dead.py": "def unused():\n    pass\n",
    "tests/test_tally.py": "from tally import tally\n\n\ndef test_tally():\n    assert tally([1]) == 1\n",
    "docs/guide.md": "# Guide\n",
    "README.md": "# Tally\n",
    "package.json": '{"version": "1.0.0"}\n',
    "CHANGELOG.md": "# Changes\n",
    "Makefile": "test:\n\tpytest\n",
    "config/app.yaml": "level: info\n",
    ".env": "TOKEN=secret\n",
}


def read(path):
    return {"name": "read_file", "arguments": {"path": path}}


def write(path, content="new\n"):
    return {"name": "write_file", "arguments": {"path": path, "content": content}}


def edit(path, old, new):
    return {"name": "edit_file", "arguments": {"path": path, "old": old, "new": new}}


LOOK = [
    {"name": "list_directory", "arguments": {"path": "/workspace"}},
    {"name": "find_files", "arguments": {"pattern": "/workspace/**"}},
    {"name": "search_files", "arguments": {"pattern": "tally", "path": "/workspace"}},
    read("src/main.py"), read("src/tally.py"), read("tests/test_tally.py"), read("README.md"),
]

# Each: what is done, in order, after a good look around.
TASKS = {
    "fix a bug, add its test": [edit("src/tally.py", "sum(items)", "sum(i for i in items if i)"),
                                edit("tests/test_tally.py", "== 1", "== 1\n    assert tally([None]) == 0")],
    "rename across files": [edit("src/tally.py", "def tally", "def total"), edit("src/main.py", "print(tally", "print(total"),
                            edit("src/main.py", "import tally", "import total"), edit("tests/test_tally.py", "assert tally", "assert total")],
    "add a module, wire the build": [write("src/report.py"), write("tests/test_report.py"), edit("Makefile", "pytest", "pytest -q")],
    "document a feature": [edit("docs/guide.md", "# Guide", "# Guide\n\nMore."), edit("README.md", "# Tally", "# Tally\n\nAdds.")],
    "split a file, move a part": [{"name": "make_directory", "arguments": {"path": "src/core"}},
                                  {"name": "move_file", "arguments": {"from": "src/tally.py", "to": "src/core/tally.py"}},
                                  edit("src/main.py", "from tally", "from core.tally")],
    "cut a release": [edit("src/main.py", "[1, 2]", "[1, 2, 3]"), edit("package.json", "1.0.0", "1.1.0")],
    "delete dead code": [{"name": "delete_file", "arguments": {"path": "src/dead.py"}}, edit("docs/guide.md", "# Guide", "# The guide")],
    "find out, change nothing": [read("config/app.yaml"), read("Makefile"), read("package.json")],
    "change a setting": [read("config/app.yaml"), edit("config/app.yaml", "info", "debug"), edit("config/app.yaml", "debug", "trace")],
    "note it in the changelog": [edit("src/tally.py", "# TODO: skip None\n    ", ""), edit("CHANGELOG.md", "# Changes", "# Changes\n\n- less")],
}


def run(alos, steps):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in PROJECT.items():
            os.makedirs(os.path.dirname(os.path.join(folder, "ws", path)), exist_ok=True)
            with open(os.path.join(folder, "ws", path), "w", encoding="utf-8") as file:
                file.write(text)
        replies = [{"tool_calls": LOOK}, *({"tool_calls": [step]} for step in steps), {"text": "done"}]
        with open(os.path.join(folder, "script.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(reply) + "\n" for reply in replies)
        command = [alos, "run", "Do it.", "--root", "workspace=ws", "--policy", "coding", "--model", "script:script.jsonl",
                   "--approve", "rules.yaml", "--store", "store", "--json"]
        with open(os.path.join(folder, "rules.yaml"), "w", encoding="utf-8") as file:
            file.write("- approve: write fs:/workspace/**\n  scope: process\n")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        returned = [one["body"] for one in records if one.get("kind") == "tool.returned"]
        failed = [one for one in returned if not one["ok"]]
        if done.returncode != 0 or failed or len(returned) != len(LOOK) + len(steps):
            sys.exit(f"it did not go through: {failed} {done.stderr}")
        return sum(one.get("kind") == "request.opened" for one in records), len(returned)


def main():
    worst = 0
    print(f"{'task':32} {'tool calls':>10} {'prompts':>8}")
    for name, steps in TASKS.items():
        prompts, calls = run(os.path.abspath(sys.argv[1]), steps)
        worst = max(worst, prompts)
        print(f"{name:32} {calls:>10} {prompts:>8}")
    print(f"{len(TASKS)} tasks, at most {worst} prompts each")
    sys.exit(0 if worst <= 1 else "more than one prompt for a task")


main()
