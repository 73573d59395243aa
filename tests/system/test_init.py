"""`flipback init`: what a host shows becomes a configuration that validates, and whose `--check` runs at once."""

import json
import os
import re
import subprocess
import tempfile
import time
import tomllib
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import BINARY, Agent
from cutting_over import SITE, is_cut_over_and_rolled_back, sites, two_live_sites
from layout import RULE, SERVER, Layout
from processes import free_port, program

SECRET = "hunter2-correct-horse"
ENV = f"""# the runbook's
POSTGRES_HOST=127.0.0.1
POSTGRES_PORT={{port}}
POSTGRES_DB=realestate
POSTGRES_USER=app
POSTGRES_PASSWORD={SECRET}-1
REDIS_URL=redis://:{SECRET}-2@127.0.0.1:{{port}}/0
REDIS_PASSWORD='{SECRET}-3'
KEYCLOAK_URL=https://127.0.0.1:{{port}}
KEYCLOAK_REALM=real-estate-os
SENTRY_DSN=https://{SECRET}-5@127.0.0.1:{{port}}/42
SENTRY_AUTH_TOKEN={SECRET}-6
SENTRY_ORG=acme
NEO4J_URI=bolt://127.0.0.1:{{port}}
NEO4J_AUTH=neo4j/{SECRET}-7
MINIO_ENDPOINT=127.0.0.1:{{port}}
MINIO_ROOT_USER=minio
MINIO_ROOT_PASSWORD={SECRET}-8
DATABASE_URL=postgresql://app:{SECRET}-9@127.0.0.1/app
API_URL=http://127.0.0.1:{{port}}/
GRAFANA_TOKEN={SECRET}-10
JWT_SIGNING_KEY={SECRET}-11
"""


class Host:
    """A working folder, and an nginx in PATH that reads a layout's files. Neither runs."""

    def __init__(self, folder):
        self.folder = folder
        self.path = "/nonexistent"
        self.ports = {"blue": free_port(), "green": free_port()}
        folder.mkdir()

    def lay_out(self, files, **how):
        layout = Layout(self.folder / "nginx", SimpleNamespace(ports=self.ports), files, **how)
        layout.lay_out()
        self.use(" ".join(layout.nginx_command()))
        return layout

    def use(self, command):
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        (bin_folder / "nginx").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (bin_folder / "nginx").chmod(0o755)
        self.path = str(bin_folder)

    def run(self, *words, within=()):
        return subprocess.run([*within, BINARY, *words], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False,
                              env={"PATH": f"{self.path}:/usr/bin:/bin", "HOME": "/"})

    def init(self):
        """What was written, and what could not be told. It validates, and `--check` runs with it."""
        done = self.run("init", "--output", "flipback.toml")
        assert done.returncode == 0 and done.stdout == "", done.stderr
        good = self.run("validate", "flipback.toml")
        assert good.returncode == 0, good.stderr + self.text()
        checked = self.run("--check", "--config", "flipback.toml", "--format", "json")
        assert checked.returncode in (0, 1, 3), checked.stderr
        assert json.loads(checked.stdout)["probes"]
        return tomllib.loads(self.text()), done.stderr

    def text(self):
        return (self.folder / "flipback.toml").read_text(encoding="utf-8")


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path / "host")


def pools():
    return "".join(f"upstream {slot} {{ server 127.0.0.1:%({slot})s; }}\n" for slot in ("blue", "green"))


def by_port(port):
    return "server {\n  listen 127.0.0.1:%(front)s;\n  server_name api.example.com;\n  access_log %(log)s;\n  location / { proxy_pass http://127.0.0.1:" + port + "; }\n}\n"


