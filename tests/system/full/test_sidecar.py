"""Flipback in an image of its own beside an nginx in a container, by a real Docker Engine and the real docker-compose."""

import json
import os
import re
import shutil
import subprocess

import pytest
from conftest import BINARY, ROOT
from docker_engine import DockerEngine
from engine_proxy import EngineProxy
from layout import RULE
from processes import Child, free_port, wait_until
from service import fetched
from stack import PYTHON, get

SHIPPED = os.path.join(ROOT, "packaging", "docker")
with open(os.path.join(ROOT, "packaging", "docs", "operations.md"), encoding="utf-8") as page:
    OPERATIONS = page.read()
USER = 9187
NGINX = """FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends nginx-light
CMD ["nginx", "-g", "daemon off;"]
"""
# An API: an nginx that answers all by itself.
API = """events {}
http {
  access_log off;
  server {
    listen 8000;
    location = /health { return 200 '{"version":"@RELEASE@"}'; }
    location / {
      add_header X-Release @RELEASE@ always;
      if (-f /run/bad) { return 500; }
      return 200;
    }
  }
}
"""
# Sooner than shipped; and no shell can be started in the sidecar, whoever tries.
SOONER = """version: "3.8"
services:
  flipback:
    healthcheck: {interval: 1s, timeout: 5s, retries: 2}
    volumes: ["/dev/null:/usr/bin/dash:ro", "/dev/null:/usr/bin/bash:ro"]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """With images of nginx and of an API in two releases."""
    folder = tmp_path_factory.mktemp("docker")
    with DockerEngine(folder / "engine") as made:
        made.import_image(os.path.join(fetched("debian12slim"), "base.tar"), "debian:bookworm-slim")
        image = folder / "image"
        image.mkdir()
        (image / "Dockerfile").write_text(NGINX)
        made.build(image / "Dockerfile", image, "nginx:test")
        for release in ("blue", "green"):
            (image / "nginx.conf").write_text(API.replace("@RELEASE@", release))
            (image / "Dockerfile").write_text("FROM nginx:test\nCOPY nginx.conf /etc/nginx/nginx.conf\n")
            made.build(image / "Dockerfile", image, f"api:{release}")
        yield made


@pytest.fixture
def remove(engine):
    """Containers of a test's own."""
    names = []
    yield names.append
    for name in names:
        engine.run("rm", "-f", name, check=False)


