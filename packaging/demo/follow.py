"""Reading what others write while they write it: the agent's events, the users' requests, the agent's metrics."""

import calendar
import json
import re
import time

from stack import get


class JsonLines:
    """The whole lines of a growing file, as objects; what is no JSON is kept as text."""

    def __init__(self, path):
        self.path = path
        self.offset = 0

    def new(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data.rfind(b"\n") + 1
        self.offset += whole
        found = []
        for line in data[:whole].splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"kind": "text", "says": line.decode(errors="replace"), "severity": "critical"})
        return found


def seconds(event):
    """An event's time as seconds since 1970."""
    text, _, fraction = event["time"].rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def metrics(url):
    """The agent's metrics: {(name, labels): value}."""
    found = {}
    try:
        text = get(url + "/metrics")[2]
    except OSError:
        return found
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
        found[name, labels] = float(value)
    return found


class Users:
    """The users' requests so far."""

    def __init__(self, path):
        self.lines = JsonLines(path)
        self.all = []

    def update(self):
        self.all += [r for r in self.lines.new() if r["kind"] in ("fresh", "kept", "reopened")]

    def fresh(self):
        return [r for r in self.all if r["kind"] == "fresh"]

    def broken(self, kind):
        """Requests that got no answer at all: refused, reset, cut off. A 500 is an answer."""
        return [r for r in self.all if r["kind"] == kind and r["error"]]

    def errors(self):
        return [r for r in self.fresh() if r["status"] and r["status"] >= 500]
