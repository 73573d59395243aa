"""The probe `disk` on real file systems: one that fills up, and one whose server never answers."""

import json
import os
import signal
import time

import pytest
from conftest import BINARY, Agent
from file_systems import FileSystems
from processes import wait_until


def beside(systems, probes):
    """An agent that sees these file systems; it asks each probe five times a second."""
    text = f'[agent]\nlisten = ""\nstate = "{systems.path("flipback.db")}"\nlog_format = "json"\nlog_level = "debug"\nspread = "1ms"\n'
    text += "".join(f'[probes.{name}]\ntype = "disk"\nevery = "200ms"\n{table}\n' for name, table in probes.items())
    with open(systems.path("flipback.toml"), "w", encoding="utf-8") as file:
        file.write(text)
    return Agent(systems, systems.path("flipback.toml"), within=systems.within).ready()


@pytest.fixture
def systems(tmp_path):
    with FileSystems(tmp_path / "systems") as systems:
        yield systems


def threads(agent):
    return len(os.listdir(f"/proc/{agent.child.pid}/task"))


def test_a_disk_that_fills_up_alerts_until_a_quarter_is_free(systems):
    agent = beside(systems, {"data": f'paths = "{systems.small}"'})
    systems.fill(0.7)
    agent.wait("verdict.changed", rule="disk:data", to="ok")
    systems.fill(0.85)
    told = agent.wait("verdict.changed", rule="disk:data", to="breached")
    assert told["severity"] == "warning" and "data.free_ratio is 14.9" in told["says"], told
    systems.fill(0.77)  # more than 20% are free, less than 25%
    time.sleep(1)
    assert not agent.of("verdict.changed", rule="disk:data", **{"from": "breached"})
    systems.fill(0.7)
    agent.wait("verdict.changed", rule="disk:data", to="ok", **{"from": "breached"})


def test_a_file_system_that_hangs_is_named_and_holds_nothing_up(systems):
    agent = beside(systems, {"hung": f'paths = ["/", "{systems.hung}"]', "data": f'paths = "{systems.small}"'})
    told = agent.wait("probe.changed", probe="hung", outcome="fail", reason="timed out")
    assert f"{systems.hung}: timed out after 200ms while waiting for the answer" in told["says"], told
    agent.wait("probe.changed", probe="data", outcome="pass")
    before = threads(agent)
    systems.fill(0.9)
    agent.wait("verdict.changed", rule="disk:data", to="breached")
    systems.fill(0.1)
    agent.wait("verdict.changed", rule="disk:data", to="ok", **{"from": "breached"})
    time.sleep(2)
    assert threads(agent) <= before + 1  # that of a look under way
    systems.end_the_hang()
    agent.wait("probe.changed", probe="hung", outcome="pass")


def test_a_file_system_that_hangs_holds_no_end_up(systems):
    agent = beside(systems, {f"hung{i}": f'paths = "{systems.hung}"' for i in range(20)})
    wait_until("every one to hang", lambda: len(agent.of("probe.changed", outcome="fail")) == 20, child=agent.child)
    began = time.monotonic()
    agent.child.signal(signal.SIGTERM)
    assert agent.child.process.wait(5) == 0
    assert time.monotonic() - began < 2


def test_a_check_of_a_file_system_that_hangs_ends(systems):
    with open(systems.path("check.toml"), "w", encoding="utf-8") as file:
        file.write(f'[probes.hung]\ntype = "disk"\npaths = "{systems.hung}"\ntimeout = "300ms"\n'
                   f'[probes.backup]\ntype = "file"\npath = "{systems.hung}/*.sql"\ntimeout = "300ms"\n[probes.root]\ntype = "disk"\n')
    check = systems.child("check", [*systems.within, BINARY, "--check", "--format", "json", "--config", systems.path("check.toml")])
    assert check.process.wait(3) == 1
    hung, backup, root = json.loads(check.output())["probes"]
    assert hung["says"] == f"{systems.hung}: timed out after 300ms while waiting for the answer"
    assert backup["says"] == f"{systems.hung}/*.sql: timed out after 300ms while waiting for the answer"
    assert root["outcome"] == "pass"
