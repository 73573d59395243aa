"""A rollback rule that can't be judged while it should watch."""


def test_a_log_that_is_silent_though_the_front_door_answers_is_said_after_four_and_a_half_minutes(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    blind = agent.wait("rule.blind", seconds=290)
    assert blind["says"].startswith("no rollback rule on the traffic can be judged; ")
    assert " of 20 requests for traffic." in blind["says"] and "; traffic: 0 requests, 0 errors" in blind["says"]
    assert blind["says"].endswith("; the front door: answered 200 as v1.1.0")
    assert len(agent.of("rule.blind")) == 1
