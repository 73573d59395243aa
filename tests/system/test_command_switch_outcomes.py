"""What is said of a switch command that has ended while `active` prints the old slot: what users show, and no more."""

import os
import re
import signal
import subprocess
import time

from conftest import BINARY, Agent, Traffic
from processes import wait_until
from test_command_switch import named_by_a_file, script, switched_by_command
from test_rollback import cut_over_and_break
from test_verbs import ask, ask_json


def with_a_script(stack, to_blue):
    """`active` prints what a file says, which the command to blue does not write; it does this instead."""
    text, name = named_by_a_file(stack, "")
    moves = script(stack, "blue", "")
    with open(moves, encoding="utf-8") as file:
        does = file.read().splitlines()[-1]
    with open(moves, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + to_blue.replace("MOVE", does))
    keys = 'prove_within = "500ms"\nsettle_within = "2s"\n'
    return text.replace("[deployment]\n", "[deployment]\n" + keys, 1), name


def green_is_live(stack, text, name):
    path = stack.write_configuration(text)
    agent = Agent(stack, path).ready()
    Traffic(stack)
    agent.wait("deployment.baseline")
    name("green")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    return agent, path


def test_a_command_that_moved_users_though_active_names_the_old_slot_is_said_to_have_moved_them(stack):
    for status in (0, 7):
        text, name = with_a_script(stack, f"MOVE\nexit {status}\n")
        agent, _ = green_is_live(stack, text, name)
        code, _, complaints = ask(stack, "rollback", "--reason", "it is bad")
        closed = agent.wait("rollback.closed")
        assert code == 1 and "users reach blue" in complaints and "`active` still prints green" in complaints, complaints
        assert (closed["outcome"], closed["reached"], closed["changed"]) == ("unproven", "blue", True), closed
        wait_until("all users at blue: an old worker that has not run since the reload accepts once more", lambda: stack.live() == "blue", seconds=2)
        assert f"ended with status {status}" in closed["says"] and "nothing was changed" not in closed["says"], closed
        assert "look at what slots.blue.switch does" in closed["says"] and "nginx -t" not in closed["says"], closed
        agent.child.stop()
        name("blue")


def test_the_same_is_said_after_a_crash(stack):
    began = stack.path("began")
    text, name = with_a_script(stack, f"MOVE\ntouch {began}\nsleep 2\n")
    agent, path = green_is_live(stack, text, name)
    person = subprocess.Popen([BINARY, "rollback", "--reason", "it is bad", "--config", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until("the command", lambda: os.path.exists(began))
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait(30)
    person.wait(30)
    closed = Agent(stack, path, "flipback-again").ready().wait("rollback.recovered")
    assert (closed["outcome"], closed["reached"]) == ("unproven", "blue"), closed
    wait_until("all users at blue", lambda: stack.live() == "blue", seconds=2)


def test_where_nothing_shows_whom_users_reach_a_command_that_failed_can_not_be_told(stack):
    text, name = with_a_script(stack, "exit 7\n")
    agent, _ = green_is_live(stack, text, name)
    with open(stack.live_site, "w", encoding="utf-8") as file:  # nginx itself answers all, and no slot is seen
        file.write(re.sub("proxy_pass [^;]*;", "return 204;", stack.site_text("green")))
    subprocess.run(stack.nginx_command("-s", "reload"), check=True, capture_output=True)
    time.sleep(1)
    code, _, complaints = ask(stack, "rollback", "--reason", "it is bad")
    closed = agent.wait("rollback.closed")
    assert code == 1 and "whether something was changed can't be told" in complaints, complaints
    assert (closed["outcome"], closed["reached"], closed["changed"]) == ("can't tell", "can't tell", True), closed


def test_a_command_that_fails_is_tried_later_each_time_and_a_person_waits_for_none(stack):
    text, name = with_a_script(stack, "echo no such container >&2\nexit 7\n")
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    agent.wait("deployment.baseline")
    name("green")
    cut_over_and_break(stack, agent)
    wait_until("three attempts", lambda: len(agent.of("rollback.closed")) >= 3, seconds=60)
    closed = agent.of("rollback.closed")
    assert [c["severity"] for c in closed] == ["critical", "warning", "warning"], closed
    for i, c in enumerate(closed):
        assert (c["outcome"], c["reached"], c["changed"]) == ("nothing changed", "green", False), c
        assert f"attempt {i + 1} of error-rate failed at " in c["says"] and "UTC, next at " in c["says"], c
    decided = agent.of("rollback.decided")
    assert [d["severity"] for d in decided] == ["critical", "warning", "warning"], decided
    said = ask_json(stack, "status")["deployment"]
    assert said["failed_attempts"] == 3 and 0 < said["next_attempt_in"] <= 20 and said["latched"] is False, said
    assert "attempt 3 of error-rate failed at " in ask(stack, "status")[1]
    began = time.monotonic()
    assert ask(stack, "rollback", "--reason", "now")[0] == 1
    assert time.monotonic() - began < 10
    assert ask_json(stack, "status")["deployment"]["failed_attempts"] <= 1
    name("blue")
