"""`--check --slot`: is the new release fit before users reach it? And `--wait`: until it is."""

import json
import subprocess
import time

import pytest
from conftest import BINARY, Agent


def of_slot(stack, slot, *words, more="", text=None):
    """Its entries by name, what it said besides, and its exit status."""
    path = stack.write_configuration(text or stack.configuration(short_rules=False, extra=more), "check.toml")
    done = subprocess.run([BINARY, "--check", "--config", path, "--format", "json", "--slot", slot, *words], capture_output=True, text=True, timeout=90, check=False)
    return {entry["name"]: entry for entry in json.loads(done.stdout)["probes"]} if done.stdout else {}, done.stderr, done.returncode


def journey(stack):
    return (f'[probes.search]\ntype = "journey"\nurl = "{stack.front_url}"\n'
            '[[probes.search.steps]]\nname = "ping"\npath = "/api/v1/ping"\nexpect = { status = 200, "header:X-Release" = "v1.1.0" }\n'
            '[[probes.search.steps]]\nname = "properties"\npath = "/api/v1/properties"\n')


def test_the_new_slot_is_asked_before_users_reach_it_and_the_old_one_is_not(stack):
    found, _, status = of_slot(stack, "green", more=journey(stack))
    assert status == 0 and list(found) == ["green", "api", "postgres", "redis", "search"], found
    assert all(entry["outcome"] == "pass" for entry in found.values()), found
    stack.go_bad("blue", "sick")  # which users still reach
    assert of_slot(stack, "green", more=journey(stack))[2] == 0
    assert of_slot(stack, "blue")[2] == 1


def test_a_new_release_that_is_not_fit_is_told_while_users_are_well(stack):
    stack.go_bad("green", "errors 1")
    found, _, status = of_slot(stack, "green", more=journey(stack))
    assert status == 1 and found["green"]["outcome"] == "pass" and found["search"]["outcome"] == "fail" and "ping" in found["search"]["says"]
    stack.go_bad("green", "sick")
    found, _, status = of_slot(stack, "green")
    assert status == 1 and (found["green"]["outcome"], found["green"]["reason"]) == ("fail", "bad status") and "503" in found["green"]["says"]
    assert found["api"]["outcome"] == "fail"
    path = stack.write_configuration(stack.configuration(short_rules=False), "check.toml")
    assert subprocess.run([BINARY, "--check", "--config", path, "--skip", "traffic,rollback"], capture_output=True, timeout=60, check=False).returncode == 0


def test_its_health_is_held_against_what_the_slot_expects(stack):
    text = stack.configuration(short_rules=False).replace('"/status" = "healthy"', '"/version" = "v9"')
    found, _, status = of_slot(stack, "green", text=text)
    assert status == 1 and found["green"]["reason"] == "expectation" and found["api"]["outcome"] == "pass"


def test_a_slot_that_hangs_is_told_within_the_front_doors_time(stack):
    stack.slots["green"].signal(19)
    began = time.monotonic()
    found, _, status = of_slot(stack, "green", "--only", "green")
    assert status == 1 and found["green"]["reason"] == "timed out" and time.monotonic() - began < 10
    assert 0.9 < found["green"]["seconds"] < 5


def test_the_same_is_asked_before_and_after_the_switch_beside_an_agent_that_runs(stack):
    agent = Agent(stack, stack.write_configuration(stack.configuration())).ready()
    agent.wait("deployment.baseline")
    before = of_slot(stack, "green")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    after = of_slot(stack, "green")
    assert before[2] == after[2] == 0 and list(before[0]) == list(after[0])
    assert not [event for event in agent.update() if event["kind"].startswith("rollback.")]


