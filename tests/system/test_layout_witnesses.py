"""What shows which slot users reach, on hosts whose slots do not tell: nginx's log, or its new workers."""

import pytest
from cutting_over import BY_SITE, SITE, goes_bad_and_is_rolled_back, is_cut_over_and_rolled_back, is_watched, sites, start

@pytest.mark.parametrize("identity", ["", 'identity = "/status"'], ids=["none", "equal"])
def test_where_both_slots_say_the_same_of_themselves_the_log_tells(lay_out, identity):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}))
    agent = start(layout, *BY_SITE, identity=identity)
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.copy("sites-available/green", "sites-enabled/default"))


HEALTH = """
[probes.api]
type = "http"
url = "{url}/health"
every = "200ms"

[[rules]]
name = "sick"
when = "api.up == 0"
for = "1s"
then = "rollback"
"""


def test_without_identity_and_without_a_log_the_new_workers_tell(lay_out):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}), log=False)
    agent = start(layout, *BY_SITE, identity="", probes=HEALTH.format(url=layout.front_url))
    before = is_watched(layout, agent, traffic=False)
    layout.copy("sites-available/green", "sites-enabled/default")
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    layout.stack.go_bad("green", "sick")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] in ("rolled back", "unproven"), closed
    assert layout.reached() == {"blue"}
    assert layout.tree() == before
