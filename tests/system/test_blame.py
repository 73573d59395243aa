"""Whether the release is to blame for what is breached: the stable slot is asked what fails on the live one."""

from conftest import Traffic
from test_rollback import cut_over_and_break


def test_a_release_that_fails_what_the_stable_slot_does_well_is_to_blame_and_the_decision_says_so(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    decided = agent.wait("rollback.decided")
    assert "the stable slot does" in decided["blame"] and "(GET /api/v1/ping: live 500, stable 200)" in decided["blame"]
    agent.wait("rollback.closed")
    assert stack.live() == "blue"


def test_where_the_stable_slot_fails_the_same_nothing_is_flipped_and_a_person_is_asked(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("blue", "errors 1")  # its health is fine, what users ask is not
    stack.go_bad("green", "errors 1")
    blocked = agent.wait("rollback.blocked", guard="blame")
    assert "GET /api/v1/ping: live 500, stable 500" in blocked["says"]
    assert stack.live() == "green" and not agent.of("rollback.decided")
    stack.mend("blue")  # and it was green's own after all
    agent.wait("rollback.closed")
    assert stack.live() == "blue"


def test_who_only_watches_is_told_whom_to_blame(stack, fast_agent):
    agent = fast_agent("observe")
    Traffic(stack)
    cut_over_and_break(stack, agent, "errors 1")  # of half of them a few questions might all do well, by chance
    withheld = agent.wait("rollback.withheld", guard="mode")
    assert "nothing is changed" in withheld["says"] and "(GET /api/v1/ping: live 500, stable 200)" in withheld["says"]
    assert stack.live() == "green"
