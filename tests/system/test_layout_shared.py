"""Hosts on which nginx itself passes users to both slots, or to the other one: that is no cutover, and nothing acts on it."""

import time

from conftest import Traffic
from cutting_over import BY_SITE, is_watched, lacks, start
from layout import SERVER
from processes import wait_until

DOWN = """
[[rules]]
name = "live-down"
when = "live.up == 0"
for = "1s"
then = "rollback"
"""


def shared(slot, servers):
    """A slot's file, whose group of servers has the other one, too."""
    other = {"blue": "green", "green": "blue"}[slot]
    return f"# {slot}\nupstream api {{ " + servers.format(own=f"127.0.0.1:%({slot})s", other=f"127.0.0.1:%({other})s") + " }\n" + SERVER


def shared_sites(servers):
    files = {f"sites-available/{slot}": shared(slot, servers) for slot in ("blue", "green")}
    return files | {"sites-enabled/default": files["sites-available/blue"]}


def nothing_acts(layout, agent, seconds=4):
    """However bad it is: no cutover, no rollback, and not a byte is changed."""
    before = layout.tree()
    cutovers = len(agent.of("deployment.cutover"))
    time.sleep(seconds)
    assert len(agent.of("deployment.cutover")) == cutovers
    assert agent.of("rollback.decided") == []
    assert layout.tree() == before


def test_weights_make_it_mixed_and_rules_ask(lay_out):
    layout = lay_out(shared_sites("server {own} weight=5; server {other};"))
    agent = start(layout, *BY_SITE)
    Traffic(layout)
    agent.wait("deployment.baseline", live="blue")
    agent.wait("deployment.mixed")
    layout.copy("sites-available/green", "sites-enabled/default")
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    wait_until("both again", lambda: agent.update() and agent.kinds().count("deployment.mixed") > 1, child=agent.child)
    layout.stack.go_bad("green", "errors 0.5")
    asked = agent.wait("rollback.asked")
    assert "both slots" in asked["says"], asked
    nothing_acts(layout, agent)
    assert [e["live"] for e in agent.of("deployment.cutover")] == ["green"]


def test_a_backup_server_that_takes_over_is_a_failover_and_rules_ask(lay_out):
    layout = lay_out(shared_sites("server {own} max_fails=1 fail_timeout=60s; server {other} backup;"))
    agent = start(layout, *BY_SITE, extra=DOWN)
    Traffic(layout)
    is_watched(layout, agent)
    layout.copy("sites-available/green", "sites-enabled/default")
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    layout.stack.slots["green"].stop()
    agent.wait("deployment.failover")
    asked = agent.wait("rollback.asked", rule="live-down")
    assert "another slot" in asked["says"], asked
    nothing_acts(layout, agent)
    assert [e["live"] for e in agent.of("deployment.cutover")] == ["green"]
    assert layout.reached() == {"blue"}


def test_split_clients_make_it_mixed_and_the_key_to_set_is_named(lay_out):
    pools = "".join(f"upstream {slot} {{ server 127.0.0.1:%({slot})s; }}\n" for slot in ("blue", "green"))
    split = "split_clients $request_id $pool { 20%% green; * blue; }\n"
    layout = lay_out({"conf.d/pools.conf": pools, "conf.d/live.conf": split, "sites-enabled/api": SERVER.replace("http://api", "http://$pool")})
    agent = start(layout, 'live_site = "%(dir)s/conf.d/live.conf"', 'text = ["* blue;"]', 'text = ["* green;"]')
    Traffic(layout)
    agent.wait("deployment.baseline", live="blue")
    agent.wait("deployment.mixed")
    assert lacks(agent) == []
    said = [e["says"] for e in agent.of("deployment.not_ready")]
    assert any("canary" in each for each in said), said
    layout.stack.go_bad("blue", "errors 1")
    agent.wait("rollback.withheld", rule="error-rate")
    nothing_acts(layout, agent)
    assert agent.of("deployment.cutover") == []
