"""What a scenario expects of a command: its exit code, its output, and the records among its JSON lines."""
import json
import re

CODES = ("ok denied parked not_found exists invalid conflict exhausted timeout cancelled unavailable outcome_unknown "
         "nondeterministic corrupt internal").split()


class Wrong(Exception):
    """An expectation that does not hold."""


class Outcome:
    """What a command came to: exit code, output, and the records and other JSON lines in it."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.lines = []
        for line in out.splitlines():
            if line.startswith("{"):
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    pass
        self.returned = [one["body"] for one in self.records("tool.returned")]

    def records(self, kind):
        return [one for one in self.lines if one.get("type") == "record" and one.get("kind") == kind]

    def result(self):
        found = [one for one in self.lines if one.get("type") == "result"]
        if not found:
            raise Wrong("there is no result line")
        return found[-1]

    def __str__(self):
        short = lambda text: text if len(text) < 12000 else text[:3000] + "\n ...\n" + text[-9000:]
        return f"exit {self.code} ({name_of(self.code)})\nstdout:\n{short(self.out)}\nstderr:\n{short(self.err)}"


def name_of(code):
    return CODES[code] if 0 <= code < len(CODES) else "?"


def text_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def expect_tool(outcome, words, rest):
    """tool NAME ok|error [CODE] [TEXT]: the next end of a call of this tool."""
    name, want = words[0], words[1]
    for at, body in enumerate(outcome.returned):
        if body["tool"] == name:
            break
    else:
        raise Wrong(f"no (further) call of {name} has returned")
    body = outcome.returned.pop(at)
    said = text_of(body.get("value") if body["ok"] else body["error"])
    if body["ok"] != (want == "ok"):
        raise Wrong(f"{name} came to {said}")
    if want == "error" and body["error"]["code"] != words[2]:
        raise Wrong(f"{name} came to {said}, not {words[2]}")
    text = rest.split(None, 2 if want == "ok" else 3)[2 if want == "ok" else 3:]
    if text and text[0] not in said and text[0] not in json.dumps(said, ensure_ascii=False):
        raise Wrong(f"{name} came to {said}")


def expect_decided(outcome, rest):
    """decided denied|asked|allowed RIGHT RESOURCE [TEXT]"""
    decision, right, resource, *text = rest.split(None, 3)
    seen = [one["body"] for one in outcome.records("authority.decided")]
    for body in seen:
        if (body["decision"], body["right"], body["resource"]) == (decision, right, resource):
            if not text or text[0] in body["reason"]:
                return
    raise Wrong("decided were only: " + text_of([[b["decision"], b["right"], b["resource"], b["reason"]] for b in seen]))


def expect_shape(outcome, rest):
    """shape TYPE key,key,...: every JSON line of this type has exactly these members; and every line is JSON."""
    kind, keys = rest.split()
    for line in outcome.out.splitlines():
        try:
            json.loads(line)
        except ValueError:
            raise Wrong(f"not JSON: {line[:200]}") from None
    found = [one for one in outcome.lines if one.get("type") == kind]
    if not found:
        raise Wrong(f"no line of type {kind}")
    for one in found:
        if list(one) != ["type"] + keys.split(","):
            raise Wrong(f"{kind} has {','.join(list(one)[1:])}")


def check(outcome, line):
    """One expectation against what a command came to."""
    verb, _, rest = line.partition(" ")
    words = rest.split()
    if verb == "exit":
        want = int(rest) if rest.lstrip("-").isdigit() else CODES.index(rest)
        if outcome.code != want:
            raise Wrong(f"it is {outcome.code} ({name_of(outcome.code)})")
    elif verb in ("out", "err", "says"):
        where = {"out": outcome.out, "err": outcome.err, "says": outcome.out + outcome.err}[verb]
        if rest not in where:
            raise Wrong("it does not say so")
    elif verb in ("out!", "err!", "says!"):
        where = {"out!": outcome.out, "err!": outcome.err, "says!": outcome.out + outcome.err}[verb]
        if rest in where or (not rest and where):
            raise Wrong("it says so")
    elif verb in ("out~", "err~"):
        if not re.search(rest, outcome.out if verb == "out~" else outcome.err, re.MULTILINE):
            raise Wrong("nothing matches")
    elif verb in ("out!~", "err!~"):
        if re.search(rest, outcome.out if verb == "out!~" else outcome.err):
            raise Wrong("something matches")
    elif verb == "tool":
        expect_tool(outcome, words, rest)
    elif verb == "tools":
        if len(outcome.returned) != int(rest):
            raise Wrong(f"{len(outcome.returned)} calls have returned that no line above names")
    elif verb == "decided":
        expect_decided(outcome, rest)
    elif verb == "record":
        kind, _, text = rest.partition(" ")
        if not any(text in text_of(one["body"]) for one in outcome.records(kind)):
            raise Wrong("there is none: " + text_of([one["body"] for one in outcome.records(kind)])[:3000])
    elif verb == "records":
        if len(outcome.records(words[0])) != int(words[1]):
            raise Wrong(f"there are {len(outcome.records(words[0]))}")
    elif verb == "state":
        if outcome.result()["state"] != rest:
            raise Wrong(f"it is {text_of(outcome.result())}")
    elif verb == "result":
        if rest not in str(outcome.result().get("result")):
            raise Wrong(f"it is {text_of(outcome.result())}")
    elif verb == "reason":
        if rest not in text_of(outcome.result()):
            raise Wrong(f"it is {text_of(outcome.result())}")
    elif verb == "shape":
        expect_shape(outcome, rest)
    else:
        raise Wrong(f"there is no expectation `{verb}`")
