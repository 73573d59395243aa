"""packaging/docs/runbook.md: each of its rows is done by a test; what no other file shows is shown here."""

import glob
import os
import re

from conftest import ROOT, Agent
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
