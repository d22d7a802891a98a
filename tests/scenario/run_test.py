#!/usr/bin/env python3
"""The runner's own test: each expectation holds where it should, and fails where it should.

    run_test.py ALOS
"""
import os
import subprocess
import sys
import tempfile

SETUP = """# a small run
--- file ws/a.txt
hello
--- script
{"tool_calls":[{"name":"read_file","arguments":{"path":"a.txt"}},{"name":"write_file","arguments":{"path":"b","content":"x"}}]}
{"text":"done"}
--- grants
read fs:/workspace/**
"""
ROWS = [  # (a step with one expectation that holds, the same with one that does not)
    ("--- run\nexit 0", "--- run\nexit denied"),
    ("--- run\ntool read_file ok hello", "--- run\ntool read_file ok bye"),
    ("--- run\ntool write_file error denied", "--- run\ntool write_file ok"),
    ("--- run\ntool write_file error denied", "--- run\ntool write_file error invalid"),
    ("--- run\ntool read_file ok\ntool write_file error denied\ntools 0", "--- run\ntool read_file ok\ntools 0"),
    ("--- run\ntool read_file ok", "--- run\ntool read_file ok\ntool read_file ok"),
    ("--- run\ndecided denied write fs:/workspace/b", "--- run\ndecided asked write fs:/workspace/b"),
    ("--- run\nstate exited", "--- run\nstate failed"),
    ("--- run\nresult done", "--- run\nresult lost"),
    ("--- run\nrecords tool.called 2", "--- run\nrecords tool.called 1"),
    ("--- run\nrecord process.exited done", "--- run\nrecord process.exited lost"),
    ("--- run\nshape result pid,state,result", "--- run\nshape result pid,result,state"),
    ("--- run\nout \"done\"", "--- run\nout! \"done\""),
    ("--- run\nout~ do[nm]e", "--- run\nout!~ do[nm]e"),
    ("--- run\nerr would like", "--- run\nerr vanished"),
    ("--- world\nws/a.txt is \"hello\\n\"", "--- world\nws/a.txt is \"hello\""),
    ("--- world\nws/a.txt has \"ell\"", "--- world\nws/a.txt hasn't \"ell\""),
    ("--- world\nws/c absent", "--- world\nws/a.txt absent"),
    ("--- world\nws dir", "--- world\nws/a.txt dir"),
    ("--- sh\ntrue", "--- sh\nfalse"),
    ("--- python\npass", "--- python\nassert False"),
    ("--- secret not-there\n--- run", "--- secret hello\n--- run"),
    ("--- run\n--- python\npass", "--- run\n--- python\nimport sqlite3\nbase = sqlite3.connect('store/store.db')\nbase.execute('UPDATE jobs SET head = zeroblob(32)')\nbase.commit()"),
    ("--- damaged\n--- run", "--- run\nno_such_expectation"),
    ("--- run --paused", "--- no-such-program"),
]


def well(runner, alos, text, place, number):
    path = os.path.join(place, f"row{number}.scn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SETUP + text + "\n")
    done = subprocess.run([sys.executable, "-B", runner, "--alos", alos, path], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def main():
    runner, wrong = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py"), 0
    with tempfile.TemporaryDirectory() as place:
        for number, (good, bad) in enumerate(ROWS):
            for text, want in ((good, True), (bad, False)):
                got, said = well(runner, sys.argv[1], text, place, number)
                if got != want:
                    wrong += 1
                    print(f"{'fails' if want else 'passes'}, and should not: {text!r}\n{said[-1500:]}")
    print(f"{len(ROWS)} rows, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