MAP = "map $http_x_pool $pool {\n  default blue;  # the live one\n  green green;\n}\n"
LAYOUTS = {
    "site": (sites({"sites-enabled/default": SITE.format(slot="blue")}),
             {"live_site": "sites-enabled/default"}, ("site", "sites-available/blue", "sites-available/green")),
    "the other one is live": (sites({"sites-enabled/default": SITE.format(slot="green")}),
                              {"live_site": "sites-enabled/default"}, ("site", "sites-available/blue", "sites-available/green")),
    "site by ports": ({"sites-available/api": by_port("%(blue)s"), "sites-available/api-next": by_port("%(green)s"), "sites-enabled/api": by_port("%(blue)s")},
                      {"live_site": "sites-enabled/api"}, None),
    "edited by hand": (sites({"sites-enabled/default": SITE.format(slot="blue") + "# a note\n"}),
                       {"live_site": "sites-enabled/default"}, ("site", "sites-available/blue", "sites-available/green")),
    "relative link": (sites({"sites-enabled/default": ("link", "../sites-available/blue")}),
                      {"live_link": "sites-enabled/default"}, ("target", "../sites-available/blue", "../sites-available/green")),
    "absolute link": (sites({"sites-enabled/default": ("link", "%(dir)s/sites-available/blue")}),
                      {"live_link": "sites-enabled/default"}, ("target", "%(dir)s/sites-available/blue", "%(dir)s/sites-available/green")),
    "link to a folder": ({f"releases/{slot}/api.conf": SITE.format(slot=slot) for slot in ("blue", "green")}
                         | {"current": ("link", "releases/blue"), "conf.d/live.conf": "include %(dir)s/current/*.conf;\n"},
                         {"live_link": "current"}, ("target", "releases/blue", "releases/green")),
    "include": ({f"slots/{slot}.conf": f"upstream api {{ server 127.0.0.1:%({slot})s; }}\n" for slot in ("blue", "green")}
                | {"conf.d/live.conf": "include %(dir)s/slots/blue.conf;\n", "sites-enabled/api": SERVER},
                {"live_site": "conf.d/live.conf"}, ("text", "%(dir)s/slots/blue.conf", "%(dir)s/slots/green.conf")),
    "include in an upstream": ({f"slots/{slot}.conf": f"server 127.0.0.1:%({slot})s;\n" for slot in ("blue", "green")}
                               | {"conf.d/live.conf": "upstream api {\n  include slots/green.conf;\n}\n", "sites-enabled/api": SERVER},
                               {"live_site": "conf.d/live.conf"}, ("text", "slots/blue.conf", "slots/green.conf")),
    "address in a comment": ({"sites-enabled/api": "# was server 127.0.0.1:%(green)s; until May\nupstream api { server 127.0.0.1:%(blue)s; }\n" + SERVER},
                             {"live_site": "sites-enabled/api"}, None),
    "map": ({"conf.d/pools.conf": pools(), "conf.d/live.conf": MAP, "sites-enabled/api": SERVER.replace("http://api", "http://$pool")},
            {"live_site": "conf.d/live.conf"}, ("text", "default blue;", "default green;")),
    "map with quotes": ({"conf.d/pools.conf": pools(), "conf.d/live.conf": MAP.replace("default blue;", '"default"  "blue" ;'), "sites-enabled/api": SERVER.replace("http://api", "http://$pool")},
                        {"live_site": "conf.d/live.conf"}, ("text", '"default"  "blue" ;', '"default"  "green" ;')),
    "pool by its name": ({"conf.d/pools.conf": pools(), "sites-enabled/api": SERVER.replace("http://api", "http://green")},
                         {"live_site": "sites-enabled/api"}, ("text", "http://blue", "http://green")),
    "weights": ({f"sites-available/{slot}": f"# {slot}\nupstream api {{ server 127.0.0.1:%({slot})s weight=5; server 127.0.0.1:%({other})s; }}\n" + SERVER
                 for slot, other in (("blue", "green"), ("green", "blue"))}
                | {"sites-enabled/default": "# blue\nupstream api { server 127.0.0.1:%(blue)s weight=5; server 127.0.0.1:%(green)s; }\n" + SERVER},
                {"live_site": "sites-enabled/default"}, ("site", "sites-available/blue", "sites-available/green")),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_switch_of_a_layout_is_found(host, name):
    files, live, slots = LAYOUTS[name]
    layout = host.lay_out(files)
    made, _ = host.init()
    deployment = made["deployment"]
    assert deployment["mode"] == "observe"
    for key, path in live.items():
        assert deployment[key] == layout.path(path)
    urls = {slot: f"http://127.0.0.1:{port}" for slot, port in host.ports.items()}
    assert {made["slots"]["blue"]["url"], made["slots"]["green"]["url"]} == set(urls.values())
    if slots:
        key, *values = slots
        assert made["slots"]["blue"]["url"] == urls["blue"]
        for slot, value in zip(("blue", "green"), values):
            assert made["slots"][slot][key] in (layout.fill(value), layout.path(layout.fill(value)))
    assert deployment["front_door"]["url"] == f"http://127.0.0.1:{layout.ports['front']}/health"
    assert made["probes"]["traffic"]["path"] == layout.access_log and "format" not in made["probes"]["traffic"]
    assert made["nginx"]["conf"] == layout.path("nginx.conf") and made["nginx"]["pid"] == layout.path("nginx.pid")


def test_several_live_files(host):
    layout = host.lay_out(two_live_sites())
    made, _ = host.init()
    assert made["deployment"]["live_sites"] == [{"live": layout.path(f"sites-enabled/{name}"), **{slot: layout.path(f"sites-available/{name}-{slot}")
                                                 for slot in ("blue", "green")}} for name in ("api", "upstream")]
    assert [made["slots"][slot]["url"] for slot in ("blue", "green")] == [f"http://127.0.0.1:{host.ports[slot]}" for slot in ("blue", "green")]


@pytest.mark.parametrize("files", [
    {"sites-enabled/api": SERVER.replace("http://api", "http://127.0.0.1:%(blue)s")},
    {"sites-enabled/api": "server { listen 127.0.0.1:%(front)s; return 204; }\n"},
    {"sites-available/other": SITE.format(slot="blue"), "sites-enabled/default": ("link", "../sites-available/other")},
    {f"sites-available/{slot}": SERVER.replace("http://api", f"http://127.0.0.1:%({slot})s") for slot in ("blue", "green")}
    | {"sites-enabled/blue": ("link", "../sites-available/blue"), "sites-enabled/green": ("link", "%(dir)s/sites-available/green")},
    {f"sites-available/{name}": f"upstream {name} {{ server 127.0.0.1:%({slot})s; }}\n" + SERVER.replace("http://api", f"http://{name}")
     for name, slot in (("api", "blue"), ("web", "green"))} | {f"sites-enabled/{name}": ("link", f"../sites-available/{name}") for name in ("api", "web")},
    {"conf.d/pools.conf": pools(), "conf.d/live.conf": MAP.replace("default", "\\default"), "sites-enabled/api": SERVER.replace("http://api", "http://$pool")},
    {},
], ids=["one slot", "no slot", "a link to the one file", "both slots enabled", "two vhosts enabled", "a value called default", "nothing"])
def test_where_no_slots_are_shown_the_deployment_is_written_as_a_comment(host, files):
    host.lay_out(files)
    made, untold = host.init()
    assert "deployment" not in made and "slots" not in made
    assert "# [deployment]" in host.text() and "# Not in force: nothing in nginx's configuration shows two slots" in host.text()
    assert "not told: the slots:" in untold


def test_a_quoted_default_is_nginxs_default(lay_out):
    """What the map layouts rest on, asked of nginx itself."""
    keys = {"plain": "default", "double": '"default"', "single": "'default'", "value": "\\default"}
    maps = "".join(MAP.replace("$pool", f"${name}").replace("default", key) for name, key in keys.items())
    says = "location = /pools { return 200 '" + " ".join(f"{name}=${name}" for name in keys) + "'; }\n"
    layout = lay_out({"conf.d/live.conf": pools() + maps, "sites-enabled/api": SERVER.replace("http://api", "http://blue").replace("location / {", says + "location / {")})
    with urllib.request.urlopen(f"{layout.front_url}/pools", timeout=10) as answer:
        assert answer.read().decode() == "plain=blue double=blue single=blue value="


def test_the_application_that_is_left_is_said(host):
    files = {"sites-enabled/a": "upstream a-blue { server 127.0.0.1:%(blue)s; }\nupstream a-green { server 127.0.0.1:%(green)s; }\n" + SERVER.replace("http://api", "http://a-blue")}
    layout = host.lay_out(files | {"sites-enabled/b": "upstream b-blue { server 127.0.0.2:1; }\nupstream b-green { server 127.0.0.2:2; }\n" +
                                   SERVER.replace("http://api", "http://b-green").replace("server_name api", "server_name b")})
    made, untold = host.init()
    assert made["deployment"]["live_site"] == layout.path("sites-enabled/a")
    said = [line for line in untold.splitlines() if line.startswith("not told: which slots are meant: ")]
    assert len(said) == 1 and f"{layout.path('sites-enabled/a')} says http://a-blue" in said[0]
    assert f"was left, since a configuration has one: An upstream's name: {layout.path('sites-enabled/b')} says http://b-green" in said[0]


def test_a_link_whose_target_is_no_utf8(host):
    layout = host.lay_out(sites())
    available, enabled = (os.fsencode(layout.path(f"sites-{name}")) for name in ("available", "enabled"))
    for slot in (b"blue", b"green"):
        os.rename(os.path.join(available, slot), os.path.join(available, b"\xff-" + slot))
    os.symlink(b"../sites-available/\xff-blue", os.path.join(enabled, b"default"))
    made, untold = host.init()
    assert "deployment" not in made
    assert r'not told: what target = "../sites-available/\xff-blue" says is no UTF-8, and can stand in no configuration: give it another name' in untold


@pytest.mark.parametrize("broken", ["proxy_set_header X {}; {}-9;", "listen 127.0.0.1:1 {}-9;", "return 200 {}-9 {}-9 {}-9;"], ids=["unknown", "parameter", "arguments"])
def test_no_password_of_nginxs_configuration_is_told(host, broken):
    layout = host.lay_out({"sites-enabled/api": "server {\n" + broken.replace("{}", SECRET) + "\n}\n"})
    _, untold = host.init()
    assert SECRET not in untold + host.text()
    assert "not told: nginx's sites, upstreams and logs: " in untold and f"in {layout.path('sites-enabled/api')}:2; type `" in untold


def test_a_log_that_says_too_little_is_said_with_what_to_add(host):
    host.lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}), log=False,
                 http="log_format thin '$remote_addr [$time_local] \"$request\" $status ${body_bytes_sent}';\n access_log %(dir)s/thin.log thin;")
    text = host.folder / "nginx" / "nginx.conf"
    text.write_text(text.read_text().replace("%(dir)s", str(host.folder / "nginx")))
    made, untold = host.init()
    assert made["probes"]["traffic"]["format"].endswith("$$${body_bytes_sent}") is False
    assert "its log_format has no $upstream_addr, $upstream_status, $http_user_agent, $request_time" in untold


