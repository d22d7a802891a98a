#!/usr/bin/env python3
"""Runs scenarios: text files that set up a workspace, run the real alos, and say what must come of it.

    run.py --alos PROGRAM [--fake-openai PROGRAM] [--keep] FILE.scn...

README.md describes the form. After each scenario every store in it is looked at: `audit verify` and `store check`
find nothing, every tool call that was begun has returned, and every tool request of a model is answered once.
"""
import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from expect import Outcome, Wrong, check

PATIENCE_S = 60  # for what happens in the background
COMMAND_S = 150
MANIFEST_HEAD = "alos: 1\ngoal: Do as the script says.\nmodel: script:script.jsonl\nroots: {workspace: ws}\n"


class Skip(Exception):
    """The scenario cannot run here; why."""


def steps_of(text, name):
    """[(line number, verb and arguments, body lines)] of a scenario; lines before the first `---` say what it shows."""
    steps = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("--- "):
            steps.append((number, line[4:].strip(), []))
        elif steps:
            steps[-1][2].append(line)
        elif line.strip() and not line.startswith("#"):
            raise Wrong(f"{name}:{number}: a scenario begins with `# what it shows`, then `--- STEP`")
    return steps


class Scenario:
    def __init__(self, path, programs, keep):
        self.path, self.programs, self.keep = path, programs, keep
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="alos-scenario-"))
        self.background, self.outputs, self.secrets = {}, [], []
        self.untouched = True  # the stores are to be sound
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "OLLAMA_", "ALOS_"))}
        self.env.update(HOME=self.dir, XDG_DATA_HOME=os.path.join(self.dir, "data"), LC_ALL="C.UTF-8", DIR=self.dir)
        self.env["ALOS"] = programs["alos"]
        os.makedirs(os.path.join(self.dir, "ws"))

    def place(self, path):
        return os.path.join(self.dir, path)

    def words(self, text):
        """A command's words: `alos` is the program under test, and is given the store where the words name none."""
        words = [word.replace("$DIR", self.dir) for word in shlex.split(text)]
        words[0] = self.programs.get(words[0], words[0])
        if words[0] == self.programs["alos"] and "--store" not in words and len(words) > 1 and not words[1].startswith("-"):
            words += ["--store", "store"]
        return words

    def command(self, text):
        """run ARGS is `alos run m.yaml --json ARGS`; anything else is a command line."""
        if re.match(r"run( |$)", text):
            text = "alos run m.yaml --json" + text[3:]
        done = subprocess.run(self.words(text), cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S, check=False)
        return self.heard(done.returncode, done.stdout, done.stderr)

    def heard(self, code, out, err):
        outcome = Outcome(code, out.decode("utf-8", "backslashreplace"), err.decode("utf-8", "backslashreplace"))
        self.outputs.append(outcome.out + outcome.err)
        return outcome

    def expect(self, outcome, number, body):
        for offset, line in enumerate(body, 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                check(outcome, line.strip().replace("$DIR", self.dir))
            except (Wrong, IndexError, ValueError) as wrong:
                raise Wrong(f"line {number + offset}: {line.strip()}: {wrong}\n{outcome}") from None

    def step(self, number, head, body):
        verb, _, rest = head.partition(" ")
        text = "\n".join(body).rstrip("\n") + "\n"
        if verb == "file":
            path, *mode = rest.split()
            self.write(path, text if text.strip() else "", mode[0] if mode else None)
        elif verb == "script":
            self.write("script.jsonl", text)
        elif verb == "manifest":
            self.write("m.yaml", text)
        elif verb == "grants":
            lines = [line for line in body if line.strip()]
            self.write("m.yaml", MANIFEST_HEAD + ("grants:\n" if lines else "") + "".join(f"  - {line}\n" for line in lines))
        elif verb == "dir":
            os.makedirs(self.place(rest), exist_ok=True)
        elif verb == "link":
            path, target = rest.split(" -> ")
            os.makedirs(os.path.dirname(self.place(path)), exist_ok=True)
            os.symlink(target.replace("$DIR", self.dir), self.place(path))
        elif verb in ("python", "sh"):
            program = [sys.executable, "-"] if verb == "python" else ["bash", "-eu", "-s"]
            done = subprocess.run(program, input=text, text=True, cwd=self.dir, env=self.env, capture_output=True, timeout=COMMAND_S, check=False)
            if done.returncode != 0:
                raise Wrong(f"line {number}: {verb} ended with {done.returncode}: {done.stdout}{done.stderr}")
        elif verb == "env":
            name, _, value = rest.partition("=")
            self.env[name] = value.replace("$DIR", self.dir)
        elif verb == "secret":
            self.secrets.append(rest)
        elif verb == "needs":
            self.need(rest)
        elif verb == "damaged":
            self.untouched = False
        elif verb == "bg":
            self.start(rest)
        elif verb == "fake-openai":
            self.start(f"fake_openai fake-openai {rest}")
            self.until(self.base_url, number)
            self.env["OPENAI_BASE_URL"] = self.base_url()
        elif verb == "until":
            self.until(lambda: self.expect(self.command(rest), number, body), number)
        elif verb == "end":
            self.expect(self.end(rest), number, body)
        elif verb == "stop":
            name, _, how = rest.partition(" ")
            self.background[name].send_signal(getattr(signal, how or "SIGKILL"))
        elif verb == "world":
            self.look(number, body)
        else:
            self.expect(self.command(head), number, body)

    def write(self, path, text, mode=None):
        os.makedirs(os.path.dirname(self.place(path)), exist_ok=True)
        with open(self.place(path), "w", encoding="utf-8") as file:
            file.write(text)
        if mode:
            os.chmod(self.place(path), int(mode, 8))

    def read(self, path):
        with open(self.place(path), "rb") as file:
            return file.read().decode("utf-8", "backslashreplace")

    def need(self, what):
        if what == "root" and os.geteuid() != 0:
            raise Skip("needs root")
        if what == "tmpfs":
            probe = self.place("probe")
            os.makedirs(probe)
            if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", probe], capture_output=True, check=False).returncode != 0:
                raise Skip("a small tmpfs cannot be mounted here (not root, or no mounts allowed)")
            subprocess.run(["umount", probe], check=True)
        if what == "fake_openai" and not os.path.exists(self.programs.get("fake-openai") or ""):
            raise Skip("fake_openai is not built")

    def start(self, text):
        """NAME COMMAND: in the background, without a terminal."""
        name, _, line = text.partition(" ")
        if re.match(r"run( |$)", line):
            line = "alos run m.yaml --json" + line[3:]
        with open(self.place(f"bg-{name}.out"), "wb") as out, open(self.place(f"bg-{name}.err"), "wb") as err:
            self.background[name] = subprocess.Popen(self.words(line), cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def base_url(self):
        url = self.read("bg-fake_openai.out")
        if not url.endswith("\n"):
            raise Wrong("the fake server has not said where it is")
        return url.strip()

    def end(self, name):
        process = self.background.pop(name)
        try:
            code = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Wrong(f"{name} does not end: {self.read(f'bg-{name}.out')[-4000:]}{self.read(f'bg-{name}.err')}") from None
        return self.heard(code, self.read(f"bg-{name}.out").encode(), self.read(f"bg-{name}.err").encode())

    def until(self, attempt, number):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return attempt()
            except (Wrong, OSError) as wrong:
                if time.monotonic() > deadline:
                    raise Wrong(f"line {number}: not within {PATIENCE_S} s: {wrong}") from None
            time.sleep(0.03)

    def look(self, number, body):
        """PATH is TEXT | has TEXT | hasn't TEXT | absent | dir | link | mode MODE | bytes N; TEXT as in JSON."""
        for offset, line in enumerate(body, 1):
            if not line.strip() or line.startswith("#"):
                continue
            path, verb, *rest = line.split(None, 2)
            full, want = self.place(path), rest[0] if rest else ""
            if verb in ("is", "has", "hasn't"):
                seen, text = self.read(path) if os.path.isfile(full) else None, json.loads(want)
                fine = seen is not None and {"is": seen == text, "has": text in seen, "hasn't": text not in seen}[verb]
            else:
                fine = {"absent": lambda: not os.path.lexists(full), "dir": lambda: os.path.isdir(full), "link": lambda: os.path.islink(full),
                        "mode": lambda: os.stat(full).st_mode & 0o7777 == int(want, 8), "bytes": lambda: os.path.getsize(full) == int(want)}[verb]()
                seen = "there" if os.path.lexists(full) else "absent"
            if not fine:
                raise Wrong(f"line {number + offset}: {line.strip()}: it is {seen if seen is None else seen[:2000]!r}")

    def run(self):
        with open(self.path, encoding="utf-8") as file:
            steps = steps_of(file.read(), os.path.basename(self.path))
        if not steps:
            raise Wrong("the scenario has no steps")
        try:
            for number, head, body in steps:
                self.step(number, head, body)
        finally:
            self.stop_all()
        self.look_for_secrets()
        if self.untouched:
            self.look_at_stores()

    def stop_all(self):
        for process in self.background.values():
            process.kill()
            process.wait()
        self.background.clear()

    def look_for_secrets(self):
        for secret in self.secrets:
            for output in self.outputs:
                if secret in output:
                    raise Wrong(f"the secret {secret} is in an output:\n{output[:3000]}")
            for folder, _, names in os.walk(self.dir):
                for name in set(names) - {"turns.jsonl"}:  # what the fake server was given
                    if os.path.isfile(os.path.join(folder, name)) and secret in self.read(os.path.join(folder, name)):
                        raise Wrong(f"the secret {secret} is in {folder}/{name}")

    def look_at_stores(self):
        for folder, _, names in os.walk(self.dir):
            if "store.db" in names:
                self.look_at_store(os.path.relpath(folder, self.dir))

    def look_at_store(self, store):
        for command in ("audit verify", "store check"):
            outcome = self.command(f"alos {command} --store {store}")
            if outcome.code != 0:
                raise Wrong(f"afterwards, {command} of {store}:\n{outcome}")
        for process in self.command(f"alos ps --all --json --store {store}").lines:
            if process["state"] in ("exited", "failed", "killed"):
                self.look_at_process(process["pid"], store, process["state"])

    def look_at_process(self, pid, store, state):
        called = [one["body"]["call"] for one in self.command(f"alos log {pid} --json --store {store}").records("tool.called")]
        returned = [one["body"]["call"] for one in self.command(f"alos log {pid} --json --store {store}").records("tool.returned")]
        if sorted(called) != sorted(returned):
            raise Wrong(f"process {pid}: tool calls {called} were begun, {returned} have returned")
        messages = [one for one in self.command(f"alos show {pid} --json --store {store}").lines if one["type"] == "message"]
        asked, answered = [], []
        for message in messages:
            if message["role"] == "assistant" and sorted(asked) != sorted(answered):
                raise Wrong(f"process {pid}: the model is asked anew while it waits for {asked}, answered are {answered}")
            asked += [call["id"] for call in message["tool_calls"]]
            answered += [message["tool_call_id"]] if message["role"] == "tool" else []
        # What a process had not begun when it was ended from outside is answered by its end.
        if state != "exited" and set(answered) <= set(asked):
            return
        if sorted(asked) != sorted(answered) or len(set(asked)) != len(asked):
            raise Wrong(f"process {pid}: the model asked for {asked}, answered are {answered}")

    def clean(self):
        while subprocess.run(["mountpoint", "-q", self.place("small")], check=False).returncode == 0:
            subprocess.run(["umount", "-l", self.place("small")], check=False)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


def run_one(path, programs, keep):
    """ok, skipped or failed, and says so."""
    scenario = Scenario(path, programs, keep)
    begun, word, said = time.monotonic(), "ok", ""
    try:
        scenario.run()
    except Skip as skip:
        word, said = "skipped", f": {skip}"
    except Exception as wrong:  # any other error of a step is a failure of the scenario
        word, said = "FAILED", f"\n{wrong if isinstance(wrong, Wrong) else repr(wrong)}"
    finally:
        scenario.clean()
    print(f"{word:7} {os.path.basename(path)} ({time.monotonic() - begun:.2f} s){said}" + (f"\nkept: {scenario.dir}" if keep else ""), flush=True)
    return word


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alos", required=True)
    parser.add_argument("--fake-openai")
    parser.add_argument("--keep", action="store_true", help="keep the directories")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    programs = {"alos": os.path.abspath(options.alos), "fake-openai": os.path.abspath(options.fake_openai) if options.fake_openai else ""}
    words = [run_one(path, programs, options.keep) for path in options.files]
    if len(words) > 1:
        print(f"{words.count('ok')} ok, {words.count('skipped')} skipped, {words.count('FAILED')} failed")
    return 1 if "FAILED" in words else 77 if words.count("skipped") == len(words) else 0


if __name__ == "__main__":
    sys.exit(main())
