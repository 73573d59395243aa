"""packaging/docs/runbook.md: each of its rows is done by a test; the shell lines among them by these."""

import glob
import os
import re
import subprocess
import time

from conftest import BINARY, ROOT, Agent
from processes import free_port
from test_verbs import ask

with open(os.path.join(ROOT, "packaging", "docs", "runbook.md"), encoding="utf-8") as file:
    PAGE = file.read()


def test_each_row_names_a_test_that_there_is():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| in the runbook", "| ---"))]
    there = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "system", "**", "test_*.py"), recursive=True):
        with open(path, encoding="utf-8") as text:
            there |= set(re.findall(r"^def (test_\w+)\(", text.read(), re.MULTILINE))
    named = [re.search(r"\| `(test_\w+)` \|$", row) for row in rows]
    assert len(rows) > 30
    assert [row for row, test in zip(rows, named) if not test or test[1] not in there] == []


def test_the_runbooks_loop_waits_for_what_is_to_come(tmp_path):
    """Green, which answers after a while; beside it something that never will."""
    loop = re.search(r"`(until flipback .*?; done)`", PAGE)[1]
    green, dead = free_port(), free_port()
    (tmp_path / "green.toml").write_text("".join(f'[probes.{name}]\ntype = "http"\nurl = "http://127.0.0.1:{port}/health"\n' for name, port in (("green", green), ("dead", dead))))
    (tmp_path / "flipback").symlink_to(BINARY)
    (tmp_path / "health").write_text("well")
    began = time.monotonic()
    waiting = subprocess.Popen(["bash", "-c", loop], cwd=tmp_path, env=dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"), stdout=subprocess.PIPE, text=True)
    server = None
    try:
        time.sleep(2.5)
        assert waiting.poll() is None
        server = subprocess.Popen(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", str(green)], cwd=tmp_path, stderr=subprocess.DEVNULL)
        said, _ = waiting.communicate(timeout=20)
    finally:
        waiting.kill()
        if server:
            server.kill()
            server.wait()
    assert waiting.returncode == 0 and time.monotonic() - began > 2.5
    assert said.splitlines()[-2].startswith("✓ green") and "dead" not in said


def test_that_the_window_has_ended_is_said_before_blue_is_stopped(stack):
    def says(window):
        return re.search(rf"^window +{window}", ask(stack, "status")[1], re.MULTILINE)

    agent = Agent(stack, stack.write_configuration(stack.configuration().replace('window = "15m"', 'window = "3s"'))).ready()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    assert says("open")
    agent.wait("deployment.window", open=False)
    assert says("closed")