FLIPS = {"site": lambda layout: layout.copy("sites-available/green", "sites-enabled/default"),
         "relative link": lambda layout: layout.link("../sites-available/green", "sites-enabled/default"),
         "pool by its name": lambda layout: layout.sed("s,http://blue,http://green,", "sites-enabled/api")}


@pytest.mark.parametrize("name", FLIPS)
def test_what_was_written_rolls_back_once_its_mode_is_act(lay_out, tmp_path, name):
    files = LAYOUTS[name][0]
    if name == "pool by its name":
        files = files | {"sites-enabled/api": files["sites-enabled/api"].replace("http://green", "http://blue")}
    layout = lay_out(files)
    host = Host(tmp_path / "beside")
    host.use(" ".join(layout.nginx_command()))
    done = host.run("init", "--output", "flipback.toml")
    assert done.returncode == 0, done.stderr
    where_nginx_runs = f'[nginx]\nprefix = "{layout.folder}"\nerror_log = "{layout.path("error.log")}"\n'
    text = host.text().replace(os.path.join(host.path, "nginx"), program("nginx")).replace("[nginx]\n", where_nginx_runs)
    (host.folder / "flipback.toml").write_text(text)
    good = host.run("validate", "flipback.toml")
    assert good.returncode == 0 and "rollback: ready" in good.stdout, good.stdout + good.stderr
    assert host.run("--check", "--config", "flipback.toml").returncode in (0, 1)
    agents = f"""
[agent]
listen = "127.0.0.1:{layout.ports['agent']}"
state = "{layout.path('flipback.db')}"
socket = "{layout.path('flipback.sock')}"
log_format = "json"
log_level = "debug"
"""
    agent = Agent(layout, layout.write_configuration(text.replace('mode = "observe"', 'mode = "act"') + agents + RULE)).ready()
    is_cut_over_and_rolled_back(layout, agent, lambda: FLIPS[name](layout))


