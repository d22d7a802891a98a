#!/usr/bin/env python3
"""The kill -9 loop: the real alos is killed at random instants, resumed, killed again, and at last left to end.

    kill9.py --alos PROGRAM [--rounds 200] [--seed N] [--dir DIR] [--keep]

After each round: the files are what one run without a kill leaves, and show no effect done twice; in the journal each
effect was intended and settled once; every record that a client has seen is in the journal byte for byte; the hash
chain, recomputed here, holds; `audit verify` and `store check` find nothing; no call dangles. A round that fails prints
its seed: --seed SEED --rounds 1 does the same again, as far as the machine's timing allows.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROCESSES_MAX = 2
PATIENCE_S = 120
STEPS = ["one", "two", "three", "four"]
MANIFEST = """alos: 1
goal: Work, and survive.
model: script:script.jsonl
roots: {workspace: ws}
grants:
  - read,list,write fs:/workspace/**
  - write fs:/workspace/asked.txt ask
  - write fs:/workspace/limited/** uses=2
"""


class Wrong(Exception):
    """What must hold does not."""


def call(tool, **arguments):
    return {"name": tool, "arguments": arguments}


def script():
    """Ten turns. Edits before a marker, moves along a chain and appends would each show that they were done twice."""
    turns = [[call("write_file", path="diary.txt", content="start\n<end>\n"), call("write_file", path="m0", content="moved\n"),
              call("put_object", name="steps", type="log", value=[]), call("make_directory", path="limited")]]
    for number, step in enumerate(STEPS):
        turns.append([call("edit_file", path="diary.txt", old="<end>", new=f"{step}\n<end>"), call("append_object", name="steps", item=step),
                      call("move_file", **{"from": f"m{number}", "to": f"m{number + 1}"})])
    turns.insert(3, [call("write_file", path="asked.txt", content="asked\n"), call("sleep", seconds=0.02), call("write_file", path="gone", content="x")])
    turns.append([call("write_file", path="limited/1", content="1"), call("delete_file", path="gone")])
    turns.append([call("write_file", path="limited/2", content="2"), call("read_file", path="diary.txt")])
    turns.append([call("write_file", path="big.txt", content="0123456789" * 3000), call("object_to_file", name="steps", path="steps.json")])
    lines = [{"delay_ms": 4, "tool_calls": turn} for turn in turns] + [{"delay_ms": 4, "text": "survived"}]
    return "".join(json.dumps(line) + "\n" for line in lines), [one["name"] for turn in turns for one in turn]


SCRIPT, TOOLS = script()
WORLD = {
    "diary.txt": "start\n" + "".join(f"{step}\n" for step in STEPS) + "<end>\n",
    f"m{len(STEPS)}": "moved\n",
    "asked.txt": "asked\n",
    "limited/1": "1",
    "limited/2": "2",
    "big.txt": "0123456789" * 3000,
    "steps.json": json.dumps(STEPS, separators=(",", ":")),
}


class Round:
    def __init__(self, alos, seed, place):
        self.alos, self.seed, self.random = alos, seed, random.Random(seed)
        self.dir = tempfile.mkdtemp(prefix=f"alos-kill9-{seed}-", dir=place)
        self.seen, self.kills, self.hits, self.history = [], 0, 0, []
        os.mkdir(self.path("ws"))
        for name, text in (("script.jsonl", SCRIPT), ("m.yaml", MANIFEST)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def start(self, *words):
        return subprocess.Popen([self.alos, *words, "--store", "store", "--json"], cwd=self.dir, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, *words):
        """The output of a command that must go well."""
        done = subprocess.run([self.alos, *words, "--store", "store", "--json"], cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise Wrong(f"{' '.join(words)} ended with {done.returncode}: {done.stdout.decode()[-3000:]}{done.stderr.decode()}")
        return done.stdout

    def attempt(self, words, kill):
        """Runs it, and kills it at a random instant where `kill` says so. Whether it came to its end."""
        process = self.start(*words)
        records_max = self.random.randrange(0, 140) if kill and self.random.random() < 0.5 else None
        delay_s = self.random.uniform(0.0, 0.3) if kill and records_max is None else None
        timer = threading.Timer(delay_s if delay_s is not None else PATIENCE_S, process.send_signal, [signal.SIGKILL])
        timer.start()
        if records_max == 0:
            process.kill()
        count = 0
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # cut by the kill
            if line.startswith(b'{"type":"record"'):
                self.seen.append(line)
                count += 1
                if count == records_max:
                    process.kill()
        errors = process.stderr.read().decode()
        code = process.wait()
        timer.cancel()
        self.history.append(f"{words[0]} -> {code} after {count} records")
        if code == -signal.SIGKILL and kill:
            self.kills += 1
            self.hits += count > 0
            return False
        if code != 0:
            raise Wrong(f"{' '.join(words)} ended with {code}: {errors}")
        return True

    def has_process(self):
        if not os.path.exists(self.path("store", "store.db")):
            return False
        done = subprocess.run([self.alos, "ps", "--all", "--json", "--store", "store"], cwd=self.dir, capture_output=True, timeout=PATIENCE_S, check=False)
        return b'"pid":"1.1"' in done.stdout

    def run(self):
        kills = self.random.choice([1, 2, 3, 4, 6])
        while True:
            kill = self.kills < kills
            begun = self.has_process()
            words = ["resume", "--all", "--approve", "allow"] if begun else ["run", "m.yaml", "--approve", "allow"]
            if self.attempt(words, kill):
                break
        if len(self.seen) == 0:
            raise Wrong("no record was seen")
        self.check_world()
        self.check_journal()
        for words in (["audit", "verify"], ["store", "check"]):
            self.ask(*words)

    def check_world(self):
        found = {}
        for folder, _, names in os.walk(self.path("ws")):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found[os.path.relpath(os.path.join(folder, name), self.path("ws"))] = file.read()
        if found != WORLD:
            wrong = {name: (found.get(name, "(absent)")[:200], WORLD.get(name, "(absent)")[:200]) for name in found.keys() | WORLD.keys() if found.get(name) != WORLD.get(name)}
            raise Wrong(f"files (found, expected): {wrong}")

    def check_journal(self):
        lines = self.ask("log", "1.1", "--job").splitlines(keepends=True)
        written = collections.Counter(lines)
        for line in self.seen:
            if line not in written:
                raise Wrong(f"a client saw this record, and the journal has it not:\n{line.decode()}")
        records = [json.loads(line) for line in lines]
        if [one["seq"] for one in records] != list(range(1, len(records) + 1)):
            raise Wrong("the records' numbers have gaps")
        self.check_calls(records)
        self.check_effects(records)
        self.check_chain(len(records))

    def check_calls(self, records):
        bodies = lambda kind: [one["body"] for one in records if one["kind"] == kind]
        called, returned = bodies("tool.called"), bodies("tool.returned")
        if [one["tool"] for one in called] != TOOLS:
            raise Wrong(f"tools called: {[one['tool'] for one in called]}, expected {TOOLS}")
        if sorted(one["call"] for one in called) != sorted(one["call"] for one in returned):
            raise Wrong("a call dangles, or was answered twice")
        failed = [one for one in returned if not one["ok"]]
        if failed:
            raise Wrong(f"calls that did not go well: {failed}")
        if len(bodies("process.exited")) != 1 or bodies("process.exited")[0]["result"] != "survived":
            raise Wrong("the process has not exited once, with its result")
        if [one["value"] for one in bodies("object.put")][1:] and len(bodies("object.put")) != 1 + len(STEPS):
            raise Wrong(f"{len(bodies('object.put'))} versions of the object")

    def check_effects(self, records):
        intended, settled = collections.Counter(), collections.Counter()
        effects = {}
        for one in records:
            key = (one["body"].get("call"), one["body"].get("n"))
            if one["kind"] == "call.intended":
                intended[key] += 1
                effects[key] = one["body"]["effect"]
            if one["kind"] == "call.settled":
                settled[key] += 1
        for key in intended.keys() | settled.keys():
            if effects.get(key) != "repeatable" and intended[key] != 1 or settled[key] != 1:
                raise Wrong(f"syscall {key} ({effects.get(key)}) was intended {intended[key]} times and settled {settled[key]} times")

    def check_chain(self, count):
        head, seen = b"\0" * 32, 0
        for line in self.ask("audit", "export", "1").splitlines():
            prefix, _, record = line.partition(b',"record":')
            head, seen = hashlib.sha256(head + record[:-1]).digest(), seen + 1
            if json.loads(prefix + b"}")["hash"] != head.hex():
                raise Wrong(f"the hash of record {seen} is not that of its line and the one before")
        if seen != count:
            raise Wrong(f"export has {seen} records, log has {count}")


def play(alos, seed, place, keep):
    one = Round(alos, seed, place)
    try:
        one.run()
        return one, None
    except Exception as wrong:  # whatever it is, the round has failed
        return one, wrong if isinstance(wrong, Wrong) else repr(wrong)
    finally:
        if not keep:
            shutil.rmtree(one.dir, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alos", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="of the first round; the next have the numbers after it")
    parser.add_argument("--dir", default=None, help="where to work (default: the temporary directory)")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(1, 10**9)
    print(f"{options.rounds} rounds, --seed {first}", flush=True)
    begun, kills, hits, failures = time.monotonic(), 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(PROCESSES_MAX) as pool:
        alos = os.path.abspath(options.alos)
        for one, wrong in pool.map(lambda seed: play(alos, seed, options.dir, options.keep), range(first, first + options.rounds)):
            kills, hits = kills + one.kills, hits + one.hits
            if wrong is not None:
                failures += 1
                print(f"FAILED --seed {one.seed} --rounds 1: {wrong}\n  {'; '.join(one.history)}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{options.rounds - failures} of {options.rounds} rounds well, {kills} kills, {hits} of them in the middle; {seconds:.1f} s")
    if options.rounds >= 20 and hits < options.rounds // 2:
        print("too few kills hit a run in the middle: this shows nothing")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
