"""`flipback flip SLOT`: a cutover in one command, which is proven, or undone."""

import json
import os
import subprocess

from conftest import BINARY, Agent, Traffic
from processes import wait_until
from test_verbs import ask, ask_json


def flip(stack, *words):
    return ask(stack, "flip", *words)


def test_a_release_is_put_live_and_proven_and_the_rollback_window_opens(stack, fast_agent):
    agent = fast_agent("observe")
    agent.wait("deployment.baseline")
    users = Traffic(stack)
    status, printed, complaints = flip(stack, "green", "--reason", "v1.1.0 is there")
    assert status == 0, complaints
    assert printed.startswith("green with v1.1.0 is live, proven in ") and "what the files said before is kept" in printed
    assert stack.live() == "green"
    cutover = agent.wait("deployment.cutover", 10)
    assert (cutover["live"], cutover["previous"]) == ("green", "blue")
    now = ask_json(stack, "status")["deployment"]
    assert (now["live"], now["stable"], now["window_open"], now["latched"], now["flipping"]) == ("green", "blue", True, False, "")
    assert agent.of("flip.closed")[0]["outcome"] == "flipped" and agent.of("rollback.decided") == agent.of("incident.began") == []
    log = ask(stack, "log")[1]
    assert "putting green with v1.1.0 live" in log and "v1.1.0 is there" in log
    assert users.stop().broken("fresh") == []
    status, _, complaints = flip(stack, "green")
    assert status == 1 and "green is live already: users reach it, and the switch names it" in complaints


def test_what_it_put_live_is_rolled_back_by_a_rule_like_any_other(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    Traffic(stack)
    assert flip(stack, "green")[0] == 0
    agent.wait("deployment.cutover", 10)
    stack.go_bad("green", "errors 0.5")
    assert agent.wait("rollback.closed", 60)["outcome"] == "rolled back"
    assert stack.live() == "blue"
    stack.mend("green")
    assert wait_until("green to be put live again", lambda: flip(stack, "green")[0] == 0)  # a shut latch is no matter of a person's
    assert stack.live() == "green"


def test_nginx_that_refuses_the_slots_file_stays_as_it_is(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    with open(stack.site("green"), "a", encoding="utf-8") as file:
        file.write("nonsense;\n")
    status, _, complaints = flip(stack, "green")
    assert status == 1 and "undone, blue stays live" in complaints and "nonsense" in complaints
    assert f"({stack.live_site} held what is green's)" in complaints
    assert stack.live() == "blue" and agent.of("flip.closed")[0]["outcome"] == "undone"


def test_with_nginx_stopped_a_moment_ago_nothing_is_begun(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.nginx.stop()
    status, _, complaints = flip(stack, "green")
    # A test of its configuration that meets nginx's end makes an empty pid file.
    assert status == 1 and stack.nginx_pid in complaints and "start nginx" in complaints and "--force" not in complaints, complaints
    assert agent.of("flip.decided") == []


def test_the_way_back_taken_by_a_flip_says_that_it_counts_as_a_rollback(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    assert flip(stack, "green")[0] == 0
    agent.wait("deployment.cutover", 10)
    status, printed, complaints = flip(stack, "blue")
    assert status == 0 and "that was the way back from green, so that it counts as your rollback" in printed, printed + complaints
    assert "somebody rolled back from green" in wait_until("the cutover", lambda: agent.of("deployment.cutover")[1:])[0]["says"]


def test_a_slot_that_is_sick_is_put_live_by_force_alone(stack, fast_agent):
    agent = fast_agent("observe")
    agent.wait("deployment.baseline")
    stack.go_bad("green", "sick")
    status, _, complaints = flip(stack, "green")
    assert status == 1 and "green is sick" in complaints and "flip green --force` does it all the same" in complaints
    assert stack.live() == "blue" and agent.of("flip.decided") == []
    status, printed, complaints = flip(stack, "green", "--force")
    assert status == 0 and "green with v1.1.0 is live, proven" in printed, complaints
    assert stack.live() == "green"


def test_what_can_not_be_meant_is_said(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    status, _, complaints = flip(stack, "gren")
    assert status == 2 and 'found "gren", which is no slot, expected blue or green' in complaints
    assert flip(stack)[0] == 2


def test_killed_in_the_middle_it_is_completed_or_undone_by_the_next_start(stack):
    """nginx's test takes its time, so that the agent can be killed before the reload that follows it."""
    slow_test = json.dumps(["/bin/sh", "-c", 'sleep 1; exec "$0" "$@"', *stack.nginx_command("-t")])
    text = stack.configuration(mode="observe").replace("[nginx]\n", f"[nginx]\ntest_command = {slow_test}\n")
    agent = Agent(stack, stack.write_configuration(text)).ready()
    agent.wait("deployment.baseline")
    slow = subprocess.Popen([BINARY, "flip", "green", "--socket", stack.path("flipback.sock")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    agent.wait("flip.step", 10, step="install")
    agent.child.signal(9)
    agent.child.process.wait()
    assert slow.wait(20) == 2
    again = Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    ended = again.wait("flip.recovered", 30)
    live = wait_until("one slot to be live", stack.live)
    assert {"flipped": "green", "undone": "blue", "nothing changed": "blue"}[ended["outcome"]] == live, ended
    wait_until("that to be known", lambda: ask_json(stack, "status")["deployment"]["live"] == live)
    assert not ask_json(stack, "status")["deployment"]["latched"]
    assert os.path.exists(stack.live_site)
