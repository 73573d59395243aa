"""Whether the release is to blame for what is breached: the stable slot is asked what fails on the live one."""

import signal
import time

from conftest import FAST, Agent, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break


def both_fail_half_after_a_cutover(stack, agent):
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    for slot in ("blue", "green"):
        stack.go_bad(slot, "errors 0.5")


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


def test_a_reload_in_an_outage_that_both_slots_have_forgets_nothing_of_what_failed(stack):
    text = stack.configuration(short_rules=False, extra=FAST)
    agent = Agent(stack, stack.write_configuration(text.replace("traffic.error_rate over 2s > 5%", "traffic.error_rate over 2s > 99%"))).ready()
    Traffic(stack)
    both_fail_half_after_a_cutover(stack, agent)
    time.sleep(4)
    stack.write_configuration(text)  # what is breached now was so all along
    for _ in range(3):
        reloads = len(agent.of("config.reloaded"))
        agent.child.signal(signal.SIGHUP)
        wait_until("the reload", lambda count=reloads: len(agent.of("config.reloaded")) > count, child=agent.child)
        time.sleep(2)
    agent.wait("rollback.blocked", guard="blame")
    assert stack.live() == "green" and not agent.of("rollback.decided")


def test_an_agent_that_starts_in_an_outage_asks_both_slots_for_what_failed_before_it_came(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    both_fail_half_after_a_cutover(stack, agent)
    agent.wait("rollback.blocked", guard="blame")
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait(30)
    again = fast_agent()
    again.wait("rollback.blocked", guard="blame")
    time.sleep(2)
    assert stack.live() == "green" and not again.of("rollback.decided")
