"""The README's minimal configuration that acts, as it stands there: only where things are differs."""

import os
import re

from conftest import ROOT, Agent, Traffic
from cutting_over import SITE, goes_bad_and_is_rolled_back, sites
from processes import program
from stack import get

README = os.path.join(ROOT, "README.md")


def minimal():
    with open(README, encoding="utf-8") as file:
        return re.search(r"```toml\n(.*?)```", file.read(), re.S).group(1)


def elsewhere(layout):
    """The same with this host's paths and ports, and what follows from them alone."""
    text = minimal()
    here = {"/etc/nginx/sites-enabled/default": layout.path("sites-enabled", "default"), "/etc/nginx/sites-available/blue": layout.path("sites-available", "blue"),
            "/etc/nginx/sites-available/green": layout.path("sites-available", "green"), "http://127.0.0.1:8000": layout.stack.slot_url("blue"),
            "http://127.0.0.1:8001": layout.stack.slot_url("green"), "http://127.0.0.1/": layout.front_url + "/",
            "/var/log/nginx/flipback.log": layout.access_log}
    for there, now in here.items():
        assert text.count(there) == 1, f"{there} in the README's minimal configuration"
        text = text.replace(there, now)
    return f"""[agent]
listen = "127.0.0.1:{layout.ports['agent']}"
state = "{layout.path('flipback.db')}"
socket = "{layout.path('flipback.sock')}"
log_format = "json"
log_level = "debug"
[nginx]
binary = "{program('nginx')}"
prefix = "{layout.folder}"
conf = "{layout.path('nginx.conf')}"
pid = "{layout.path('nginx.pid')}"
{text}"""


def test_the_readmes_minimal_configuration_rolls_a_bad_release_back_with_built_in_rules(lay_out):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}))
    agent = Agent(layout, layout.write_configuration(elsewhere(layout))).ready()
    Traffic(layout)
    agent.wait("deployment.baseline", live="blue")
    before = layout.tree()
    layout.copy("sites-available/green", "sites-enabled/default")
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    assert agent.of("deployment.not_ready") == [], "what can be found must be found"
    assert get(layout.agent_url + "/healthz")[0] == 200
    layout.stack.go_bad("green", "errors 1")
    agent.wait("rollback.decided", seconds=120)
    goes_bad_and_is_rolled_back(layout, agent, before, fault="errors 1", files=False)
