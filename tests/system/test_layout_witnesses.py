"""What shows which slot users reach, on hosts whose slots do not tell, or whose cache answers for them: nginx's log, or its new workers."""

import time

import pytest
from cutting_over import BY_SITE, SITE, goes_bad_and_is_rolled_back, is_cut_over_and_rolled_back, is_watched, sites, start
from test_verbs import ask

FAILING = """
[probes.api]
type = "http"
url = "{url}"
every = "200ms"
timeout = "190ms"

[[rules]]
name = "failing"
when = "api.up over 2s < 40%"    # one slow answer while nginx reloads is less
then = "rollback"
"""


def failing(layout, path):
    return FAILING.format(url=layout.front_url + path)


def flip(layout):
    layout.copy("sites-available/green", "sites-enabled/default")
    layout.reload()


@pytest.mark.parametrize("identity", ["", 'identity = "/status"'], ids=["none", "equal"])
def test_where_both_slots_say_the_same_of_themselves_the_log_tells(lay_out, identity):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}))
    agent = start(layout, *BY_SITE, identity=identity)
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.copy("sites-available/green", "sites-enabled/default"))


@pytest.mark.parametrize("identity", ["", 'identity = "/status"'], ids=["none", "equal"])
def test_without_identity_and_without_a_log_the_new_workers_tell_of_a_cutover_and_prove_nothing(lay_out, identity):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}), log=False)
    agent = start(layout, *BY_SITE, identity=identity, probes=failing(layout, "/health"))
    before = is_watched(layout, agent, traffic=False)
    layout.copy("sites-available/green", "sites-enabled/default")
    time.sleep(1.5)  # processes and files are dated by two clocks: within a second it can't be told which came first
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    layout.stack.go_bad("green", "sick")
    closed = agent.wait("rollback.closed", seconds=60)
    assert closed["outcome"] == "unproven" and closed["reached"] == "can't tell", closed
    assert layout.reached() == {"blue"}
    assert layout.tree() == before


def test_a_log_that_names_no_upstream_is_no_witness_and_identity_proves(lay_out):
    keys = ("time", "$msec"), ("status", "$status"), ("request", "$request"), ("request_time", "$request_time"), ("agent", "$http_user_agent")
    thin = ",".join(f'"{key}":"{variable}"' for key, variable in keys)
    site = SITE.replace("access_log %(log)s", "access_log %(dir)s/access.json thin")
    files = {f"sites-available/{slot}": site.format(slot=slot) for slot in ("blue", "green")} | {"sites-enabled/default": site.format(slot="blue")}
    layout = lay_out(files, http=f"log_format thin escape=json '{{{thin}}}';")
    traffic = f'[probes.traffic]\ntype = "access_log"\npath = "{layout.access_log}"\n'
    agent = start(layout, *BY_SITE, probes=failing(layout, "/health") + traffic)
    before = is_watched(layout, agent, traffic=False)
    flip(layout)
    goes_bad_and_is_rolled_back(layout, agent, before, "sick")


def with_health(inside):
    """Each slot's file, with a location of its own for /health."""
    location = f"  location = /health {{{{\n    proxy_pass http://api;\n    {inside}\n  }}}}\n"
    site = SITE.replace("  location / {{", location + "  location / {{")
    return {f"sites-available/{slot}": site.format(slot=slot) for slot in ("blue", "green")} | {"sites-enabled/default": site.format(slot="blue")}


def test_where_the_health_path_is_not_logged_users_requests_tell_and_prove(lay_out):
    layout = lay_out(with_health("access_log off;"))
    agent = start(layout, *BY_SITE, identity="")
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.copy("sites-available/green", "sites-enabled/default"))


# nginx's own cache in front of the health path: no query is fresh to it, and it sends no Age.


def cached(layout_of, valid, **how):
    """An nginx that answers /health of its cache for so long."""
    inside = f"proxy_cache health; proxy_cache_key $host$uri; proxy_cache_valid 200 {valid};"
    return layout_of(with_health(inside), http="  proxy_cache_path %(dir)s/temp/cache keys_zone=health:1m;\n", **how)


def test_behind_a_cached_health_path_the_log_tells_and_proves(lay_out):
    layout = cached(lay_out, "5m")
    agent = start(layout, *BY_SITE)
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.copy("sites-available/green", "sites-enabled/default"))


def test_what_a_cache_answers_of_the_release_before_undoes_nothing_and_proves_nothing(lay_out):
    layout = cached(lay_out, "6s", log=False)
    agent = start(layout, BY_SITE[0] + '\nprove_within = "2s"', *BY_SITE[1:], probes=failing(layout, "/api/v1/ping"))
    before = is_watched(layout, agent, traffic=False)
    flip(layout)
    agent.wait("deployment.cutover", live="green")  # once the cache has forgotten blue
    layout.stack.go_bad("green", "errors 1")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "unproven", closed
    assert layout.reached() == {"blue"}
    assert layout.tree() == before


def test_what_a_cache_has_said_all_along_is_no_proof(lay_out):
    layout = cached(lay_out, "5m", log=False)
    agent = start(layout, BY_SITE[0] + '\nprove_within = "2s"', *BY_SITE[1:], probes=failing(layout, "/api/v1/ping"))
    before = is_watched(layout, agent, traffic=False)
    flip(layout)
    said = agent.wait("deployment.switch_not_in_effect", seconds=60)
    assert "cache" in said["says"], said
    assert agent.of("deployment.cutover") == []
    assert layout.reached() == {"green"}
    status, printed, complaints = ask(layout, "rollback", "--reason", "green fails")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "unproven", (closed, status, printed, complaints)
    assert "proven" not in printed.replace("unproven", ""), printed
    assert layout.reached() == {"blue"}
    assert layout.tree() == before
