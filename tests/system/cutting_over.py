"""A person's cutover on an nginx of any layout, that goes bad and is rolled back."""

import time

from conftest import Agent, Traffic
from layout import SERVER
from processes import wait_until

SITE = "# {slot}, kept by its team\nupstream api {{ server 127.0.0.1:%({slot})s; }}\n" + SERVER.replace("{", "{{").replace("}", "}}")


def start(layout, *arguments, **how):
    return Agent(layout, layout.write_configuration(layout.configuration(*arguments, **how))).ready()


def lacks(agent, seconds=0.0):
    """What stands in the way, once it was looked."""
    time.sleep(seconds)
    return [e["says"] for e in agent.of("deployment.not_ready") if e["severity"] == "critical"]


def is_watched(layout, agent, traffic=True):
    """Until it is known that blue is live, and users come."""
    agent.wait("deployment.baseline", live="blue")
    if traffic:
        wait_until("traffic", lambda: agent.of("verdict.changed", rule="error-rate", to="ok"), child=agent.child)
    found = lacks(agent)
    assert found == [], found
    return layout.tree()


def goes_bad_and_is_rolled_back(layout, agent, before, fault="errors 0.5", files=True):
    """From green, which goes bad, to blue: proven, users reach blue alone, and all files are as they were."""
    agent.wait("deployment.cutover", live="green")
    if files:
        assert layout.tree() != before, "the cutover changed no file: nothing was tested"
    layout.stack.go_bad("green", fault)
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "rolled back" and closed["reached"] == "blue", closed
    assert layout.reached() == {"blue"}
    assert layout.tree() == before
    return closed


def is_cut_over_and_rolled_back(layout, agent, flip):
    Traffic(layout)
    before = is_watched(layout, agent)
    flip()
    layout.reload()
    goes_bad_and_is_rolled_back(layout, agent, before)


# The most usual layout: a file for each slot, copied over the one that nginx reads.


def two_live_sites():
    """A host whose upstream and whose server are a live file each, with its own for each slot; blue is live."""
    files = {}
    for slot in ("blue", "green"):
        files[f"sites-available/upstream-{slot}"] = f"upstream api {{ server 127.0.0.1:%({slot})s; }}\n"
        files[f"sites-available/api-{slot}"] = f"# {slot}\n" + SERVER
    files |= {"sites-enabled/upstream": files["sites-available/upstream-blue"], "sites-enabled/api": files["sites-available/api-blue"]}
    return files


def sites(layout_files=None):
    return {f"sites-available/{slot}": SITE.format(slot=slot) for slot in ("blue", "green")} | (layout_files or {})


BY_SITE = ('live_site = "%(dir)s/sites-enabled/default"', 'site = "%(dir)s/sites-available/blue"', 'site = "%(dir)s/sites-available/green"')
