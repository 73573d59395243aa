"""The http probe against real servers: FastAPI, and nginx for redirects, limits and client certificates."""

import ssl
import subprocess

import pytest
from api_server import ApiServer
from conftest import BINARY, is_now
from faulty import Faulty, answer, html
from follow import metrics
from nginx_server import Nginx
from processes import Child, free_port, wait_until

SECRET = "hunter2"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as started:
        yield started


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, certificates):
    tls = f"ssl_certificate {certificates}/good.pem; ssl_certificate_key {certificates}/good.key;"
    demands = f"{tls} ssl_client_certificate {certificates}/ca.pem; ssl_verify_client on; location / {{ return 200 ready; }}"
    plain = """
location /moved { return 301 /there/; }
location /there/ { return 200 there; }
location /relative { return 302 there/; }
location /loop { return 302 /loop; }
location /post { return 307 /there/; }
location /elsewhere { return 302 http://127.0.0.1:$arg_port/got; }
location /post-elsewhere { return 308 http://127.0.0.1:$arg_port/got; }
location /limited { limit_req zone=few burst=1 nodelay; limit_req_status 429; root html; try_files /page =404; }
"""
    servers = {"plain": plain, "old": f"{tls} ssl_protocols TLSv1.2; location / {{ return 200 ready; }}", "new": f"{tls} ssl_protocols TLSv1.3; location / {{ return 200 ready; }}",
               "demands": demands, "down": f"{tls} location / {{ return 302 http://$host/there/; }}"}
    server = Nginx(tmp_path_factory.mktemp("nginx"), servers, "limit_req_zone $server_port zone=few:1m rate=1r/m;")
    with server:
        with open(server.path("html", "page"), "w", encoding="ascii") as page:
            page.write("page")
        yield server


@pytest.fixture
def ask(probe):
    """Runs the probe; no sentence may have a secret in it."""

    def run(url, more=""):
        entry = probe("http", f'url = "{url}"\n{more}')
        assert SECRET not in str(entry), entry
        return entry

    return run


def plain(nginx, path):
    return f"http://127.0.0.1:{nginx.ports['plain']}{path}"


def test_status_headers_body_and_json_are_held_against_what_is_expected(ask, api):
    url = f"{api.url}/health"
    is_now(ask(url), "pass", says="200")
    for expect in ('"/status" = "healthy"', '"/checks/lag" = { above = 3, below = 4 }', '"header:X-Release" = "v1.2"', '"header:content-type" = { contains = "json" }',
                   'body = "healthy"', 'body = { lacks = "sick" }', '"/queue" = { present = true }', '"/checks/redis" = { present = false }', 'status = "2xx"'):
        is_now(ask(url, f"expect = {{ {expect} }}"), "pass")
    for expect, says in (('"/checks/lag" = { below = 3 }', "/checks/lag is 3.5, expected below 3"), ('"header:X-Release" = "v1.3"', 'the header X-Release is "v1.2", expected "v1.3"'),
                         ('body = "sick"', 'the body does not contain "sick"'), ('"/checks/redis" = "ok"', '/checks/redis is not there, expected "ok"')):
        is_now(ask(url, f"expect = {{ {expect} }}"), "fail", "expectation", says)
    is_now(ask(f"{api.url}/nowhere"), "fail", "bad status", "answered 404, expected 200")
    is_now(ask(url, 'method = "POST"'), "fail", "bad status", "answered 405, expected 200")


def test_phases_are_measured(ask, api):
    measured = ask(f"{api.url}/health")["measurements"]
    assert measured["status"] == 200 and measured["limited"] == 0
    assert measured["connect_seconds"] > 0 and measured["first_byte_seconds"] > 0 and measured["transfer_seconds"] >= 0


def test_basic_and_bearer(ask, api):
    good = f'user = "{api.user}"\npassword = "{api.password}"'
    is_now(ask(f"{api.url}/basic", good), "pass")
    is_now(ask(f"{api.url}/basic"), "fail", "unauthorised", "answered 401")
    is_now(ask(f"{api.url}/basic", f'user = "{api.user}"\npassword = "hunter2-wrong"'), "fail", "unauthorised", "answered 401")
    is_now(ask(f"{api.url}/basic", f'user = "other"\npassword = "{api.password}"'), "fail", "forbidden", "answered 403")
    is_now(ask(f"{api.url}/bearer", f'token = "{api.password}"'), "pass")
    is_now(ask(f"{api.url}/bearer", 'token = "hunter2-wrong"'), "fail", "unauthorised")