@pytest.mark.parametrize(("words", "says"), [
    (("--slot", "gren"), 'found --slot "gren", which is no slot, expected blue or green; did you mean green?'),
    (("--slot", "green", "--only", "api,rollback"), "--only: rollback does not tell of green alone, and is not asked with --slot: leave one of the two out"),
    (("--slot", "green", "--wait", "5"), 'found --wait "5", expected a duration such as 30s or 2m, to 1d'),
    (("--wait", "8d"), 'found --wait "8d", expected a duration such as 30s or 2m, to 1d'),
])
def test_what_can_not_be_meant_is_refused_with_what_is_expected(stack, words, says):
    path = stack.write_configuration(stack.configuration(), "check.toml")
    done = subprocess.run([BINARY, "--check", "--config", path, *words], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "") and f"flipback: {says}\n" in done.stderr, done.stderr
    nagios = subprocess.run([BINARY, "--check", "--config", path, *words, "--format", "nagios"], capture_output=True, text=True, timeout=60, check=False)
    assert (nagios.returncode, nagios.stdout) == (3, f"FLIPBACK UNKNOWN - {says}\n")


def test_without_slots_there_is_none_to_ask(tmp_path):
    (tmp_path / "f.toml").write_text('[probes.disk]\ntype = "disk"\npaths = ["/"]\n')
    done = subprocess.run([BINARY, "--check", "--config", tmp_path / "f.toml", "--slot", "green"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and f'found --slot "green", and no slots in {tmp_path}/f.toml: expected a configuration with [deployment] and [slots.green]' in done.stderr


def waiting(stack, *words, **how):
    path = stack.write_configuration(stack.configuration(short_rules=False), "check.toml")
    return subprocess.Popen([BINARY, "--check", "--config", path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def test_it_waits_until_a_slot_that_starts_is_well(stack):
    stack.slots["green"].stop()
    with waiting(stack, "--slot", "green", "--wait", "60s") as child:
        time.sleep(2.5)
        assert child.poll() is None, "it has not waited"
        stack.start_slot("green")
        printed, said = child.communicate(timeout=60)
    assert child.returncode == 0 and printed.splitlines()[-1].startswith("4 passed, 0 failed, 0 unknown in ")
    assert [line.split()[:2] for line in printed.splitlines()[:-1]] == [["✓", name] for name in ("green", "api", "postgres", "redis")], "what was found last, and once"
    told = [line for line in said.splitlines() if line.startswith("waiting for ")]
    assert told[0].startswith("waiting for green (connecting to 127.0.0.1:") and ", api (" in told[0]
    assert len(told) <= 3, "it is said when it is something else that is waited for, and not each second"


def test_when_the_time_is_over_the_exit_status_is_that_of_the_last_time(stack):
    stack.go_bad("green", "sick")
    began = time.monotonic()
    with waiting(stack, "--slot", "green", "--wait", "2500ms") as child:
        printed, said = child.communicate(timeout=60)
    assert child.returncode == 1 and "✗ green" in printed and printed.count("green") == 1
    assert 2.4 < time.monotonic() - began < 15 and "waiting for green (" in said


def test_what_passes_at_once_is_not_waited_for(stack):
    began = time.monotonic()
    with waiting(stack, "--only", "redis", "--wait", "60s") as child:
        _, said = child.communicate(timeout=60)
    assert child.returncode == 0 and time.monotonic() - began < 20 and "waiting" not in said


def test_interrupted_while_it_waits_it_prints_what_was_found_last(stack):
    stack.go_bad("blue", "sick")
    with waiting(stack, "--slot", "blue", "--only", "blue", "--wait", "60s") as child:
        time.sleep(2)
        child.send_signal(2)
        printed, _ = child.communicate(timeout=20)
    assert child.returncode == 1 and "✗ blue" in printed


def test_wrong_credentials_are_tried_once_though_it_is_to_wait(stack):
    text = stack.configuration(short_rules=False).replace('password = "secret"\nevery = "1s"\ntimeout = "900ms"\n\n[probes.traffic]', 'password = "wrong"\n\n[probes.traffic]')
    path = stack.write_configuration(text, "check.toml")
    began = time.monotonic()
    done = subprocess.run([BINARY, "--check", "--config", path, "--only", "redis", "--wait", "60s"], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1 and time.monotonic() - began < 30
    assert "note: not waited for: redis was refused, and wrong credentials are not tried again and again\n" in done.stderr
