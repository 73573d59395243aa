"""Fifty clients while releases go back and forth: whose requests are lost, by the runbook's commands and by Flipback's rollback."""

import os
import subprocess
import time

from follow import JsonLines, Users
from measure import heading, row
from processes import wait_until
from stack import PYTHON, Stack

RATE = 50  # requests a second, each on a connection of its own
KEPT = 50  # clients that keep their connection
AFTER = 0.4  # seconds after a change that still count as its own: nginx's old workers go on for a moment
LOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging", "demo", "load.py")


class Changes:
    """Flips by hand and rollbacks by Flipback, by turns, and who lost what by which."""

    def __init__(self, stack, binary):
        self.stack = stack
        self.binary = binary
        self.spans = {"runbook": [], "flipback": []}
        text = stack.configuration(short_rules=False).replace('window = "15m"', 'window = "15m"\nwatch_every = "100ms"')
        self.agent = stack.child("flipback", [binary, "--config", stack.write_configuration(text)])
        self.events, self.told = JsonLines(self.agent.log), []
        self.wait("deployment.baseline", 1)
        load = stack.child("users", [PYTHON, LOAD, stack.front_url + "/api/v1/ping", str(RATE), str(KEPT)])
        self.load, self.users = load, Users(load.log)
        wait_until("the first users", lambda: self.users.update() or len(self.users.all) > 10, child=load)

    def wait(self, kind, times):
        def there():
            self.told += [e for e in self.events.new() if e["kind"] in ("deployment.baseline", "deployment.cutover", "rollback.closed")]
            return sum(e["kind"] == kind for e in self.told) >= times

        wait_until(f"{kind} number {times}", there, child=self.agent)

    def during(self, who, change):
        began = time.time()
        change()
        time.sleep(AFTER)
        self.spans[who].append((began, time.time()))

    def there_and_back(self, number):
        self.during("runbook", lambda: self.stack.cut_over("green"))
        self.wait("deployment.cutover", number)
        self.during("flipback", self.roll_back)

    def roll_back(self):
        done = subprocess.run([self.binary, "rollback", "--reason", "the bench", "--socket", self.stack.path("flipback.sock")], capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"flipback rollback: {done.stdout}{done.stderr}")

    def end(self):
        """How many requests there were, and how many were lost during the changes of each, and in between: {(kind, who): (all, lost)}."""
        self.wait("rollback.closed", len(self.spans["flipback"]))
        self.load.stop(patience=15)
        self.agent.stop()
        self.users.update()
        found = {(kind, who): [0, 0] for kind in ("fresh", "kept") for who in ("runbook", "flipback", "in between")}
        for request in self.users.all:
            if request["kind"] == "reopened":
                continue
            counts = found[request["kind"], self.whose(request)]
            counts[0] += 1
            counts[1] += request["error"] is not None
        return found

    def whose(self, request):
        """A request belongs to the change that was going on at any time of it."""
        for who, spans in self.spans.items():
            if any(request["began"] <= until and request["ended"] >= since for since, until in spans):
                return who
        return "in between"


def clients(build, rounds):
    count = 200 if rounds > 1 else 20
    heading(f"{KEPT} kept-alive clients and {RATE} fresh connections a second, {count} flips by the runbook's commands and {count} rollbacks "
            "(goal: no fresh request lost; of the kept-alive no more than by the commands)")
    with Stack() as stack:
        changes = Changes(stack, f"{build}/flipback")
        for number in range(1, count + 1):
            changes.there_and_back(number)
        found = changes.end()
    row("", "fresh", "lost", "kept alive", "lost")
    for who, name in (("runbook", "cp; nginx -t; nginx -s reload"), ("flipback", "flipback rollback"), ("in between", "in between")):
        row(name, *(f"{n:,}" for kind in ("fresh", "kept") for n in found[kind, who]))
