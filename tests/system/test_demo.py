"""The demo, as a person runs it; and that it claims nothing that it did not see."""

import concurrent.futures
import copy
import glob
import os
import random
import re
import signal
import subprocess
import tempfile
import time

import pytest
from claims import Seen, claims
from conftest import BINARY, ROOT
from stack import get


@pytest.fixture
def folder():
    """Where this demo alone makes its own: others may run at the same time. Postgres, as another user, must reach it."""
    with tempfile.TemporaryDirectory(prefix="flipback-demos-") as made:
        os.chmod(made, 0o755)
        yield made


def left_behind(folder):
    return glob.glob(os.path.join(folder, "*"))


def processes_of(session):
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == session]


def session_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return None


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return "(ended)"


def start(folder, *arguments, agent=BINARY):
    return subprocess.Popen([os.path.join(ROOT, "packaging", "demo", "run"), *arguments], env=dict(os.environ, FLIPBACK=str(agent), TMPDIR=folder), start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_demo_saves_the_deployment_and_leaves_nothing_behind(folder):
    demo = start(folder, "--scenario", "errors", "--plain")
    said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, said
    assert re.search(r"blue with v1\.0\.0 is live, proven in \d+ms", said), said
    assert "Flipback saved this deployment." in said
    assert not re.search(r"✗ [^\n]*\n", said.partition("What happened")[2]), said
    assert left_behind(folder) == []
    assert [command_of(pid) for pid in processes_of(demo.pid)] == []


@pytest.mark.parametrize("part", range(4))
def test_ctrl_c_at_any_instant_leaves_nothing_behind(folder, part):
    demo = start(folder, "--scenario", "latency", "--plain")
    instant = random.uniform(4 * part, 4 * part + 4)
    time.sleep(instant)
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode in (130, -signal.SIGINT), f"after {instant:.3f} s: exit {demo.returncode}\n{said}"
    assert left_behind(folder) == [], f"after {instant:.3f} s"
    time.sleep(0.2)  # what the kernel has just been told to end
    assert [command_of(pid) for pid in processes_of(demo.pid)] == [], f"after {instant:.3f} s"


def an_agent_in_whose_world(path, what):
    """The agent, beside something that happens to its stack: the demo is to find that out."""
    path.write_text(f"#!/bin/sh\n{what}\nexec {BINARY} \"$@\"\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("what, says", [
    ("echo 'errors 0.3' >$(dirname $2)/green.fault", "✗ green was not well before its fault"),
    ("sed -i 's/mode = \"act\"/mode = \"observe\"/' $2", "✗ nothing was decided"),
])
def test_the_demo_says_what_it_did_not_see_and_fails(folder, tmp_path, what, says):
    demo = start(folder, "--scenario", "errors", "--plain", agent=an_agent_in_whose_world(tmp_path / "agent", what))
    said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 1, said
    assert says in said
    assert "Flipback saved" not in said


class SomeUsers:
    def __init__(self, requests):
        self.requests = requests

    def fresh(self):
        return self.requests

    def broken(self, kind):
        return [r for r in self.requests if r["kind"] == kind and r["error"]]


def one(began, release, status=200, took=0.01, error=None):
    return {"kind": "fresh", "began": began, "ended": began + took, "status": status, "release": release, "error": error}


def event(second, **fields):
    return {"time": f"2026-11-29T00:00:{second:06.3f}Z", **fields}


def seen_as_it_should_be():
    zero = 1795910400.0  # the second in which the events' minute begins
    users = [one(zero + i, "green") for i in range(10)] + [one(zero + 10 + i, "green", 500) for i in range(5)] + [one(zero + 15.2 + i, "blue") for i in range(3)]
    return {"rule": "error-rate", "releases": {"blue": "blue", "green": "green"}, "bad_at": zero + 10, "users": SomeUsers(users),
            "decided": event(15, rule="error-rate"), "closed": event(15.1, outcome="rolled back", says=""), "asked": ["blue"] * 20}


def decided_before_the_fault(seen):
    seen["decided"] = event(4.75, rule="error-rate")


def proven_before_it_was_decided(seen):
    seen["closed"]["time"] = event(14)["time"]


def undone(seen):
    seen["closed"]["outcome"] = "undone"


def by_another_rule(seen):
    seen["decided"]["rule"] = "latency"


def nothing_decided(seen):
    seen["decided"] = None


def nothing_closed(seen):
    seen["closed"] = None


def nobody_reached_green(seen):
    seen["users"].requests = [r for r in seen["users"].requests if r["release"] != "green"]


def green_failed_before(seen):
    seen["users"].requests[3]["status"] = 500


def green_was_slow_before(seen):
    for r in seen["users"].requests[:3]:
        r["began"] -= 2


def nobody_came_back(seen):
    seen["users"].requests = seen["users"].requests[:15]


def one_user_still_on_green(seen):
    seen["users"].requests[-1]["release"] = "green"


def blue_fails_too(seen):
    seen["users"].requests[-1]["status"] = 500


def one_answer_of_green(seen):
    seen["asked"][7] = "green"


def no_answer(seen):
    seen["asked"][7] = None


def a_request_lost(seen):
    seen["users"].requests[5] = one(seen["bad_at"] - 5, None, None, error="ConnectionResetError")


FLAWS = [decided_before_the_fault, proven_before_it_was_decided, undone, by_another_rule, nothing_decided, nothing_closed, nobody_reached_green, green_failed_before,
         green_was_slow_before, nobody_came_back, one_user_still_on_green, blue_fails_too, one_answer_of_green, no_answer, a_request_lost]


def test_everything_as_it_should_be_is_claimed():
    assert [says for holds, says in claims(Seen(**seen_as_it_should_be())) if not holds] == []


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.__name__)
def test_what_was_not_seen_is_not_claimed(flaw):
    seen = copy.deepcopy(seen_as_it_should_be())
    flaw(seen)
    assert any(not holds for holds, _ in claims(Seen(**seen)))


def test_the_api_under_load_waits_for_its_database_and_fails_nobody(stack):
    with concurrent.futures.ThreadPoolExecutor(80) as users:
        answers = list(users.map(lambda _: get(stack.slot_url("blue") + "/api/v1/properties", timeout=30)[0], range(1200)))
    assert set(answers) == {200}