COMPOSE = """
x-common: &common
  restart: always
services:
  db: { <<: *common, image: "postgis/postgis:13-3.4", ports: ["${DB_PORT:-%d}:5432"], environment: { POSTGRES_PASSWORD: hunter2-in-compose } }
  cache: { image: redis:7, ports: ["127.0.0.1:16379:6379"] }
  vectors: { image: "qdrant/qdrant:v1.7", ports: [{ target: 6333, published: "16333", host_ip: 0.0.0.0 }] }
  store: { image: "quay.io/minio/minio", ports: ["19000:9000/tcp", "19001:9001"] }
  graph: { image: "neo4j:5", network_mode: host }
  sso: { image: "quay.io/keycloak/keycloak@sha256:0123", ports: ["18080:8080"] }
  airflow-scheduler: { image: "apache/airflow:2.11.0" }
  airflow-webserver: { image: "apache/airflow:2.11.0", ports: ["18081:8080"] }
  prom: { image: prom/prometheus, ports: ["19090:9090"] }
  dashboards: { image: grafana/grafana-oss, ports: ["13000:3000"] }
  errors: { image: "getsentry/sentry" }
  api: { image: "registry.example.com:5000/real-estate-os-api:v1.2.3", ports: ["8000:8000"] }
""" % 15432