def lacks(engine, folder, **settings):
    """What `validate` says is in the way of a rollback by this Engine."""
    settings = {"reload": "docker", "container": "web", "docker": engine.socket, "command_timeout": "5s"} | settings
    for slot in ("live", "blue", "green"):
        (folder / slot).write_text(f"server {{ listen {2 if slot == 'green' else 1}; }}\n")
    (folder / "flipback.toml").write_text(f"""[agent]
listen = ""
state = "{folder}/flipback.db"
[deployment]
live_site = "{folder}/live"
front_door = {{ url = "http://127.0.0.1:9/health", identity = "/version" }}
[slots.blue]
url = "http://127.0.0.1:7"
site = "{folder}/blue"
[slots.green]
url = "http://127.0.0.1:8"
site = "{folder}/green"
[nginx]
""" + "".join(f'{key} = "{value}"\n' for key, value in settings.items()))
    done = subprocess.run([BINARY, "validate", folder / "flipback.toml"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("rollback: not ready: ")]


def test_an_nginx_that_is_well_lacks_nothing_and_is_seen(engine, remove, tmp_path):
    remove("web")
    engine.run("run", "-d", "--name", "web", "--network", "none", "nginx:test")
    wait_until("the workers", lambda: "worker process" in engine.run("top", "web").stdout)
    assert lacks(engine, tmp_path) == []


@pytest.mark.parametrize("words, expected", [
    (["nginx:test", "/bin/sh", "-c", "nginx; sleep 1000"], 'the main process of container web is "/bin/sh -c nginx; sleep 1000", expected nginx\'s master'),
    (["nginx:test", "sleep", "1000"], "expected nginx's master"),
    (["nginx:test", "true"], "container web is exited, expected running: type `docker start web`"),
])
def test_a_container_without_nginx_as_its_main_process_is_told_so(engine, remove, tmp_path, words, expected):
    remove("web")
    engine.run("run", "-d", "--name", "web", "--network", "none", *words)
    if words[-1] == "true":
        wait_until("its end", lambda: engine.shows("web", ".State.Status") == "exited")
    [found] = lacks(engine, tmp_path)
    assert expected in found


def test_a_paused_one_a_missing_one_and_no_engine_at_all_are_told_so(engine, remove, tmp_path):
    remove("web")
    engine.run("run", "-d", "--name", "web", "--network", "none", "nginx:test")
    engine.run("pause", "web")
    [paused] = lacks(engine, tmp_path)
    assert "docker unpause web" in paused
    engine.run("unpause", "web")
    [missing] = lacks(engine, tmp_path, container="webb")
    assert "there is no container webb: type `docker ps -a`" in missing
    [none] = lacks(engine, tmp_path, docker=f"{tmp_path}/none.sock")
    assert f"there is no socket {tmp_path}/none.sock" in none
    [missing] = lacks(engine, tmp_path, binary="/usr/sbin/nginxx")
    assert "nginx's configuration can't be tested" in missing and "nginxx" in missing


def test_a_live_file_that_is_mounted_alone_is_told_so(engine, remove, tmp_path):
    """Where we see the host's processes, and so its mounts."""
    remove("web")
    (tmp_path / "live").write_text("")
    engine.run("run", "-d", "--name", "web", "--network", "none", "-v", f"{tmp_path}/live:/etc/nginx/live:ro", "nginx:test")
    wait_until("nginx", lambda: "worker process" in engine.run("top", "web").stdout)
    [alone] = lacks(engine, tmp_path)
    assert f"nginx sees {tmp_path}/live as a mount of that file alone, at /etc/nginx/live" in alone


def test_files_that_nginx_refuses_are_told_in_its_words(engine, remove, tmp_path):
    remove("web")
    engine.run("run", "-d", "--name", "web", "--network", "none", "nginx:test")
    wait_until("nginx", lambda: "worker process" in engine.run("top", "web").stdout)
    engine.run("exec", "web", "/bin/sh", "-c", "echo nonsense >> /etc/nginx/nginx.conf")
    [refused] = lacks(engine, tmp_path)
    assert "nginx refuses its configuration as it is" in refused and "`docker exec web /usr/sbin/nginx -t -c /etc/nginx/nginx.conf`" in refused


class Shop:
    """The shipped compose file, in a folder of its own."""

    def __init__(self, engine, folder, socket, name="shop"):
        self.engine, self.folder, self.socket, self.name = engine, str(folder), socket, name
        self.port = free_port()
        shutil.copytree(SHIPPED, self.folder)
        with open(self.path("z-sooner.yml"), "w", encoding="ascii") as file:
            file.write(SOONER)
        with open(self.path("flipback.toml"), encoding="utf-8") as file:
            shipped = file.read()
        assert 'mode       = "observe"' in shipped
        with open(self.path("flipback.toml"), "w", encoding="utf-8") as file:
            file.write('[agent]\nlog_format = "json"\nlog_level = "debug"\n' + shipped.replace('"observe"', '"act"\nwatch_every = "200ms"\nconfirm_every = "200ms"') + RULE)
        for path, _, names in os.walk(self.path("sites")):
            for name in ["", *names]:
                os.chown(os.path.join(path, name), USER, USER)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def compose(self, *words):
        return self.engine.compose(self.folder, "-p", self.name, *words, BLUE_IMAGE="api:blue", GREEN_IMAGE="api:green", NGINX_IMAGE="nginx:test",
                                   HTTP_PORT=str(self.port), DOCKER_SOCKET=self.socket, DOCKER_GID=str(os.stat(self.socket).st_gid))

    def events(self, kind, **fields):
        said = self.engine.run("logs", f"{self.name}_flipback_1")
        found = [json.loads(line) for line in (said.stdout + said.stderr).splitlines() if line.startswith("{")]
        return [event for event in found if event["kind"] == kind and all(event.get(key) == value for key, value in fields.items())]

    def wait(self, kind, **fields):
        try:
            return wait_until(f"{kind} {fields}", lambda: self.events(kind, **fields), 40)[-1]
        except Exception as error:
            said = self.engine.run("logs", f"{self.name}_flipback_1")
            raise AssertionError(f"{error}\n{(said.stdout + said.stderr)[-6000:]}") from error

    def is_healthy(self):
        return self.engine.shows(f"{self.name}_flipback_1", ".State.Health.Status")

    def live(self):
        return get(f"http://127.0.0.1:{self.port}/items")[1].get("X-Release")

    def site(self, name):
        with open(self.path("sites", name), encoding="ascii") as file:
            return file.read(), os.fstat(file.fileno()).st_uid


@pytest.fixture(scope="module")
def image(engine, package):
    base = int(engine.shows("debian:bookworm-slim", ".Size"))
    engine.build(os.path.join(SHIPPED, "Dockerfile"), os.path.dirname(package), "flipback", "--build-arg", "VERSION=0.1.0", "--build-arg", "COMMIT=0123456789ab")
    return (int(engine.shows("flipback", ".Size")) - base) / 2**20


@pytest.fixture(scope="module")
def proxy(engine, tmp_path_factory):
    with EngineProxy(engine.socket, tmp_path_factory.mktemp("proxy") / "docker.sock", OPERATIONS) as made:
        yield made


@pytest.fixture(scope="module")
def shop(engine, image, proxy, tmp_path_factory):
    made = Shop(engine, tmp_path_factory.mktemp("shop") / "docker", proxy.address)
    try:
        made.compose("up", "-d")
        yield made
    finally:
        made.compose("down", "-v", "-t", "3")


def test_the_image_is_small_and_nobodys_but_its_users(engine, image):
    print(f"the image: {image:.1f} MiB beside its base")
    assert image < 64
    assert engine.shows("flipback", ".Config.User") == f"{USER}:{USER}"
    assert engine.shows("flipback", "json .Config.Healthcheck.Test") == '["CMD","/usr/bin/flipback","healthy"]'
    labels = json.loads(engine.shows("flipback", "json .Config.Labels"))
    assert {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}.items() >= {
        "title": "flipback", "version": "0.1.0", "revision": "0123456789ab", "licenses": "MIT"}.items()
    assert "commit 0123456789ab" in engine.run("run", "--rm", "--network", "none", "flipback", "version").stdout


def test_as_built_it_watches_without_rights_and_acts_on_nothing(engine, image, remove):
    remove("alone")
    engine.run("run", "-d", "--name", "alone", "--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", f"/run/flipback:uid={USER}", "flipback")
    wait_until("the agent", lambda: engine.run("exec", "alone", "/usr/bin/flipback", "healthy", check=False).returncode == 0)
    assert "pass" in engine.run("exec", "alone", "/usr/bin/flipback", "status").stdout


def cut_over_and_fail(engine, shop, reload, tmp_path):
    """Users come, a person cuts over to green, and green goes bad; gives the rollback's end. Afterwards users are on blue."""
    shop.wait("deployment.baseline", live="blue")
    assert shop.live() == "blue"
    load = os.path.join(ROOT, "packaging", "demo", "load.py")
    users = Child("users", [PYTHON, load, f"http://127.0.0.1:{shop.port}/items", "60", "0"], str(tmp_path / "users.log"))
    try:
        shop.wait("verdict.changed", rule="error-rate", to="ok")
        assert [event["says"] for event in shop.events("deployment.not_ready", severity="critical")] == []
        # By a person: both files are in the folder that is mounted.
        shutil.copyfile(shop.path("sites", "green"), shop.path("sites", "live.conf"))
        reload()
        shop.wait("deployment.cutover", live="green")
        assert shop.live() == "green"
        engine.run("exec", f"{shop.name}_green_1", "touch", "/run/bad")
        closed = shop.wait("rollback.closed")
    finally:
        users.stop(patience=15)
    assert {shop.live() for _ in range(12)} == {"blue"}
    engine.run("exec", f"{shop.name}_green_1", "rm", "/run/bad")
    return closed


def test_a_bad_release_is_rolled_back_and_that_is_proven(engine, shop, tmp_path):
    before = {name: shop.site(name) for name in os.listdir(shop.path("sites")) if not name.startswith(".")}
    closed = cut_over_and_fail(engine, shop, lambda: engine.run("exec", "nginx", "nginx", "-s", "reload"), tmp_path)
    assert (closed["outcome"], closed["reached"]) == ("rolled back", "blue"), closed
    assert {name: shop.site(name) for name in before} == before


def test_it_asked_the_engine_for_what_the_documents_name_and_for_nothing_else(shop, proxy):
    """It comes after the rollback."""
    assert proxy.refused == []
    assert proxy.passed == set(proxy.patterns) and len(proxy.passed) == 7


def test_what_a_proxy_does_not_let_pass_is_told_so(engine, shop, tmp_path):
    with EngineProxy(engine.socket, ("127.0.0.1", free_port()), OPERATIONS) as proxy:
        there = f"127.0.0.1:{proxy.address[1]}"
        assert lacks(engine, tmp_path, container="nginx", docker=there) == []
        del proxy.patterns["POST", "/containers/ID/exec"]
        [refused] = lacks(engine, tmp_path, container="nginx", docker=there)
    assert f"the Docker Engine at {there} answered 403 to POST /containers/" in refused and "let the proxy in front of it pass that" in refused


def test_it_has_no_rights_and_can_write_nowhere_but_in_its_own(engine, shop):
    pid = engine.shows("shop_flipback_1", ".State.Pid")
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(USER)] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1"
    refused = engine.run("exec", "shop_flipback_1", "touch", "/usr/bin/x", "/etc/x", "/var/x", check=False)
    assert refused.returncode != 0 and refused.stderr.count("Read-only file system") == 3
    assert engine.run("exec", "shop_flipback_1", "/bin/sh", "-c", "true", check=False).returncode != 0


