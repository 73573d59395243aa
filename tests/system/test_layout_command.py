"""Hosts that switch by a command of their own: an env file is written, and a container is made anew from it."""

import contextlib
import os
import signal
import subprocess

import pytest
from conftest import Traffic
from cutting_over import goes_bad_and_is_rolled_back, is_watched, start
from layout import SERVER
from processes import free_port, program, wait_until

# As `docker compose --env-file … up -d --force-recreate`: the old one is ended, the new one has another process number.
SWITCH = """#!/bin/sh
set -e
echo "# written by switch.sh" > {env}
echo "UPSTREAM_PORT=$2" >> {env}
echo "LIVE=$1" >> {env}
. {env}
sed "s/@PORT@/$UPSTREAM_PORT/" {template} > {conf}
kill -TERM "$(cat {pid})"
while [ -e {pid} ]; do sleep 0.02; done
exec {nginx} > /dev/null
"""


class Recreated:
    """The container: an nginx with its own files in `folder`, which the switch makes anew."""

    def __init__(self, layout, folder, template, nginx):
        self.pid = os.path.join(folder, "nginx.pid")
        self.script = layout.path("switch.sh")
        where = {"env": layout.path("live.env"), "template": template, "conf": template.removesuffix(".template"), "pid": self.pid, "nginx": " ".join(nginx)}
        layout.write("live.env", "# written by switch.sh\nUPSTREAM_PORT=%(blue)s\nLIVE=blue\n")
        layout.write("switch.sh", SWITCH.format(**where))
        os.chmod(self.script, 0o755)
        self.ports = layout.ports

    def switch_to(self, slot):
        subprocess.run([self.script, slot, str(self.ports[slot])], check=True, capture_output=True)

    def keys(self, layout):
        argv = {slot: f'switch = ["{self.script}", "{slot}", "{self.ports[slot]}"]' for slot in ("blue", "green")}
        return f'active = ["sed", "-n", "s/^LIVE=//p", "{layout.path("live.env")}"]', argv["blue"], argv["green"]

    def stop(self):
        with contextlib.suppress(FileNotFoundError), open(self.pid, encoding="ascii") as file:
            master = int(file.read())
            os.kill(master, signal.SIGTERM)
            # Told before it has begun to listen, it ends and leaves its pid file.
            wait_until("the container's end", lambda: not os.path.exists(self.pid) or not os.path.exists(f"/proc/{master}"))


FAILING = """
[probes.api]
type = "http"
url = "{url}/api/v1/ping"
every = "100ms"
timeout = "90ms"

[[rules]]
name = "failing"
when = "api.up over 2s < 40%"    # the moment in which there is no container is less
then = "rollback"
"""


@pytest.fixture
def recreated():
    made = []

    def make(*arguments):
        made.append(Recreated(*arguments))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_an_nginx_container_that_is_made_anew_from_an_env_file(lay_out, recreated):
    site = "upstream api { server 127.0.0.1:%(blue)s; }\n" + SERVER
    layout = lay_out({"conf.d/api.conf": site, "conf.d/api.conf.template": site.replace("%(blue)s", "@PORT@")})
    container = recreated(layout, layout.folder, layout.path("conf.d", "api.conf.template"), layout.nginx_command())
    agent = start(layout, *container.keys(layout))
    Traffic(layout)
    before = is_watched(layout, agent)
    container.switch_to("green")
    goes_bad_and_is_rolled_back(layout, agent, before)


def test_a_backend_container_that_is_made_anew_behind_an_nginx_that_never_changes(stack, lay_out, recreated, tmp_path):
    """nginx passes to the same address all the time, so that its log can't tell: identity does."""
    router = free_port()
    box = str(tmp_path / "box")
    os.makedirs(os.path.join(box, "temp"))
    temporary = " ".join(f"{kind}_temp_path {box}/temp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    template = (f"worker_processes 1; pid {box}/nginx.pid; error_log {box}/error.log; {'user root;' if os.getuid() == 0 else ''}\n"
                f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {temporary}\n"
                f"  server {{ listen 127.0.0.1:{router}; location / {{ proxy_pass http://127.0.0.1:@PORT@; }} }}\n}}\n")
    with open(os.path.join(box, "nginx.conf.template"), "w", encoding="utf-8") as file:
        file.write(template)
    argv = [program("nginx"), "-p", box, "-c", os.path.join(box, "nginx.conf"), "-e", os.path.join(box, "error.log")]
    with open(os.path.join(box, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(template.replace("@PORT@", str(stack.ports["blue"])))
    subprocess.run(argv, check=True, capture_output=True)  # its first life
    layout = lay_out({"conf.d/api.conf": f"upstream api {{ server 127.0.0.1:{router}; }}\n" + SERVER})
    container = recreated(layout, box, os.path.join(box, "nginx.conf.template"), argv)
    agent = start(layout, *container.keys(layout), probes=FAILING.format(url=layout.front_url))
    before = is_watched(layout, agent, traffic=False)
    container.switch_to("green")
    goes_bad_and_is_rolled_back(layout, agent, before, fault="errors 1")


def test_a_command_that_is_not_there_is_refused_at_the_start(lay_out):
    site = "upstream api { server 127.0.0.1:%(blue)s; }\n" + SERVER
    layout = lay_out({"conf.d/api.conf": site})
    agent = start(layout, 'active = ["echo", "blue"]', 'switch = ["/opt/no/such/switch", "blue"]', 'switch = ["/opt/no/such/switch", "green"]')
    said = agent.wait("deployment.not_ready", blocking=True)
    assert "/opt/no/such/switch" in said["says"] and "by its path" in said["says"], said