def test_services_of_a_compose_file_are_probed_at_their_published_ports(host):
    (host.folder / "docker-compose.production.yml").write_text(COMPOSE)
    (host.folder / "docker-compose.staging.yml").write_text("services: { other: { image: redis, ports: ['1:6379'] } }\n")
    made, untold = host.init()
    probes = made["probes"]
    assert (probes["postgres"]["host"], probes["postgres"]["port"]) == ("127.0.0.1", 15432)
    urls = {name: table["url"] for name, table in probes.items() if "url" in table}
    assert urls == {"redis": "redis://127.0.0.1:16379", "qdrant": "http://127.0.0.1:16333", "minio": "http://127.0.0.1:19000", "neo4j": "http://127.0.0.1:7474",
                    "keycloak": "http://127.0.0.1:18080/realms/master/protocol/openid-connect/certs", "airflow": "http://127.0.0.1:18081",
                    "prometheus": "http://127.0.0.1:19090", "grafana": "http://127.0.0.1:13000"}
    assert "Sentry is the service errors" in untold and "hunter2" not in host.text() + untold


def test_a_services_name_in_the_env_file_is_its_published_port_on_this_host(host):
    (host.folder / "docker-compose.yml").write_text(COMPOSE)
    (host.folder / ".env.production").write_text(f"POSTGRES_HOST=db\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD={SECRET}\nDB_PORT=25432\nREDIS_URL=redis://elsewhere:6379\n")
    made, _ = host.init()
    assert made["probes"]["postgres"] == {"type": "postgres", "host": "127.0.0.1", "port": 25432, "user": "${POSTGRES_USER}", "password": "${POSTGRES_PASSWORD}"}
    assert made["probes"]["redis"]["url"] == "${REDIS_URL}" and SECRET not in host.text()


