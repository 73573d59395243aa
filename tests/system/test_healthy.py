"""`flipback healthy`, as a container's HEALTHCHECK asks it: about the agent, never about what it watches."""

import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import BINARY, Agent
from processes import free_port, wait_until
from service import Service

SICK = """[agent]
listen = ""
socket = "{socket}"
log_format = "json"

[probes.postgres]
type = "tcp"
address = "127.0.0.1:{port}"
every = "100ms"
"""


class Host(Service):
    def start(self):
        pass


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "host") as made:
        made.file = made.path("flipback.toml")
        made.socket = made.path("s")
        with open(made.file, "w", encoding="utf-8") as file:
            file.write(SICK.format(socket=made.socket, port=free_port()))
        yield made


def healthy(*words, within=()):
    began = time.monotonic()
    done = subprocess.run([*within, BINARY, "healthy", *words], capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr.count("\n") == (1 if done.returncode else 0), done.stderr
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began


def test_an_agent_is_well_though_what_it_watches_is_not(host):
    agent = Agent(host, host.file).ready()
    agent.wait("probe.changed", probe="postgres", outcome="fail")
    for words in (("--config", host.file), ("--socket", host.socket)):
        status, says, complaints, _ = healthy(*words)
        assert (status, complaints) == (0, "") and "watches 1 probes with" in says


def test_a_configuration_that_was_refused_leaves_the_agent_well(host):
    agent = Agent(host, host.file).ready()
    with open(host.file, "a", encoding="utf-8") as file:
        file.write("nonsense\n")
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.rejected")
    assert healthy("--socket", host.socket)[0] == 0


def test_an_agent_that_hangs_is_not_well_and_is_not_waited_for(host):
    agent = Agent(host, host.file).ready()
    agent.child.signal(signal.SIGSTOP)
    wait_until("the stop", lambda: "State:\tT" in open(f"/proc/{agent.child.pid}/status", encoding="utf-8").read())
    status, says, complaints, _ = healthy("--config", host.file)
    assert (status, says) == (1, "") and "has not answered within 2s; start the agent, restart it where it hangs" in complaints
    agent.child.signal(signal.SIGCONT)
    assert wait_until("the agent", lambda: healthy("--config", host.file)[0] == 0)


def test_where_no_agent_is_none_is_well(host, tmp_path):
    status, _, complaints, _ = healthy("--config", host.file)
    assert status == 1 and f"no agent listens on {host.socket}: No such file or directory; start the agent" in complaints
    status, _, complaints, _ = healthy("--config", tmp_path / "none.toml")
    assert status == 1 and "can't read --config" in complaints
    status, _, complaints, _ = healthy("--socket", "/" + "x" * 200)
    assert status == 1
    agent = Agent(host, host.file).ready()
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    status, _, complaints, _ = healthy("--config", host.file)
    assert status == 1 and "Connection refused" in complaints


def test_what_is_no_agent_is_none_that_is_well(host):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(host.socket)
        other.listen(8)
        status, _, complaints, took = healthy("--socket", host.socket)
        assert status == 1 and "has not answered" in complaints and took >= 2


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_who_may_not_ask_is_told_so(host):
    Agent(host, host.file).ready()
    status, _, complaints, _ = healthy("--socket", host.socket, within=["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
    assert status == 1 and ("no right to use" in complaints or "may not be entered" in complaints)


def test_a_line_that_can_not_be_meant_is_a_usage(host):
    assert subprocess.run([BINARY, "healthy", "--json"], capture_output=True, timeout=20, check=False).returncode == 2