@pytest.mark.parametrize("sent", ['token = "hunter2-token"', 'user = "me"\npassword = "hunter2-password"', 'headers = { Authorization = "Bearer hunter2-header" }'])
def test_what_a_server_repeats_is_not_shown(ask, api, sent):
    entry = is_now(ask(f"{api.url}/repeats", f'{sent}\nexpect = {{ "/status" = "healthy" }}'), "fail", "expectation", "***")
    assert "bmVy" not in entry["says"]  # nor its base64
    is_now(ask(f"{api.url}/repeats", f'{sent}\nidentity = "/status"'), "pass", says="***")


def test_a_redirect_is_the_answer_unless_it_is_to_be_followed(ask, nginx):
    is_now(ask(plain(nginx, "/moved")), "fail", "bad status", "answered 301 (to http://127.0.0.1")
    is_now(ask(plain(nginx, "/moved"), "expect = 301"), "pass")
    is_now(ask(plain(nginx, "/moved"), 'redirects = 1\nexpect = { body = "there" }'), "pass")
    is_now(ask(plain(nginx, "/post"), 'redirects = 1\nmethod = "POST"\nbody = "hunter2-body"\nexpect = { body = "there" }'), "pass")
    is_now(ask(plain(nginx, "/relative"), 'redirects = 1\nexpect = { body = "there" }'), "pass")
    is_now(ask(plain(nginx, "/loop"), "redirects = 10"), "fail", "bad status", "after 10 of them")


def test_no_redirect_leads_from_https_to_http(ask, nginx, certificates):
    url = f"https://127.0.0.1:{nginx.ports['down']}/"
    is_now(ask(url, f'ca_file = "{certificates}/ca.pem"\nredirects = 5'), "fail", "bad status", "from https to http it is not followed")


def test_another_host_gets_no_credentials(ask, nginx):
    seen = []

    def keeps(client, request, _ended):
        seen.append(request.decode())
        client.sendall(answer(b"{}"))

    with Faulty(keeps) as other:
        sent = 'redirects = 1\nheaders = { Cookie = "session=hunter2", Accept = "application/json" }\n'
        is_now(ask(plain(nginx, f"/elsewhere?port={other.port}"), sent + 'token = "hunter2-token"\nhost = "api.test"'), "pass")
        assert SECRET not in seen[0] and "Authorization" not in seen[0] and "api.test" not in seen[0], seen
        assert "Accept: application/json" in seen[0] and "User-Agent: flipback/" in seen[0]
        is_now(ask(plain(nginx, f"/post-elsewhere?port={other.port}"), sent + 'method = "POST"\nbody = "hunter2-body"'), "fail", "bad status", "body is not sent")
        assert len(seen) == 1


def test_a_limited_service_is_neither_up_nor_down(ask, nginx, tmp_path):
    url = plain(nginx, "/limited")
    wait_until("the limit", lambda: ask(url)["outcome"] != "pass")
    entry = is_now(ask(url), "unknown", "limited", "answered 429")
    assert entry["measurements"]["limited"] == 1 and entry["measurements"]["status"] == 429
    is_now(ask(url, "expect = 429"), "pass")
    # To the rules it is reachable, and whether it is up is not known.
    listen = free_port()
    rules = {"reached": "it.reachable == 1", "up": "it.up == 1", "down": "it.up == 0", "limits": "it.limited == 1"}
    text = f'[agent]\nlisten = "127.0.0.1:{listen}"\nstate = "{tmp_path}/state.db"\n[probes.it]\ntype = "http"\nurl = "{url}"\nevery = "200ms"\n'
    text += "".join(f'[[rules]]\nname = "{name}-now"\nwhen = "{when}"\nthen = "alert"\n' for name, when in rules.items())
    (tmp_path / "flipback.toml").write_text(text, encoding="utf-8")
    agent = Child("flipback", [BINARY, "--config", str(tmp_path / "flipback.toml")], str(tmp_path / "flipback.log"))
    try:
        def verdicts():
            found = metrics(f"http://127.0.0.1:{listen}")
            return {name: next((v for v in ("ok", "pending", "breached", "unknown")
                                if found.get(("flipback_rule_verdict", f'rule="{name}-now",verdict="{v}"')) == 1), None) for name in rules}

        expected = {"reached": "breached", "up": "unknown", "down": "unknown", "limits": "breached"}
        wait_until("the verdicts", lambda: verdicts() == expected, 20, agent)
    finally:
        agent.stop()