def test_no_value_of_an_env_file_is_copied(host):
    env = ENV.format(port=free_port())
    (host.folder / ".env.production").write_text(env)
    made, untold = host.init()
    text = host.text()
    assert SECRET not in text + untold
    assert made["env_files"] == [str(host.folder / ".env.production")]
    assert made["probes"]["postgres"]["password"] == "${POSTGRES_PASSWORD}" and made["probes"]["redis"]["url"] == "${REDIS_URL}"
    assert made["probes"]["keycloak"]["url"] == "${KEYCLOAK_URL}/realms/real-estate-os/protocol/openid-connect/certs"
    assert made["probes"]["api"]["url"] == "${API_URL}health" and made["probes"]["minio"]["url"] == "http://${MINIO_ENDPOINT}"
    assert "user" not in made["probes"]["neo4j"] and "probes.neo4j: password is a part of NEO4J_AUTH" in untold
    wanted = host.run("--check", "--env-file", ".env.production", "--format", "json")
    assert {p["name"] for p in json.loads(wanted.stdout)["probes"]} <= set(made["probes"])


def test_a_part_of_a_variable_that_may_be_a_secret_is_not_copied(host):
    (host.folder / ".env").write_text(f"KEYCLOAK_URL=https://admin:{SECRET}@127.0.0.1:1/auth\nKEYCLOAK_ISSUER=https://sso.example.com\nSENTRY_DSN=https://a@{SECRET}@h/{SECRET}\n"
                                      f"SENTRY_AUTH_TOKEN=x\nSENTRY_ORG=y\nMINIO_ENDPOINT=u:{SECRET}@127.0.0.1:9\nS3_ENDPOINT_URL=https://u:{SECRET}@h\nNEO4J_URI=bolt://u:{SECRET}@h\n")
    _, untold = host.init()
    assert SECRET not in host.text() + untold and "admin" not in host.text() + untold


GARBAGE = {
    "placeholders": ".env.production:POSTGRES_HOST=<host>\nPOSTGRES_PORT=<port>\nREDIS_URL=redis://<host>:6379\nKEYCLOAK_URL=https://<host>:8080\nSENTRY_DSN=<dsn>\n",
    "an env file of noise": ".env:POSTGRES_HOST=\"never closed\nREDIS_URL\n[section]\n\x01\x02=\x03\nAPI_URL=$(id)\nQDRANT_URL=\"\"\"\n",
    "an env file of quotes": ".env:API_URL=http://x/\"]\\n[agent]\\nlisten=\"0.0.0.0:1\nREDIS_URL=${OTHER}$$\nS3_BUCKET=a\"b\nAWS_REGION=${x}\n",
    "no yaml": "docker-compose.yml:services: [\n  - {",
    "no services": "docker-compose.yml:- a\n- b\n",
    "odd services": "docker-compose.yml:services: { a: 1, b: [], c: { image: [] }, d: { image: redis, ports: {} }, e: { image: redis, ports: [[], {}, null, 'x:y'] }, f: { image: \"redis\\n[agent]\", ports: ['1:6379'] } }",
    "itself merged": "docker-compose.yml:services: &s { <<: *s, a: { image: redis } }\n",
    "deep": "docker-compose.yml:" + "[" * 100000,
    "aliases of aliases": "docker-compose.yml:" + "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i-1}, *a{i-1}]\n" for i in range(1, 60)) + "services: { a: { image: redis, ports: *a59 } }\n",
    "names that are no names": "docker-compose.yml:services: { \"a b\\\"\\n[x]\": { image: redis, ports: ['1:6379'] }, é: { image: redis, ports: ['2:6379'] }, 'a.b': { image: redis, ports: ['3:6379'] } }\n",
    "an image with a line": "docker-compose.yml:services: { a: { image: \"x/redis:1\\n[agent]\\nlisten = ''\", ports: ['1:6379'] } }\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_becomes_no_configuration_that_is_wrong(host, name):
    file, _, text = GARBAGE[name].partition(":")
    (host.folder / file).write_bytes(text.encode())
    made, _ = host.init()
    assert "agent" not in made and made["probes"]["disk"]


