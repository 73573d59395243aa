"""A fresh Debian with nginx, set up as the README and operations.md say: installed, looked at, watched, and left alone with production."""

import os
import re
import time

import pytest
from conftest import ROOT
from docker_engine import DockerEngine, SystemdHost
from follow import Users
from layout import RULE
from processes import Child, free_port
from service import fetched
from stack import PYTHON, get

with open(os.path.join(ROOT, "packaging", "docs", "operations.md"), encoding="utf-8") as page:
    HELPER_TOML = re.search(r"```toml\n(user = .*?)```", page.read(), re.DOTALL)[1]
# The two releases are two servers of an nginx of their own: what Flipback sees of them is what users see.
SLOTS = """user www-data;
pid /run/slots.pid;
error_log /var/log/slots.log;
events {}
http {
  access_log off;
  server { listen 127.0.0.1:%(blue)s; add_header X-Release v1.0.0 always; location / { return 200 '{"version":"v1.0.0"}'; } }
  server { listen 127.0.0.1:%(green)s; add_header X-Release v1.1.0 always; location / { if (-f /run/bad) { return 500; } return 200 '{"version":"v1.1.0"}'; } }
}
"""
SITE = """server {
  listen 127.0.0.1:%(door)s;
  listen 127.0.0.1:%(tls)s ssl;
  ssl_certificate /etc/nginx/tls/front.pem;
  ssl_certificate_key /etc/nginx/tls/front.key;
  server_name api.example.com;
  access_log /var/log/nginx/flipback.log flipback;
  location / { proxy_pass http://127.0.0.1:%(slot)s; }
}
"""


class Production:
    """A host that runs nginx and two slots, blue live, with a private key that is root's alone; and then the package."""

    def __init__(self, host, package):
        self.host = host
        self.ports = {name: free_port() for name in ("door", "tls", "blue", "green", "agent")}
        host.sh("echo 'Acquire::Languages \"none\"; Acquire::Retries \"3\";' > /etc/apt/apt.conf.d/90test && apt-get update -q")
        host.sh("printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d")  # port 80 may be another's
        host.sh("apt-get install -y -q --no-install-recommends nginx-light openssl && rm /usr/sbin/policy-rc.d /etc/nginx/sites-enabled/default")
        host.write("/etc/slots.conf", SLOTS % self.ports)
        for slot in ("blue", "green"):
            host.write(f"/etc/nginx/sites-available/{slot}", SITE % (self.ports | {"slot": self.ports[slot]}))
        host.sh("mkdir /etc/nginx/tls && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=api.example.com -keyout /etc/nginx/tls/front.key "
                "-out /etc/nginx/tls/front.pem && chmod 600 /etc/nginx/tls/front.key")
        host.put(os.path.join(ROOT, "packaging", "nginx", "flipback-log.conf"), "/etc/nginx/conf.d/")
        host.sh("nginx -c /etc/slots.conf")
        self.cut_over("blue", "systemctl start nginx")
        host.put(package, "/root/")
        self.package = f"/root/{os.path.basename(package)}"

    def cut_over(self, slot, then="systemctl reload nginx"):
        """The runbook's own commands."""
        self.host.sh(f"cp /etc/nginx/sites-available/{slot} /etc/nginx/sites-enabled/default && nginx -t && {then}")

    def url(self, path):
        return f"http://127.0.0.1:{self.ports['door']}{path}"

    def events(self, kind):
        return [line for line in self.host.says("journalctl -u flipback --no-pager -o cat").splitlines() if f" {kind}" in f" {line}"]

    def configure(self, text):
        self.host.write("/etc/flipback/flipback.toml", text)
        self.host.sh("flipback validate /etc/flipback/flipback.toml && systemctl restart flipback")


@pytest.fixture(scope="module")
def production(package, tmp_path_factory):
    with DockerEngine(tmp_path_factory.mktemp("docker")) as engine:
        engine.import_image(os.path.join(fetched("debian12"), "base.tar"), "debian12:systemd")
        yield Production(SystemdHost(engine, "debian12:systemd", "production"), package)


def test_in_a_minute_of_a_persons_time_it_is_installed_and_has_looked(production):
    host = production.host
    began = time.monotonic()
    host.sh(f"apt install -y {production.package}")
    host.sh("cd /root && flipback init --output flipback.toml")
    checked = host.sh("cd /root && flipback --check --config flipback.toml", check=False)
    print(f"apt install, flipback init, flipback --check: {time.monotonic() - began:.1f} s")
    written = host.says("cat /root/flipback.toml")
    assert re.search(r'^live_site += "/etc/nginx/sites-enabled/default"', written, re.MULTILINE), written
    assert re.search(r'^mode += "observe"', written, re.MULTILINE), written
    for slot in ("blue", "green"):
        assert f'"http://127.0.0.1:{production.ports[slot]}"' in written
    assert "✓ traffic" in checked.stdout and "✓ rollback  ready" in checked.stdout, checked.stdout + checked.stderr


