"""Functions without which the site is of no use: `critical = true`."""

import subprocess
import time

from conftest import FAST, Agent, Traffic
from processes import free_port, wait_until
from test_rollback import cut_over_and_break

NO_OTHER_RULE = FAST.replace('name = "error-rate"', 'name = "error-rate"\nenabled = false')


def search(stack, every="1s"):
    return f'[probes.search]\ntype = "http"\nurl = "{stack.front_url}/api/v1/ping"\nevery = "{every}"\ncritical = true\n'


def test_a_function_that_fails_for_a_minute_while_the_stable_slot_has_it_is_rolled_back(stack, start_agent):
    agent = start_agent(short_rules=False, extra=NO_OTHER_RULE + search(stack))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("green", "errors 1")
    failed = agent.wait("probe.changed", probe="search", outcome="fail")
    closed = agent.wait("rollback.closed", seconds=90)
    assert closed["outcome"] == "rolled back" and closed["rule"] == "critical-function:search"
    assert stack.live() == "blue"
    breached = agent.wait("verdict.changed", rule="critical-function:search", to="breached")
    minutes = [int(e["time"][14:16]) * 60 + float(e["time"][17:23]) for e in (failed, breached)]
    assert 59.9 <= (minutes[1] - minutes[0]) % 3600 < 61


def test_the_stable_slot_is_asked_the_same_past_nginx_and_where_it_fails_too_nothing_is_pending(stack, start_agent):
    agent = start_agent("observe", short_rules=False, extra=NO_OTHER_RULE + search(stack, "100ms"))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    agent.wait("probe.changed", probe="search.stable", outcome="pass")
    stack.go_bad("green", "errors 1")
    agent.wait("verdict.changed", rule="critical-function:search", to="pending")
    stack.go_bad("blue", "errors 1")
    agent.wait("probe.changed", probe="search.stable", outcome="fail")
    wait_until("no longer pending", lambda: agent.of("verdict.changed", rule="critical-function:search")[-1]["to"] == "ok")
    assert not agent.of("verdict.changed", rule="down:search.stable") and not agent.of("rollback.decided")


def test_the_live_slots_own_health_is_critical_without_a_word(stack, start_agent):
    agent = start_agent("observe", short_rules=False, extra=NO_OTHER_RULE)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("green", "sick")
    for of in ("live", "front_door"):
        assert agent.wait("verdict.changed", rule=f"critical-function:{of}", to="pending")["then"] == "rollback"
    stack.mend("green")
    wait_until("well again", lambda: agent.of("verdict.changed", rule="critical-function:live")[-1]["to"] == "ok")


def test_a_check_of_the_stable_slot_is_asked_of_that_slot_at_the_decision(stack):
    probe = f'[probes.search]\ntype = "http"\nurl = "{stack.front_url}/no/such/page"\nevery = "1h"\n'
    text = stack.configuration(short_rules=False, extra=FAST + probe).replace("[slots.blue]\n", '[slots.blue]\nchecks = ["search"]\n')
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    says = agent.wait("rollback.blocked", guard="healthy")["says"]
    assert "blue does not pass its check search (" in says and "404" in says
    assert not agent.of("rollback.decided") and stack.live() == "green"


def test_what_the_probe_was_refused_is_not_tried_at_each_slot_as_well(stack, start_agent):
    """A wrong password, three times, locks a user out of many a service."""
    agent = start_agent("observe", short_rules=False, extra=NO_OTHER_RULE + search(stack, "200ms"))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    for twin in ("search.live", "search.stable"):
        agent.wait("probe.changed", probe=twin, outcome="pass")
    rewrite_live_site(stack, "location / {", "location = /api/v1/ping { return 401; }\n  location / {")
    assert agent.wait("probe.changed", probe="search", outcome="fail")["reason"] == "unauthorised"
    refused = lambda: {e["probe"] for e in agent.of("probe.changed", outcome="unknown") if "was refused" in e["says"]}  # noqa: E731
    wait_until("both", lambda: refused() == {"search.live", "search.stable"})


def rewrite_live_site(stack, old, new):
    with open(stack.live_site, encoding="utf-8") as file:
        text = file.read()
    assert text.count(old) == 1
    with open(stack.live_site, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    subprocess.run(stack.nginx_command("-s", "reload"), check=True, capture_output=True)


def green_fails_and_is_well_again(stack, agent, fault, rule):
    """The rule sees what green itself does; what comes after it begins with no event."""
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("green", fault)
    agent.wait("verdict.changed", rule=rule, to="pending")
    stack.mend("green")
    wait_until("well again", lambda: agent.of("verdict.changed", rule=rule)[-1]["to"] == "ok")
    agent.events.clear()


def test_what_nginx_passes_to_another_application_is_not_the_live_slots_doing(stack, start_agent):
    """The search moved to a service of its own, which is down: the release is well, and going back would mend nothing."""
    agent = start_agent("observe", short_rules=False, extra=NO_OTHER_RULE + search(stack, "100ms"))
    green_fails_and_is_well_again(stack, agent, "errors 1", "critical-function:search")
    elsewhere = f"http://127.0.0.1:{free_port()}"
    rewrite_live_site(stack, "location / {", f"location = /api/v1/ping {{ proxy_pass {elsewhere}; }}\n  location / {{")
    assert "502" in agent.wait("probe.changed", probe="search", outcome="fail")["says"]
    agent.wait("verdict.changed", rule="down:search", to="pending")
    time.sleep(2)
    assert not agent.of("verdict.changed", rule="critical-function:search")
    assert not agent.of("probe.changed", probe="search.live", outcome="fail")


def test_what_nginx_answers_by_itself_at_the_front_door_is_not_the_live_slots_doing(stack, start_agent):
    """Somebody works there, and nginx says so: a page of nginx's own, while both slots are well."""
    agent = start_agent("observe", short_rules=False, extra=NO_OTHER_RULE)
    green_fails_and_is_well_again(stack, agent, "sick", "critical-function:front_door")
    rewrite_live_site(stack, "proxy_pass http://api;", "if (-d /) { return 503; } proxy_pass http://api;")
    wait_until("nginx's own answer", lambda: stack.live() is None)
    time.sleep(4)
    assert not [e for e in agent.of("verdict.changed", rule="critical-function:front_door") if e["to"] == "pending"]