def test_a_live_file_that_is_mounted_alone_is_told_so_where_nginxs_processes_are_not_ours(engine, shop, remove):
    remove("web")
    engine.run("run", "-d", "--name", "web", "--network", "none", "-v", f"{shop.path('sites', 'live.conf')}:/etc/nginx/sites/live.conf:ro", "nginx:test")
    wait_until("nginx", lambda: "worker process" in engine.run("top", "web").stdout)
    with open(shop.path("flipback.toml"), encoding="utf-8") as shipped, open(shop.path("alone.toml"), "w", encoding="utf-8") as file:
        file.write(shipped.read().replace('"nginx"', '"web"'))
    mounts = [word for mount in (f"{engine.socket}:/var/run/docker.sock", f"{shop.path('sites')}:/etc/nginx/sites", f"{shop.path('alone.toml')}:/f.toml")
              for word in ("-v", mount)]
    said = engine.run("run", "--rm", "--network", "none", "--group-add", str(os.stat(engine.socket).st_gid), *mounts, "flipback", "validate", "/f.toml")
    assert "not ready: nginx sees /etc/nginx/sites/live.conf as a mount of that file alone, at /etc/nginx/sites/live.conf" in said.stdout, said.stdout


def test_it_is_healthy_until_it_stands_still(engine, shop):
    wait_until("health", lambda: shop.is_healthy() == "healthy")
    engine.run("kill", "--signal", "STOP", "shop_flipback_1")
    try:
        wait_until("ill health", lambda: shop.is_healthy() == "unhealthy", 30)
    finally:
        engine.run("kill", "--signal", "CONT", "shop_flipback_1")
    wait_until("health", lambda: shop.is_healthy() == "healthy", 30)