def test_a_great_compose_file_is_read(host):
    services = "".join(f"  s{i}: {{ image: app{i}, ports: ['{10000 + i % 50000}:80'] }}\n" for i in range(20000))
    text = "services:\n  cache: { image: redis, ports: ['1:6379'] }\n" + services
    (host.folder / "docker-compose.yml").write_text(text[:1024 * 1024 - 1].rpartition("\n")[0] + "\n")
    assert os.path.getsize(host.folder / "docker-compose.yml") > 800_000
    made, _ = host.init()
    assert made["probes"]["redis"]["url"] == "redis://127.0.0.1:1"
    (host.folder / "docker-compose.yml").write_text(text * 3)
    (host.folder / "flipback.toml").unlink()
    _, untold = host.init()
    assert "docker-compose.yml: is longer than 1024KiB" in untold


@pytest.mark.parametrize("command", ["false", "echo garbage", "cat /dev/zero", "printf '# configuration file /x:\\n}}}}{{{{;;\\n\"'", "printf '%s\\n' '[emerg] open() \"/etc/x\" failed'; exit 1;"],
                         ids=["fails", "garbage", "endless", "braces", "emerg"])
def test_an_nginx_that_says_nothing_of_use(host, command):
    (host.folder / "bin").mkdir()
    (host.folder / "bin" / "nginx").write_text(f"#!/bin/sh\n{command}\n")
    (host.folder / "bin" / "nginx").chmod(0o755)
    host.path = str(host.folder / "bin")
    began = time.monotonic()
    made, untold = host.init()
    assert "deployment" not in made and "not told:" in untold and time.monotonic() - began < 60


