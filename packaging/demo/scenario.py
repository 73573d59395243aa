"""One deployment: cut over to green, let it go bad, watch what Flipback does, and hold it against what was seen from outside."""

import os
import time

from claims import Seen, claims, is_error
from follow import JsonLines, Users, metrics, seconds
from processes import wait_until
from stack import PYTHON, get
from timeline import bar

RATE = 60
PATIENCE = 60  # seconds from the fault to the rollback's end
NOTICE = 30    # seconds from nginx's reload until the agent has seen the cutover
QUESTIONS = 20  # asked from outside, after the rollback
SCENARIOS = {
    "errors": ("errors 0.3", "error-rate", "30% of green's answers become 500"),
    "latency": ("latency 1.5", "latency", "every answer of green takes 1.5 s longer"),
}
SHOWN = {
    "deployment.baseline": "step", "deployment.cutover": "step", "deployment.window": "note", "deployment.mixed": "warn", "deployment.failover": "warn",
    "deployment.doubtful": "warn", "deployment.no_way_back": "warn", "deployment.not_ready": "warn", "deployment.switch_not_in_effect": "warn",
    "rule.blind": "warn", "rollback.waiting": "note", "rollback.blocked": "warn", "rollback.asked": "warn", "rollback.withheld": "warn",
    "rollback.decided": "bad", "rollback.step": "step", "rollback.closed": "good", "rollback.interrupted": "bad", "rollback.recovered": "bad",
    "store.failed": "bad", "store.unreadable": "bad", "agent.task_failed": "bad", "self.stall": "warn", "text": "bad",
}


class Scenario:
    def __init__(self, stack, timeline, name):
        self.stack = stack
        self.timeline = timeline
        self.fault, self.rule, self.story = SCENARIOS[name]
        self.name = name
        self.events_seen = {}  # by kind, the first
        self.last_step = None
        self.last_status = 0.0

    def start(self):
        stack = self.stack
        configuration = stack.write_configuration(stack.configuration(mode="act"))
        self.agent = stack.child("flipback", [os.environ["FLIPBACK"], "--config", configuration])
        self.events = JsonLines(self.agent.log)
        load = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.py")
        self.load = stack.child("users", [PYTHON, load, stack.front_url + "/api/v1/properties", str(RATE), "5"])
        self.users = Users(self.load.log)
        wait_until("the agent", lambda: get(stack.agent_url + "/healthz")[0], child=self.agent)

    def run(self):
        say = self.timeline.say
        self.start()
        say("step", f"blue ({self.stack.versions['blue']}) is live; users send {RATE} requests a second, each on a connection of its own")
        self.await_event("deployment.baseline", "the agent has not seen which slot is live")
        self.watch(4)
        say("step", "cutting over to green as the runbook does: cp, nginx -t, nginx -s reload")
        self.stack.cut_over("green")
        self.await_event("deployment.cutover", "the agent has not seen the cutover")
        self.watch(6, until=lambda: self.seen("rollback.decided"))
        bad_at = time.time()
        if not self.seen("rollback.decided"):  # else there is nothing left to show, and the summary says so
            self.stack.go_bad("green", self.fault)
            say("bad", f"the release goes bad: {self.story}")
        self.watch(PATIENCE, until=lambda: self.seen("rollback.closed"))
        asked = [self.ask() for _ in range(QUESTIONS)]
        self.watch(3)
        self.load.stop(patience=15)
        self.pump()
        return self.summary(Seen(self.rule, self.stack.versions, bad_at, self.users, self.seen("rollback.decided"), self.seen("rollback.closed"), asked))

    def seen(self, kind):
        return self.events_seen.get(kind)

    def ask(self):
        """The release that answers a connection of its own now; None where there is no answer."""
        try:
            return get(self.stack.front_url + "/health")[1].get("X-Release")
        except OSError:
            return None

    def await_event(self, kind, otherwise):
        self.watch(NOTICE, until=lambda: self.seen(kind))
        if not self.seen(kind):
            raise RuntimeError(f"{otherwise} within {NOTICE} s")

    def watch(self, duration, until=lambda: False):
        end = time.time() + duration
        while time.time() < end and not until():
            if not self.agent.alive():
                raise RuntimeError(f"the agent has ended:\n{self.agent.output()[-2000:]}")
            self.pump()
            self.status()
            time.sleep(0.05)

    def pump(self):
        """Takes in what happened since the last time."""
        self.users.update()
        for event in self.events.new():
            kind = event["kind"]
            at = seconds(event) if "time" in event else time.time()
            given_up = kind == "rollback.closed" and event["outcome"] == "nothing changed"  # it is weighed anew, and may be tried again
            if not given_up:
                self.events_seen.setdefault(kind, event)
            if kind in SHOWN:
                shown = SHOWN[kind]
                if kind == "rollback.closed" and event["outcome"] != "rolled back":
                    shown = "warn" if given_up else "bad"
                self.timeline.say(shown, event["says"] + self.took(kind, at), at)
            elif kind == "probe.changed" and event["severity"] != "debug":
                self.timeline.say("good" if event["outcome"] == "pass" else "bad", event["says"], at)
            elif kind == "verdict.changed" and event["rule"] in ("error-rate", "latency") and event["to"] != "unknown":
                marks = {"ok": "good", "pending": "warn", "breached": "bad"}
                self.timeline.say(marks[event["to"]], event["says"], at)

    def took(self, kind, at):
        """How long a step of the rollback took: since the one before, or since the decision."""
        since, self.last_step = self.last_step, at if kind in ("rollback.decided", "rollback.step") else self.last_step
        return f"  ({max(0, at - since) * 1000:.0f} ms)" if kind == "rollback.step" and since is not None else ""

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

    def summary(self, seen):
        timeline = self.timeline
        timeline.heading(f"What happened ({self.name})")
        found = claims(seen)
        for holds, says in found:
            print("  " + timeline.marked("good" if holds else "bad", says))
        self.figures(seen)
        good = all(holds for holds, _ in found)
        if good:
            print("\n  " + timeline.paint("Flipback saved this deployment.", "1;32"), flush=True)
        else:
            print("\n  " + timeline.paint("This run does not show what it was to show: see the ✗ above. On a busy machine, try again when it is quieter.", "1;31"), flush=True)
        return good

    def figures(self, seen):
        """What is told beside, and claimed by nobody."""
        users = self.users
        failed = seen.fresh(is_error)
        slow = seen.fresh(lambda r: r["ended"] - r["began"] > 1.0)
        if failed and seen.decided:
            print(f"    {len(failed)} requests were answered with an error, the last one {failed[-1]['ended'] - seen.decided_at:+.2f} s from the decision")
        if slow and seen.decided:
            print(f"    {len(slow)} requests took more than 1 s, the last one begun {max(r['began'] for r in slow) - seen.decided_at:+.2f} s from the decision")
        kept = sum(1 for r in users.all if r["kind"] == "kept")
        reopened = sum(1 for r in users.all if r["kind"] == "reopened")
        print(f"    kept-alive clients, counted apart: {kept} requests, {len(users.broken('kept'))} lost; {reopened} connections closed by nginx's reloads while idle")
