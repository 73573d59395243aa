"""From the decision to the other slot's first answer and to the proof, beside the runbook's three commands."""

import os
import threading
import time

from follow import JsonLines, seconds
from measure import heading, median, row
from processes import Child, wait_until
from stack import PYTHON, Stack, get

RULE = """
[[rules]]
name = "error-rate"
when = "traffic.error_rate over 2s > 5%"
after = "1s"
min_samples = 20
min_errors = 5
then = "rollback"
[[rules]]
name = "outage"
enabled = false
"""


class Asking(threading.Thread):
    """Asks the front door again and again, on fresh connections, and notes when each slot answered."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack = stack
        self.answers = []
        self.done = False

    def run(self):
        while not self.done:
            try:
                release = get(self.stack.front_url + "/health")[1].get("X-Release")
                self.answers.append((time.time(), release))
            except OSError:
                pass

    def first(self, release, since):
        return next((at for at, who in self.answers if who == release and at > since), None)


def by_hand(stack):
    asking = Asking(stack)
    asking.start()
    time.sleep(0.3)
    began = time.time()
    stack.cut_over("blue")
    wait_until("blue", lambda: asking.first("v1.0.0", began))
    asking.done = True
    asking.join()
    return asking.first("v1.0.0", began) - began


def by_flipback(stack, build, load):
    agent = stack.child("flipback", [f"{build}/flipback", "--config", stack.write_configuration(stack.configuration(short_rules=False, extra=RULE))])
    events = JsonLines(agent.log)
    seen = []

    def event(kind):
        seen.extend(events.new())
        return next((e for e in seen if e["kind"] == kind), None)

    wait_until("the baseline", lambda: event("deployment.baseline"), child=agent)
    time.sleep(1.5)
    stack.cut_over("green")
    wait_until("the cutover", lambda: event("deployment.cutover"), child=agent)
    asking = Asking(stack)
    asking.start()
    stack.go_bad("green", "errors 0.5")
    closed = wait_until("the rollback", lambda: event("rollback.closed"), child=agent)
    time.sleep(0.3)
    asking.done = True
    asking.join()
    stack.mend("green")
    agent.stop()
    stack.forget_agents()
    if closed["outcome"] != "rolled back":
        raise RuntimeError(f"{closed['outcome']}: {closed['says']}")
    decided = seconds(event("rollback.decided"))
    return asking.first("v1.0.0", decided) - decided, seconds(closed) - decided


def flip(build, rounds):
    heading("A flip under load (goal: first answer <= 1.2 x the runbook's commands, proven <= 200 ms)")
    hand, first, proven = [], [], []
    load = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging", "demo", "load.py")
    with Stack() as stack:
        stack.child("users", [PYTHON, load, stack.front_url + "/api/v1/ping", "60", "0"])
        for _ in range(3 * rounds):
            stack.cut_over("green")
            wait_until("green", lambda: stack.live() == "green")
            hand.append(by_hand(stack))
            time.sleep(0.3)
            answered, proof = by_flipback(stack, build, load)
            first.append(answered)
            proven.append(proof)
    row("", "first answer", "proven")
    row("cp; nginx -t; nginx -s reload", f"{1000 * median(hand):.0f} ms", "not proven")
    row("flipback", f"{1000 * median(first):.0f} ms", f"{1000 * median(proven):.0f} ms")
    row("ratio", f"{median(first) / median(hand):.2f} x")