def test_a_service_of_several_containers_is_not_reloaded_in_part(engine, shop, tmp_path, remove):
    """Another container that calls itself docker-compose's, of the same service."""
    remove("another")
    labels = [word for label in ("project=shop", "service=nginx") for word in ("--label", f"com.docker.compose.{label}")]
    engine.run("run", "-d", "--name", "another", "--network", "none", *labels, "nginx:test")
    [found] = lacks(engine, tmp_path, container="nginx")
    assert "service nginx runs in 2 containers" in found and "--scale nginx=1" in found


# A host whose nginx takes over by itself what is in the folder; Flipback is told no more than how one switches, and what is switched to.
BY_COMMAND = """version: "3.8"
services:
  nginx:
    container_name: nginx-of-commands
    command:
      - /bin/sh
      - -c
      - |
        nginx -g 'daemon off;' & cp /etc/nginx/sites/live.conf /run/taken
        while sleep 0.1; do cmp -s /etc/nginx/sites/live.conf /run/taken || { cp /etc/nginx/sites/live.conf /run/taken; nginx -s reload; }; done
  flipback:
    volumes: ["./bin:/opt/shop:ro"]
"""
SWITCH_TO = """#!/bin/sh
cp "/etc/nginx/sites/$1" /etc/nginx/sites/.fresh && mv /etc/nginx/sites/.fresh /etc/nginx/sites/live.conf
"""
ACTIVE = """#!/bin/sh
for slot in blue green; do ! cmp -s "/etc/nginx/sites/$slot" /etc/nginx/sites/live.conf || echo $slot; done
"""


def test_where_a_command_switches_a_bad_release_is_rolled_back_too(engine, image, tmp_path):
    shop = Shop(engine, tmp_path / "docker", engine.socket, "commands")
    os.remove(shop.path("z-sooner.yml"))
    os.mkdir(shop.path("bin"))
    for name, text in (("switch-to", SWITCH_TO), ("active", ACTIVE)):
        with open(shop.path("bin", name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(shop.path("bin", name), 0o755)
    with open(shop.path("z-command.yml"), "w", encoding="ascii") as file:
        file.write(BY_COMMAND)
    with open(shop.path("flipback.toml"), encoding="utf-8") as file:
        text = re.sub(r"\[nginx\]\n(.+\n)+", "", file.read())
    text = re.sub(r"^live_site .*$", 'active = ["/opt/shop/active"]', text, flags=re.MULTILINE)
    text = re.sub(r'^site += "/etc/nginx/sites/(\w+)"$', r'switch = ["/opt/shop/switch-to", "\1"]', text, flags=re.MULTILINE)
    with open(shop.path("flipback.toml"), "w", encoding="utf-8") as file:
        file.write(text)
    try:
        shop.compose("up", "-d")
        closed = cut_over_and_fail(engine, shop, lambda: None, tmp_path)
        lacking = [event["says"] for event in shop.events("deployment.not_ready")]
    finally:
        shop.compose("down", "-v", "-t", "3")
    assert (closed["outcome"], closed["reached"]) == ("rolled back", "blue"), closed
    assert [says for says in lacking if says.startswith("another agent that acts here would not be noticed: can't lock /etc/nginx/")], lacking
