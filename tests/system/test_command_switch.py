"""A program of the user's own switches: what it does goes on after its end, and nothing may tell which slot it switched to."""

import os
import shlex
import signal
import subprocess
import time

import pytest
from conftest import BINARY, FAST, Agent, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask


def switched_by_command(stack, keys, then=""):
    """The stack's configuration with a command in each slot instead of a live site."""
    text = stack.configuration(short_rules=False, extra=FAST)
    lines = []
    for line in text.splitlines():
        if line.startswith("live_site"):
            lines += keys
        elif line.startswith("site = "):
            slot = os.path.basename(line.split('"')[1])
            lines.append(f'switch = ["{script(stack, slot, then)}"]')
        else:
            lines.append(line)
    assert sum(line.startswith("switch = ") for line in lines) == 2
    return "\n".join(lines) + "\n"


def script(stack, slot, then):
    path = stack.path(f"flipback-to-{slot}")
    with open(path, "w", encoding="utf-8") as file:
        does = f"cp {stack.site(slot)} {stack.live_site} && {shlex.join(str(w) for w in stack.nginx_command('-s', 'reload'))}"
        file.write("#!/bin/sh\n" + (f"({then}; {does}) >/dev/null 2>&1 &\n" if then else f"{does}\n"))
    os.chmod(path, 0o755)
    return path


def test_without_anything_that_names_the_live_slot_a_command_rolls_back_and_the_effect_proves_it(stack):
    agent = Agent(stack, stack.write_configuration(switched_by_command(stack, ['intent = "effect"']))).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "rolled back", closed
    assert closed["reached"] == "blue" and stack.live() == "blue"


def test_the_proof_of_a_command_has_the_time_that_its_doing_takes(stack):
    active = stack.path("flipback-active")
    with open(active, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ncat {stack.path('flipback-names')}\n")
    os.chmod(active, 0o755)
    names = stack.path("flipback-names")
    with open(names, "w", encoding="utf-8") as file:
        file.write("blue\n")
    keys = [f'active = ["{active}"]', 'prove_within = "500ms"', 'settle_within = "20s"']
    text = switched_by_command(stack, keys, then="sleep 3")
    for slot in ("blue", "green"):  # it names the slot at its end, and users come there three seconds later
        with open(stack.path(f"flipback-to-{slot}"), "a", encoding="utf-8") as file:
            file.write(f"echo {slot} > {names}\n")
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    agent.wait("deployment.baseline")
    with open(names, "w", encoding="utf-8") as file:
        file.write("green\n")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    status, printed, complaints = ask(stack, "rollback", "--reason", "the other is better")
    assert status == 0, complaints
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "rolled back" and closed["seconds"] > 2 and "proven" in printed
    assert stack.live() == "blue"


def named_by_a_file(stack, to_blue):
    """Commands of which `active` tells what came; the one to blue also does this first."""
    names = stack.path("flipback-names")
    active = stack.path("flipback-active")
    with open(active, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ncat {names}\n")
    os.chmod(active, 0o755)
    text = switched_by_command(stack, [f'active = ["{active}"]'])
    for slot in ("blue", "green"):
        path = stack.path(f"flipback-to-{slot}")
        with open(path, encoding="utf-8") as file:
            does = file.read().splitlines()[-1]
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + (to_blue if slot == "blue" else "") + f"{does}\necho {slot} > {names}\n")

    def name(slot):
        with open(names, "w", encoding="utf-8") as file:
            file.write(slot + "\n")

    name("blue")
    return text, name


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_goes_on_when_its_agent_ends_and_the_next_one_waits_for_it(stack, how):
    go, began = stack.path(f"go-{how}"), stack.path(f"began-{how}")
    text, name = named_by_a_file(stack, f"echo $$ >> {began}\nuntil [ -e {go} ]; do sleep 0.05; done\necho there was a wait || exit 1\n")
    configuration = stack.write_configuration(text)
    agent = Agent(stack, configuration).ready()
    Traffic(stack)
    agent.wait("deployment.baseline")
    name("green")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    person = subprocess.Popen([BINARY, "rollback", "--reason", "it is bad", "--config", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until("the command", lambda: os.path.exists(began))
    agent.child.signal(how)
    agent.child.process.wait(30)
    person.wait(30)
    later = Agent(stack, configuration, "flipback-again").ready()
    time.sleep(1)  # it must not be begun again, nor taken for over
    assert not later.of("rollback.recovered")
    with open(go, "w", encoding="utf-8"):
        pass
    closed = later.wait("rollback.recovered")
    assert (closed["outcome"], closed["reached"], stack.live()) == ("rolled back", "blue", "blue"), closed
    with open(began, encoding="utf-8") as file:
        assert len(file.readlines()) == 1