def test_without_the_helper_what_lacks_is_said_and_with_it_it_is_ready(production):
    """As what `init` wrote, with the door's identity, which it could not tell; for an agent that is not root, nginx's own key is in the way."""
    host = production.host
    written = host.says("cat /root/flipback.toml")
    door = re.search(r"^front_door += .*$", written, re.MULTILINE)[0]
    written = written.replace(door, f'front_door = {{ url = "http://127.0.0.1:{production.ports["door"]}/health", identity = "/version" }}\n'
                              'watch_every = "200ms"\nconfirm_every = "200ms"')
    written = re.sub(r'^mode += "observe"', 'mode = "act"', written, flags=re.MULTILINE)
    production.written = f'[agent]\nlisten = "127.0.0.1:{production.ports["agent"]}"\n' + re.sub(r"^\[agent\]\n", "", written, flags=re.MULTILINE) + RULE
    production.configure(production.written)
    host.wait("what lacks", "journalctl -u flipback --no-pager -o cat | grep -c 'not_ready.*front.key'", "1")
    lacking = production.events("deployment.not_ready")
    assert len(lacking) == 4 and [line for line in lacking if "[nginx] helper" not in line and "or helper" not in line] == []
    host.write("/etc/flipback/helper.toml", HELPER_TOML)
    host.sh("systemctl enable --now flipback-helper.socket")
    production.configure(production.written + '\n[nginx]\nhelper = "/run/flipback-helper/helper.sock"\n')
    host.wait("its answer", "journalctl -u flipback-helper --no-pager -o cat | grep -m1 -cE 'user [1-9].*asks .test.: yes'", "1")
    assert "lacking" not in host.says("flipback status")
    assert "rollback: ready" in host.says("flipback validate /etc/flipback/flipback.toml", user="flipback")


def test_a_bad_release_is_rolled_back_by_an_agent_without_any_right(production, tmp_path):
    host = production.host
    status, _, body = get(production.url("/health"))
    assert (status, body) == (200, '{"version":"v1.0.0"}')
    load = os.path.join(ROOT, "packaging", "demo", "load.py")
    child = Child("users", [PYTHON, load, production.url("/items"), "60", "0"], str(tmp_path / "users.log"))
    try:
        time.sleep(4)  # two windows of the rule
        production.cut_over("green")
        host.wait("the cutover", "journalctl -u flipback --no-pager -o cat | grep -c 'users now reach green'", "1")
        time.sleep(2)
        host.sh("touch /run/bad")
        host.wait("its end", "journalctl -u flipback --no-pager -o cat | grep -c 'is live, proven in'", "1", 60)
        proven = time.time()
        time.sleep(2)
    finally:
        child.stop(patience=15)
    users = Users(child.log)
    users.update()
    afterwards = [request for request in users.fresh() if request["began"] > proven]
    assert len(afterwards) > 20 and {(request["status"], request["release"]) for request in afterwards} == {(200, "v1.0.0")}
    assert users.broken("fresh") == []
    assert host.sh("cmp /etc/nginx/sites-available/blue /etc/nginx/sites-enabled/default", check=False).returncode == 0
    assert host.says("stat -c '%U:%G %a' /etc/nginx/sites-enabled/default") == "root:root 644"
    status = host.says("cat /proc/$(systemctl show flipback -p MainPID --value)/status")
    assert not re.search(r"^Cap\w+:\s*0*[1-9a-f]", status, re.MULTILINE) and not re.search(r"^Uid:.*\b0\b", status, re.MULTILINE)
    asked = host.says("journalctl -u flipback-helper --no-pager -o cat")
    assert [verb for verb in ("install blue", "test", "reload") if verb not in asked] == [], asked
    host.sh("rm /run/bad")


def test_out_of_memory_it_is_started_again_until_there_is_enough_and_says_what_it_finds(production):
    """Of the deed above: what it did, and what is live."""
    host = production.host
    host.write("/run/systemd/system/flipback.service.d/little.conf", "[Service]\nMemoryMax=2M\nRestartSec=200ms\n")
    host.sh("systemctl daemon-reload && (systemctl restart flipback || true)")
    host.wait("its end", "test $(systemctl show flipback -p NRestarts --value) -ge 3 && echo often", "often", 60)
    assert re.search("code=killed, status=9/KILL|oom-kill", host.says("journalctl -u flipback --no-pager -o cat"))
    host.sh("rm -r /run/systemd/system/flipback.service.d && systemctl daemon-reload")
    host.wait("another", "systemctl is-active flipback", "active", 60)
    status = host.says("flipback status")
    assert re.search(r"^live +blue", status, re.MULTILINE), status
    refused = host.sh("flipback rollback --reason 'once more'", check=False)
    assert refused.returncode == 1, refused.stdout
