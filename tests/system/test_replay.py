"""What an agent has recorded, judged again by `flipback replay`."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BINARY, FAST, Traffic
from exposed import Exposed, instrumented
from processes import wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask
from watching import ERRORS, Watching


def record(path):
    return f'[record]\npath = "{path}"\n'


def replay(path, *words):
    done = subprocess.run([BINARY, "replay", path, *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def changes_of(path, rules):
    """The rule error-rate's changes, as --format json gives them, and the last line."""
    status, printed, complaints = replay(path, "--rules", rules, "--format", "json", "--all")
    assert status == 0, complaints
    lines = [json.loads(line) for line in printed.splitlines()]
    return [line for line in lines if line.get("rule") == "error-rate"], lines[-1]


@pytest.fixture
def recorded(tmp_path):
    """The record of an agent that saw errors rise and fall, was reloaded in between, and was killed; with what it told."""
    path = str(tmp_path / "record")
    with Exposed(instrumented(10000, 5)) as server, Watching(tmp_path, server.url, ERRORS, more=record(path)) as watching:
        wait_until("two scrapes", lambda: server.scrapes >= 3)
        server.text = instrumented(10070, 35)
        watching.agent.wait("verdict.changed", rule="error-rate", to="breached")
        watching.agent.child.signal(signal.SIGHUP)
        watching.agent.wait("config.reloaded")
        time.sleep(5.2)  # the window
        server.text = instrumented(10270, 35)
        watching.agent.wait("verdict.changed", rule="error-rate", **{"from": "breached"})
        time.sleep(1.5)  # what was seen is written once a second
        watching.agent.child.signal(signal.SIGKILL)
        watching.agent.child.process.wait()
        told = watching.agent.of("verdict.changed", rule="error-rate")
    return path, str(tmp_path / "flipback.toml"), told


def test_the_same_rules_say_the_same_at_the_same_times(recorded):
    path, rules, told = recorded
    again, ended = changes_of(path, rules)
    of = lambda events: [(e["from"], e["to"], e["value"], e["says"]) for e in events if "value" in e]  # noqa: E731
    assert of(again) == of(told)
    assert ended["kind"] == "replay.ended" and ended["samples"] > 500 and ended["rollbacks"] == 0
    for one, other in zip(again, told):
        assert one["time"][:19] == other["time"][:19] or abs(float(one["time"][17:23]) - float(other["time"][17:23])) < 0.1


def test_other_rules_say_what_they_would_have_said(recorded, tmp_path):
    path, rules, _ = recorded
    mild = tmp_path / "mild.toml"
    mild.write_text('[[rules]]\nname = "error-rate"\nwhen = "traffic.error_rate over 5s > 50%"\n[[rules]]\nname = "busy"\nwhen = "traffic.rps over 5s > 1"\n')
    status, printed, _ = replay(path, "--rules", mild)
    assert status == 0 and "error-rate:" not in printed and "busy:" in printed
    assert printed.splitlines()[-1].count("rules:") == 1
    assert replay(path, "--rules", mild) == (status, printed, _)  # byte for byte


def test_a_torn_end_is_passed_over_and_damage_is_said_with_its_place(recorded, tmp_path):
    path, rules, _ = recorded
    whole, _ = changes_of(path, rules)
    torn = str(tmp_path / "torn")
    shutil.copyfile(path, torn)
    os.truncate(torn, os.path.getsize(path) - 3)
    status, _, complaints = replay(torn, "--rules", rules)
    assert status == 0 and "are not whole, and passed over" in complaints
    with open(torn, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"\xff\xfe\xfd")
    status, printed, complaints = replay(torn, "--rules", rules)
    assert status == 2 and f"{torn}: at byte " in complaints
    assert whole


def test_what_can_not_be_replayed_is_said(recorded, tmp_path):
    path, _, _ = recorded
    (tmp_path / "wrong.toml").write_text('[[rules]]\nname = "a"\nwhen = "trafic.rps > 1"\n')
    (tmp_path / "text").write_text("hello\n")
    assert replay(str(tmp_path / "nowhere"))[::2] == (2, f"{tmp_path}/nowhere: can't be read: No such file or directory\n")
    assert replay(str(tmp_path))[0] == 2
    assert replay(str(tmp_path / "text"))[2].endswith("text: line 1, column 6: the line ends, expected a value\n")
    assert replay(path, str(tmp_path / "text"))[2] == f"{path}: is a record, which is replayed alone\n"
    assert replay(path, "--cutover", "2026-11-27T09:04:11Z")[2] == "--cutover: is for metrics: a record has its cutovers in it\n"
    status, _, complaints = replay(path, "--rules", str(tmp_path / "wrong.toml"))
    assert status == 2 and "wrong.toml:3:9: rule a: when: found the signal trafic.rps, which no probe gives; did you mean traffic.rps?" in complaints


def test_a_record_that_can_not_be_written_is_said_and_harms_nothing(tmp_path):
    with Exposed(instrumented(10000, 5)) as server, Watching(tmp_path, server.url, ERRORS, more=record("/proc/record")) as watching:
        assert "/proc/record: it can't be opened" in watching.agent.wait("record.failed")["says"]
        server.text = instrumented(10070, 35)
        watching.agent.wait("verdict.changed", rule="error-rate", to="breached")
        assert len(watching.agent.of("record.failed")) == 1


def test_a_hold_is_in_the_record_and_its_end_frees_what_it_held(stack, fast_agent, tmp_path):
    path = str(tmp_path / "record")
    agent = fast_agent(extra=record(path))
    Traffic(stack)
    assert ask(stack, "hold", "--for", "1h", "--reason", "a drill")[0] == 0
    cut_over_and_break(stack, agent)
    agent.wait("rollback.blocked", guard="hold")
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    assert ask(stack, "unhold")[0] == 0
    agent.wait("rollback.closed")
    time.sleep(1.5)
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    (tmp_path / "same.toml").write_text(FAST)
    again, ended = changes_of(path, str(tmp_path / "same.toml"))
    breached = next(e for e in again if e.get("to") == "breached")
    assert not breached["rollback"] and "it would have been blocked: held by " in breached["says"] and "a drill" in breached["says"]
    freed = next(e for e in again if e["kind"] == "replay.freed")
    assert freed["rollback"] and freed["says"].endswith("asked its other guards, and rolled back") and ended["rollbacks"] == 1


def test_a_rollback_is_in_its_record_and_other_rules_would_have_come_later_or_not_at_all(stack, fast_agent, tmp_path):
    path = str(tmp_path / "record")
    agent = fast_agent(extra=record(path))
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")
    decided = agent.wait("verdict.changed", rule="error-rate", to="breached")
    time.sleep(1.5)
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    (tmp_path / "same.toml").write_text(FAST)
    (tmp_path / "mild.toml").write_text(FAST.replace("> 5%", "> 90%"))
    again, ended = changes_of(path, str(tmp_path / "same.toml"))
    breached = [e for e in again if e["to"] == "breached"]
    assert [e["rollback"] for e in breached] == [True] and ended["rollbacks"] == 1
    assert breached[0]["says"].startswith(decided["says"]) and breached[0]["says"].endswith("asked its other guards, and rolled back")
    assert changes_of(path, str(tmp_path / "mild.toml"))[1]["rollbacks"] == 0
    print(replay(path, "--rules", str(tmp_path / "same.toml"))[1])
