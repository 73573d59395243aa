"""`flipback drill`: a rollback rehearsed, all but the change."""

import json

from processes import wait_until
from test_verbs import ask


def drilled(stack):
    status, printed, _ = ask(stack, "drill", "--json")
    found = json.loads(printed)
    assert (status == 0) == (found["is"] == "ok"), found
    return found, {step["step"]: step for step in found["steps"]}


def nothing_was_changed(agent):
    return [e["kind"] for e in agent.update() if e["kind"].startswith(("rollback.", "flip."))] == []


def test_after_a_cutover_a_rollback_is_rehearsed_to_the_proof_and_nothing_changes(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover", 10)
    status, printed, complaints = ask(stack, "drill")
    assert status == 0, printed + complaints
    lines = dict((line[:9].strip(), line[10:]) for line in printed.splitlines())
    assert list(lines) == ["way back", "record", "ready", "slot", "proof", "a breach", "drill"]
    assert lines["slot"].startswith("ok         blue answered well, ") and lines["proof"].startswith("ok         3 fresh answers in a row")
    assert lines["a breach"].strip() == "is rolled back by itself, where both slots show that the release is to blame"
    assert lines["drill"] == "ok         a rollback to blue with v1.0.0 would be carried out and proven; nothing was changed"
    assert "would be carried out and proven" in agent.wait("deployment.drilled")["says"]
    assert stack.live() == "green" and nothing_was_changed(agent)


def test_what_a_rollback_would_fail_by_is_named_and_what_can_not_be_told(stack, fast_agent):
    agent = fast_agent("observe")
    agent.wait("deployment.baseline")
    found, steps = drilled(stack)
    assert found["is"] == "can't tell" and "no cutover has been seen" in steps["way back"]["says"] and steps["proof"]["is"] == "ok"
    assert found["rule"] == "tells only: mode is observe"
    stack.cut_over("green")
    agent.wait("deployment.cutover", 10)
    stack.go_bad("blue", "sick")
    found, steps = drilled(stack)
    assert found["is"] == "no" and steps["slot"]["says"].startswith("blue is sick") and "would fail by its slot" in found["says"]
    stack.mend("blue")
    with open(stack.live_site, "a", encoding="utf-8") as file:
        file.write("nonsense;\n")
    found, steps = drilled(stack)
    assert steps["ready"]["is"] == "no" and "nonsense" in steps["ready"]["says"], steps
    stack.cut_over("green")
    wait_until("green", lambda: stack.live() == "green")
    stack.nginx.stop()
    found, steps = drilled(stack)
    assert steps["ready"]["is"] == "no" and "start nginx" in steps["ready"]["says"]
    assert steps["proof"]["is"] == "can't tell" and "the front door did not answer" in steps["proof"]["says"], steps
    assert nothing_was_changed(agent)