@pytest.mark.skipif(os.getuid() != 0, reason="root may read every file, and becomes nobody")
def test_what_may_not_be_read_is_said_and_passed_over(host):
    (host.folder / ".env.production").write_text("REDIS_URL=redis://127.0.0.1\n")
    (host.folder / "docker-compose.yml").write_text("services: {}\n")
    for name in (".env.production", "docker-compose.yml"):
        (host.folder / name).chmod(0o600)
    for folder in (host.folder, *host.folder.parents):
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    done = host.run("init", within=["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
    assert done.returncode == 0, done.stderr
    assert "not told: what " in done.stderr and done.stderr.count("Permission denied") >= 2
    assert "probes" in tomllib.loads(done.stdout)


@pytest.mark.skipif(os.getuid() != 0, reason="another user's configuration has only what that one may read")
def test_as_root_it_says_what_the_service_could_not_read(host):
    with tempfile.TemporaryDirectory(dir="/var/lib") as folder:
        os.chmod(folder, 0o755)
        env = os.path.join(folder, ".env.production")
        with open(env, "w", encoding="utf-8") as file:
            file.write("REDIS_URL=redis://127.0.0.1:1\n")
        host.folder = Path(folder)
        _, untold = host.init()
        assert "how the service is to read" not in untold
        os.chmod(env, 0o640)
        os.remove(os.path.join(folder, "flipback.toml"))
        _, untold = host.init()
        assert re.search(f"not told: how the service is to read {re.escape(env)}: its user flipback may not .*type `setfacl -m u:flipback:r {re.escape(env)}` as root", untold)


def refused(host, *words, within=()):
    done = host.run("init", *words, within=within)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done
    return done.stderr


def test_why_a_file_can_not_be_written_is_said_with_what_to_type(host):
    assert "flipback: can't write none/there.toml: there is no folder none: type `mkdir -p none`, and this again\n" == refused(host, "--output", "none/there.toml")
    assert refused(host, "--output", ".").startswith("flipback: . is a folder, expected the name of a new file: type `flipback init --output ./flipback.toml`")
    assert "is a device, expected the name of a new file" in refused(host, "--output", "/dev/full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([BINARY, "init"], cwd=host.folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "flipback: can't write to standard output: No space left on device: type `flipback init --output flipback.toml` to write a file\n"


@pytest.mark.skipif(os.getuid() != 0, reason="root becomes nobody, and mounts")
def test_a_folder_without_a_right_or_without_space_is_said_and_no_half_file_stays(host):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "flipback.toml")
        no_right = refused(host, "--output", path, within=["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"])
        assert no_right == f"flipback: can't write {path}: no right to make a file in {folder}: type `sudo` before the command, or `flipback init --output /tmp/flipback.toml`\n"
        mounted = 'mount -t tmpfs -o size=8k tmpfs "$0"; dd if=/dev/zero of="$0/rest" bs=4096 count=2 2>/dev/null; "$@"; is=$?; ls "$0" >&2; exit $is'
        (host.folder / "docker-compose.yml").write_text(COMPOSE)
        done = host.run("init", "--output", path, within=["unshare", "--mount", "sh", "-c", mounted, folder])
        assert done.returncode == 2 and done.stderr.startswith(f"flipback: can't write {path}: no space is left for it in {folder} (No space left on device), and nothing of it stays: type `df {folder}`")
        assert done.stderr.endswith("\nrest\n"), done.stderr


def test_nothing_is_overwritten_and_standard_output_is_the_default(host):
    (host.folder / "flipback.toml").write_text("mine")
    refused = host.run("init", "--output", "flipback.toml")
    assert refused.returncode == 2 and host.text() == "mine" and refused.stdout == ""
    assert refused.stderr == "flipback: flipback.toml is there already, and nothing is overwritten: type `flipback init --output flipback.toml.new` to write beside it\n"
    (host.folder / "link").symlink_to("nowhere")
    assert host.run("init", "--output", "link").returncode == 2 and not (host.folder / "nowhere").exists()
    printed = host.run("init")
    assert printed.returncode == 0 and "disk" in tomllib.loads(printed.stdout)["probes"]
    host.run("init", "--output", "new.toml")
    assert (host.folder / "new.toml").read_text() == printed.stdout


def test_what_listens_is_a_hint_and_no_more(host):
    import socket
    with socket.socket() as other:
        try:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", 6333))
        except OSError:
            pass  # somebody else listens there: that is as good
        else:
            other.listen()
        made, _ = host.init()
    assert "qdrant" not in made["probes"]
    assert "# Something listens on port 6333 of this host: perhaps Qdrant." in host.text() and "\n# [probes.qdrant]\n" in host.text()


def test_each_thing_says_where_it_was_found(host):
    layout = host.lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}))
    (host.folder / "docker-compose.yml").write_text(COMPOSE)
    host.init()
    for table in re.findall(r"(?:^#.*\n)*^\[(?:probes\.\w+|deployment|nginx)\]", host.text(), re.MULTILINE):
        assert table.startswith("#"), table
    assert layout.path("sites-available/blue") in host.text() and str(host.folder / "docker-compose.yml") in host.text()
    assert program("nginx")


def test_a_look_that_is_broken_off_leaves_nothing_behind(host):
    host.use("sleep 30;")
    began = subprocess.Popen([BINARY, "init", "--output", "flipback.toml"], cwd=host.folder, env={"PATH": f"{host.path}:/usr/bin:/bin", "HOME": "/"},
                             stderr=subprocess.DEVNULL)
    time.sleep(1)
    assert began.poll() is None
    began.kill()
    began.wait()
    assert not (host.folder / "flipback.toml").exists()
