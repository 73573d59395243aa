"""One deployment: cut over to green, let it go bad, watch what Flipback does, and measure it from outside."""

import os
import signal
import time

from follow import JsonLines, Users, metrics, seconds
from processes import wait_until
from stack import PYTHON, get
from timeline import bar

RATE = 60
PATIENCE = 60  # seconds from the fault to the proof
SCENARIOS = {
    "errors": ("errors 0.3", "30% of green's answers become 500"),
    "latency": ("latency 1.5", "every answer of green takes 1.5 s longer"),
}
SHOWN = {
    "agent.ready": "step", "deployment.baseline": "step", "deployment.cutover": "step", "deployment.window": "note", "deployment.drift": "warn",
    "deployment.mixed": "warn", "rule.blind": "warn", "rollback.decided": "bad", "rollback.step": "step", "rollback.blocked": "warn",
    "rollback.withheld": "warn", "rollback.closed": "good", "store.failed": "bad", "self.stall": "warn", "text": "bad",
}


class Scenario:
    def __init__(self, stack, timeline, name):
        self.stack = stack
        self.timeline = timeline
        self.fault, self.story = SCENARIOS[name]
        self.name = name
        self.closed = None
        self.decided_at = None
        self.live_at = None
        self.last_status = 0.0

    def start(self):
        stack = self.stack
        configuration = stack.write_configuration(stack.configuration(mode="act"))
        self.agent = stack.child("flipback", [os.environ["FLIPBACK"], "--config", configuration])
        self.events = JsonLines(self.agent.log)
        load = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.py")
        self.load = stack.child("users", [PYTHON, load, stack.front_url + "/api/v1/properties", str(RATE), "5"])
        self.users = Users(self.load.log)
        wait_until("the agent", lambda: get(stack.agent_url + "/healthz")[0] == 200, child=self.agent)

    def run(self):
        say = self.timeline.say
        self.start()
        say("step", f"blue ({self.stack.versions['blue']}) is live; users send {RATE} requests a second, each on a connection of its own")
        self.watch(5)
        say("step", "cutting over to green as the runbook does: cp, nginx -t, nginx -s reload")
        self.stack.cut_over("green")
        self.watch(6)
        bad_at = time.time()
        self.stack.go_bad("green", self.fault)
        say("bad", f"the release goes bad: {self.story}")
        self.watch(PATIENCE, until=lambda: self.closed)
        self.watch(3)
        self.load.stop(patience=15)
        self.pump()
        return self.summary(bad_at)

    def watch(self, duration, until=lambda: False):
        end = time.time() + duration
        while time.time() < end and not until():
            self.pump()
            self.status()
            time.sleep(0.05)

    def pump(self):
        """Takes in what happened since the last time."""
        self.users.update()
        for event in self.events.new():
            kind = event["kind"]
            at = seconds(event) if "time" in event else time.time()
            if kind == "rollback.decided":
                self.decided_at = at
            if kind == "rollback.closed":
                self.closed = event
            if kind in SHOWN:
                shown = SHOWN[kind]
                if kind == "rollback.closed" and event["outcome"] != "rolled back":
                    shown = "bad"
                self.timeline.say(shown, event["says"] + self.took(event), at)
            elif kind == "probe.changed" and event["severity"] != "debug":
                self.timeline.say("good" if event["outcome"] == "pass" else "bad", event["says"], at)
            elif kind == "verdict.changed" and event["rule"] in ("error-rate", "latency") and event["to"] != "unknown":
                marks = {"ok": "good", "pending": "warn", "breached": "bad"}
                self.timeline.say(marks[event["to"]], event["says"], at)

    @staticmethod
    def took(event):
        return f"  ({event['seconds'] * 1000:.0f} ms)" if event["kind"] == "rollback.step" else ""

    def status(self):
        if time.time() - self.last_status < 0.5 or not self.timeline.live_line:
            return
        self.last_status = time.time()
        now = metrics(self.stack.agent_url)
        live = next((labels.split('"')[1] for (name, labels), value in now.items() if name == "flipback_deployment_live" and value == 1), "?")
        errors = now.get(("flipback_signal", 'signal="traffic.error_rate over 3s"'), 0.0)
        p95 = now.get(("flipback_signal", 'signal="traffic.p95 over 3s"'), 0.0)
        verdicts = [f"{rule}: {verdict}" for rule in ("error-rate", "latency") for verdict in ("pending", "breached")
                    if now.get(("flipback_rule_verdict", f'rule="{rule}",verdict="{verdict}"')) == 1]
        up = sum(value for (name, _), value in now.items() if name == "flipback_probe_up")
        probes = sum(1 for name, _ in now if name == "flipback_probe_up")
        recent = [r for r in self.users.fresh()[-4 * RATE:] if r["ended"] > time.time() - 2]
        self.timeline.status(f"  live {live}  {len(recent) / 2:.0f} rps  errors {errors:5.1%} of 5% {bar(errors, 0.05)}  "
                             f"p95 {p95 * 1000:4.0f} of 1000 ms {bar(p95, 1.0)}  probes {up:.0f}/{probes}  {' '.join(verdicts) or 'ok'}")

    def summary(self, bad_at):
        timeline = self.timeline
        timeline.heading(f"What happened ({self.name})")
        problems = []
        live = self.stack.live()
        if live != "blue":
            problems.append(f"users reach {live}, not blue")
        if not self.closed or self.closed["outcome"] != "rolled back":
            problems.append(f"the rollback was not proven: {self.closed['says'] if self.closed else 'there was none'}")
        print(f"  live now, asked from outside      {live} ({self.stack.versions.get(live, '?')})")
        if self.decided_at:
            print(f"  the fault → the decision          {self.decided_at - bad_at:.2f} s (the rule's windows are 10 s and 3 s here, 5 min and 1 min built in)")
        if self.closed and self.closed["outcome"] == "rolled back":
            blue = self.stack.versions["blue"]
            first = min((r["ended"] for r in self.users.fresh() if r["release"] == blue and r["began"] > self.decided_at), default=None)
            if first:
                print(f"  the decision → a user reaches blue {(first - self.decided_at) * 1000:.0f} ms")
            print(f"  the decision → proven             {self.closed['seconds'] * 1000:.0f} ms")
        fresh = self.users.fresh()
        failed = self.users.errors()
        slow = [r for r in fresh if r["ended"] - r["began"] > 1.0]
        print(f"  users' requests                   {len(fresh)}")
        if failed and self.decided_at:
            print(f"  answered with an error by green   {len(failed)}, the last one {failed[-1]['ended'] - self.decided_at:+.2f} s from the decision")
        if slow and self.decided_at:
            print(f"  answered after more than 1 s      {len(slow)}, the last one begun {max(r['began'] for r in slow) - self.decided_at:+.2f} s from the decision")
        broken = self.users.broken("fresh")
        print(f"  lost by the flip (no answer)      {len(broken)}")
        if broken:
            problems.append(f"{len(broken)} requests got no answer: {broken[0]['error']}")
        kept = [r for r in self.users.all if r["kind"] == "kept"]
        reopened = sum(1 for r in self.users.all if r["kind"] == "reopened")
        print(f"  kept-alive clients, counted apart {len(kept)} requests, {reopened} connections closed by nginx's reloads while idle, "
              f"{len(self.users.broken('kept'))} requests lost")
        for problem in problems:
            timeline.say("bad", problem)
        if not problems:
            print("  " + timeline.paint("✓ blue is proven live, and the flip failed no request", "32"))
        return not problems

    def stop_agent(self):
        self.agent.signal(signal.SIGTERM)