# --- TLS: versions, and certificates of our own

def test_a_version_of_tls_that_is_too_old_is_said_so(ask, nginx, certificates):
    trusted = f'ca_file = "{certificates}/ca.pem"\n'
    for server in ("old", "new"):
        is_now(ask(f"https://127.0.0.1:{nginx.ports[server]}/", trusted), "pass")
    is_now(ask(f"https://127.0.0.1:{nginx.ports['new']}/", trusted + 'min_version = "1.3"'), "pass")
    is_now(ask(f"https://127.0.0.1:{nginx.ports['old']}/", trusted + 'min_version = "1.3"'), "fail", "bad TLS", "no version of TLS that is allowed here")


def shown(certificates, name, key=None):
    return f'client_certificate = "{certificates}/{name}.pem"\nclient_key = "{certificates}/{key or name}.key"\n'


def test_nginx_gets_the_client_certificate_that_it_demands(ask, nginx, certificates):
    url = f"https://127.0.0.1:{nginx.ports['demands']}/"
    trusted = f'ca_file = "{certificates}/ca.pem"\n'
    is_now(ask(url, trusted + shown(certificates, "good")), "pass")
    for none in ("", shown(certificates, "alone"), shown(certificates, "old")):
        is_now(ask(url, trusted + none), "fail", "unauthorised", "wants a client certificate")


@pytest.fixture(params=["TLSv1_2", "TLSv1_3"])
def strict(request, certificates):
    """A server that ends the handshake, or what TLS 1.3 has left of it, where it gets no good certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "good.pem", certificates / "good.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, request.param)
    with Faulty(html, tls=context) as server:
        yield f"https://127.0.0.1:{server.port}/"


def test_a_server_that_demands_a_client_certificate_is_said_so(ask, strict, certificates):
    trusted = f'ca_file = "{certificates}/ca.pem"\n'
    is_now(ask(strict, trusted + shown(certificates, "good")), "pass")
    is_now(ask(strict, trusted), "fail", "unauthorised", "client certificate, and none was shown")
    is_now(ask(strict, trusted + shown(certificates, "alone")), "fail", "unauthorised", "does not accept our client certificate")
    is_now(ask(strict, trusted + shown(certificates, "old")), "fail", "unauthorised", "does not accept our client certificate")


def test_a_client_certificate_that_can_not_be_used_is_no_failure_of_the_server(ask, nginx, certificates, tmp_path):
    url = f"https://127.0.0.1:{nginx.ports['demands']}/"
    for table, says in ((shown(certificates, "none"), "none.pem"), (shown(certificates, "good", "none"), "none.key"), (shown(certificates, "good", "alone"), "alone.key")):
        is_now(ask(url, table), "unknown", "no prerequisite", says)
    subprocess.run(["openssl", "rsa", "-aes256", "-passout", "pass:hunter2", "-in", certificates / "good.key", "-out", tmp_path / "locked.key"], check=True, capture_output=True)
    locked = f'client_certificate = "{certificates}/good.pem"\nclient_key = "{tmp_path}/locked.key"'
    is_now(ask(url, locked), "unknown", "no prerequisite", "locked.key")


def test_a_server_that_comes_back_is_well_again(tmp_path):
    """On one kept connection: that it was cut says nothing."""
    listen = free_port()
    with ApiServer(tmp_path / "api") as api:
        text = f'[agent]\nlisten = "127.0.0.1:{listen}"\nlog_format = "json"\n[probes.it]\ntype = "http"\nurl = "{api.url}/health"\nevery = "100ms"\nkeep_alive = true\n'
        (tmp_path / "flipback.toml").write_text(text, encoding="utf-8")
        agent = Child("flipback", [BINARY, "--config", str(tmp_path / "flipback.toml")], str(tmp_path / "flipback.log"))
        try:
            def up():
                return metrics(f"http://127.0.0.1:{listen}").get(("flipback_probe_up", 'probe="it"'))

            wait_until("a pass", lambda: up() == 1, 20, agent)
            api.stop_server()
            wait_until("a failure", lambda: up() == 0, 20, agent)
            api.start()
            wait_until("a pass again", lambda: up() == 1, 20, agent)
            assert "refused" in agent.output()
        finally:
            agent.stop()
