"""The agent's HTTP API: every route against a real agent, and everyone who may not."""

import json
import os
import re
import socket
import subprocess
import time

import pytest
from api_client import TOKEN, Client
from conftest import ROOT, Agent, Traffic
from processes import free_port, program, wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask, ask_json, typed


@pytest.fixture
def served(stack, fast_agent):
    """An agent that acts and has a token, and a client of it."""
    def start(mode="observe", extra="", agent=f'token = "{TOKEN}"'):
        return fast_agent(mode, extra, agent=agent), Client(stack.ports["agent"])
    return start


def document():
    with open(f"{ROOT}/agent/serve/openapi.json", encoding="utf-8") as file:
        return json.load(file)


# What is read.

def test_what_the_verbs_say_is_what_the_api_says(stack, served):
    agent, client = served()
    agent.wait("deployment.baseline")
    wait_until("it to look whether all is ready", lambda: client.get("/api/v1/status").json["deployment"]["ready"] != "not looked yet")
    status = client.get("/api/v1/status").json
    by_verb = ask_json(stack, "status")
    moving = ("at", "probes", "failing", "breached", "pending", "unknown")
    assert {k: v for k, v in status.items() if k not in moving} == {k: v for k, v in by_verb.items() if k not in moving}
    assert status["deployment"]["live"] == "blue" and status["incident"] is None and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["at"])
    rules = {rule["rule"]: rule for rule in client.get("/api/v1/rules").json["rules"]}
    assert rules.keys() == {rule["rule"] for rule in ask_json(stack, "rules")["rules"]}
    assert rules["error-rate"]["unit"] == "ratio" and rules["error-rate"]["threshold"] in (None, 0.05) and rules["error-rate"]["then"] == "rollback"
    assert rules["outage"]["verdict"] == "off"
    explained = client.get("/api/v1/rules/error-rate").json
    assert explained.keys() == ask_json(stack, "explain", "error-rate").keys() and explained["rule"] == "error-rate"
    assert client.get("/api/v1/incidents").json == ask_json(stack, "incidents") == {"incidents": []}
    assert "agent.ready" in [event["kind"] for event in client.get("/api/v1/log").json["operations"]]
    assert client.get("/api/v1/session").json == {"may_read": True, "may_change": False, "token_is_configured": True, "version": status["version"]}
    assert client.get("/api/v1/session", Authorization=f"Bearer {TOKEN}").json["may_change"] is True


def test_probes_are_told_with_their_newest_run(served):
    _, client = served()
    probes = wait_until("the probes' runs", lambda: [p for p in client.get("/api/v1/probes").json["probes"] if p["at"]])
    api = next(p for p in probes if p["probe"] == "api")
    assert api["is"] == "pass" and api["type"] == "http" and api["says"] and 0 < api["seconds"] < 10


def test_what_can_not_be_found_is_said_with_what_to_type(stack, served):
    _, client = served()
    assert client.get("/api/v1/rules/eror-rate").detail == f"found no rule eror-rate; did you mean error-rate? `{typed(stack)} rules` lists all"
    assert client.get("/api/v1/rules/vector-search").status == 409
    for path in ("/api/v1/rules/eror-rate", "/api/v1/incidents/none", "/api/v1", "/api/v2/status", "/nothing", "/page/none", "/page/..%2Fopenapi.json"):
        assert client.get(path).status == 404, path
        client.get(path).detail
    assert client.get("/api/v1/incidents/last?format=pdf").status == 400


def test_every_documented_path_answers_as_documented(served):
    agent, client = served()
    agent.wait("deployment.baseline")
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if path == "/api/v1/events":
                continue
            for name, value in (("{rule}", "error-rate"), ("{id}", "last"), ("{file}", "index.html")):
                path = path.replace(name, value)
            answer = client.ask(method.upper(), path, {} if method == "post" else None, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
            assert str(answer.status) in operation["responses"], (path, answer.status, answer.body)
            if path.startswith("/api/"):
                assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/api/v1/openapi.json").json == document()


def test_an_incident_is_told_as_the_verb_tells_it_and_the_traces_show_it(stack, served):
    agent, client = served("act")
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")
    agent.wait("incident.ended", 60)
    told = client.get("/api/v1/incidents/last").json
    assert told == ask_json(stack, "incidents", "last") and told["outcome"] == "rolled back"
    markdown = client.get("/api/v1/incidents/last?format=markdown")
    assert markdown.headers["Content-Type"] == "text/markdown; charset=utf-8" and markdown.body.startswith(f"# Incident {told['incident']}\n")
    text = client.get(f"/api/v1/incidents/{told['incident']}?format=text")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8" and text.body == ask(stack, "incidents", "last")[1]
    wait_until("a point since then", lambda: [v for _, v in client.get("/api/v1/traces").json["rules"]["error-rate"]["points"] if v is not None])
    traces = client.get("/api/v1/traces").json
    assert traces["every"] == 5 and traces["rules"]["error-rate"]["threshold"] == 0.05 and traces["rules"]["error-rate"]["unit"] == "ratio"
    assert [mark["kind"] for mark in traces["marks"]][:2] == ["cutover", "rollback"]
    assert all(abs(mark["at"] / 1000 - time.time()) < 300 for mark in traces["marks"])


def examples():
    """The command lines of the API's page."""
    with open(f"{ROOT}/packaging/docs/api.md", encoding="utf-8") as file:
        return re.findall(r"^\$ (curl .*)$", file.read(), re.MULTILINE)


def test_the_documents_examples_are_answered(served, tmp_path):
    agent, client = served()
    agent.wait("deployment.baseline")
    (tmp_path / "token").write_text(TOKEN + "\n")
    assert len(examples()) >= 6
    for line in examples():
        line = line.replace("127.0.0.1:19187", f"127.0.0.1:{client.port}").replace("/etc/flipback/token", f"{tmp_path}/token")
        done = subprocess.run(["sh", "-c", f"{line} --fail-with-body"], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == (28 if "--max-time" in line else 0), (line, done)  # a stream ends by its time alone
        assert done.stdout.startswith("event: status\ndata: {") if "/events" in line else json.loads(done.stdout), line
    assert agent.wait("rollback.held")["by"] == "alice (HTTP API, from 127.0.0.1)"


def test_every_path_of_the_api_has_its_row_in_the_document():
    with open(f"{ROOT}/packaging/docs/api.md", encoding="utf-8") as file:
        rows = "".join(re.findall(r"^\| (`/api/.*?) \|", file.read(), re.MULTILINE))
    assert set(re.findall(r"`(/api/[^`]+)`", rows)) == {path for path in document()["paths"] if path.startswith("/api/")} - {"/api/v1/openapi.json"}


# What is streamed.

def test_events_tell_at_once_how_it_stands_and_then_what_changes_and_happens(stack, served):
    agent, client = served()
    agent.wait("deployment.baseline")
    events = client.events()
    assert [next(events)[0], next(events)[0]] == ["status", "rules"]
    assert client.post("/api/v1/hold", {"for": "1h", "reason": "a sale\nwith \u202e two lines", "by": "alice"}).json["done"] is True
    seen = []
    while not any(name == "status" and data["deployment"]["held"] for name, data in seen):
        seen.append(next(events))
    happened = next(data for name, data in seen if name == "happened" and data["kind"] == "rollback.held")
    assert happened["by"] == "alice (HTTP API, from 127.0.0.1)" and happened["severity"] == "warning"
    events.close()
    stack.cut_over("green")


def test_there_are_sixteen_streams_and_who_hangs_up_makes_room(served):
    _, client = served()
    open_now = [client.events() for _ in range(16)]
    for one in open_now:
        next(one)
    refused = client.get("/api/v1/events")
    assert refused.status == 429 and refused.headers["Retry-After"] == "15" and "16" in refused.detail
    open_now.pop().close()
    wait_until("room", lambda: client.ask("HEAD", "/api/v1/events").status == 200 and next(client.events())[0] == "status", 5)
    assert client.get("/healthz").status == 200


def test_who_does_not_read_what_is_streamed_costs_little(served, stack):
    agent, client = served()
    silent = []
    for _ in range(16):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.connect(("127.0.0.1", client.port))
        one.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n\r\n".encode())
        silent.append(one)
    time.sleep(1)
    for number in range(60):
        assert client.post("/api/v1/hold", {"for": "1h", "reason": f"{number} " + "x" * 4000}).status == 200
    with open(f"/proc/{agent.child.pid}/status", encoding="utf-8") as file:
        assert next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) < 80 * 1024
    for one in silent:
        one.close()
    assert client.post("/api/v1/unhold").status == 200


# What is changed.

def test_every_change_does_what_its_verb_does(stack, served):
    agent, client = served("act")
    agent.wait("deployment.baseline")
    assert client.post("/api/v1/hold", {"for": "1h", "reason": "migration"}).json["done"] is True
    assert agent.wait("rollback.held")["by"] == "HTTP API, from 127.0.0.1"
    assert client.post("/api/v1/unhold", {"by": "bob"}).status == 200
    assert agent.wait("rollback.freed")["by"] == "bob (HTTP API, from 127.0.0.1)"
    assert client.post("/api/v1/window/open", {"stable": "green"}).status == 200
    assert client.post("/api/v1/window/close").status == 200
    for path, body in (("/api/v1/unlatch", {"yes": True}), ("/api/v1/approve", {})):
        assert client.post(path, body).status == 409 and client.post(path, body).detail
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    done = client.post("/api/v1/rollback", {"reason": "CVE-2026-1", "by": "alice"})
    assert done.status == 200 and "blue" in done.json["says"] and "is live, proven in" in done.json["says"]
    decided = agent.wait("rollback.decided")
    assert decided["by"] == "alice (HTTP API, from 127.0.0.1)" and decided["why"] == "CVE-2026-1" and stack.live() == "blue"
    again = client.post("/api/v1/rollback", {"reason": "again"})
    assert client.post("/api/v1/flip", {"slot": "blue"}).detail.startswith("blue is live already")
    done = client.post("/api/v1/flip", {"slot": "green", "reason": "mended", "by": "alice"})
    assert done.status == 200 and "is live, proven in" in done.json["says"] and "rules ask before they do so again" in done.json["says"]
    assert agent.wait("flip.decided")["by"] == "alice (HTTP API, from 127.0.0.1)" and stack.live() == "green"
    assert again.status == 409 and again.detail == "the switch names blue already, and users reach it; \"force\": true does it all the same"


UNMEANT = {
    "/api/v1/rollback": [{}, {"reason": ""}, {"reason": " \n"}, {"reason": 1}, {"reason": "x" * 5000}, {"reason": "x", "stable": "purple"}, {"reason": "x", "force": "yes"},
                         {"reson": "x"}, {"reason": "x", "json": "yes"}],
    "/api/v1/flip": [{}, {"slot": ""}, {"slot": "purple"}, {"slot": 1}, {"slot": "green", "reason": ""}, {"slot": "green", "force": 1}, {"slot": "green", "stable": "blue"}],
    "/api/v1/hold": [{"reason": "x"}, {"for": "1h"}, {"for": "1 parsec", "reason": "x"}, {"for": "8d", "reason": "x"}, {"for": "-1h", "reason": "x"}],
    "/api/v1/approve": [{"rule": "nonsense"}, {"rule": None}],
    "/api/v1/window/open": [{"stable": "purple"}],
    "/api/v1/unlatch": [{"yes": "yes"}, {"yes": 1}],
}


def test_what_can_not_be_meant_changes_nothing_and_is_said(served):
    agent, client = served("act")
    agent.wait("deployment.baseline")
    before = len(agent.update())
    for path, bodies in UNMEANT.items():
        for body in bodies:
            refused = client.post(path, body)
            assert refused.status == 422 and refused.detail, (path, body, refused.body)
    for body in (b"nonsense", b"[]", b'"x"', b"{", b'{"reason": "\xff"}', b"\x00", b"[" * 1000):
        refused = client.post("/api/v1/hold", body)
        assert refused.status == 400 and refused.detail, (body, refused.body)
    assert [event["kind"] for event in agent.update()[before:] if event["kind"].startswith("rollback.")] == []


# Who may not.

CHANGES = ["/api/v1/rollback", "/api/v1/flip", "/api/v1/hold", "/api/v1/unhold", "/api/v1/unlatch", "/api/v1/approve", "/api/v1/window/open", "/api/v1/window/close", "/api/v1/ack"]
READS = ["/api/v1/openapi.json", "/api/v1/session", "/api/v1/status", "/api/v1/rules", "/api/v1/rules/error-rate", "/api/v1/traces", "/api/v1/probes", "/api/v1/incidents",
         "/api/v1/incidents/last", "/api/v1/log", "/api/v1/notifications", "/api/v1/events"]
BODY = {"for": "1h", "reason": "x"}


def test_the_lists_above_have_every_route():
    paths = document()["paths"]
    assert sorted(CHANGES) == sorted(path for path, methods in paths.items() if "post" in methods)
    given = {"{rule}": "error-rate", "{id}": "last"}
    assert sorted(READS) == sorted(re.sub(r"\{\w+\}", lambda name: given[name[0]], path) for path, methods in paths.items() if path.startswith("/api/") and "get" in methods)


def test_who_has_no_token_changes_nothing(served):
    agent, client = served()
    for path in CHANGES:
        for said in (None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}", TOKEN, "Bearer \xff"):
            refused = client.post(path, BODY, Authorization=said)
            assert refused.status == 401 and refused.headers["WWW-Authenticate"] == "Bearer" and refused.detail
    assert agent.of("rollback.held") == []


def test_without_a_configured_token_nothing_is_changed_and_what_to_write_is_said(served):
    _, client = served(agent="")
    for path in CHANGES:
        for said in (None, "Bearer ", f"Bearer {TOKEN}"):
            refused = client.post(path, BODY, Authorization=said)
            assert refused.status == 403 and "token_file" in refused.detail and "openssl rand" in refused.detail
    assert client.get("/api/v1/session").json["token_is_configured"] is False


def test_another_name_than_ours_is_answered_nothing(served):
    """A page whose name its owner has led to 127.0.0.1 is one origin with us to a browser."""
    _, client = served(agent=f'token = "{TOKEN}"\nhosts = ["flipback.example.com"]')
    for path in (*READS, "/page/index.html"):
        for host in ("evil.example.com", f"evil.example.com:{client.port}", "127.0.0.1.evil.example.com", "192.0.2.1"):
            refused = client.ask("GET", path, host=host)
            assert refused.status == 421 and "[agent] hosts" in refused.detail, (path, host)
    assert client.ask("GET", "/", headers={"Accept": "text/html"}, host="evil.example.com").status == 421
    for host in ("localhost", f"[::1]:{client.port}", "flipback.example.com", "FLIPBACK.example.com:443"):
        assert client.ask("GET", "/api/v1/status", host=host).status == 200, host
    for path in CHANGES:
        assert client.ask("POST", path, BODY, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}, host="evil.example.com").status == 421
    for path in ("/healthz", "/metrics", "/"):
        assert client.ask("GET", path, host="evil.example.com").status == 200


def test_another_sites_page_is_answered_nothing(served):
    agent, client = served()
    own = f"http://127.0.0.1:{client.port}"
    foreign = [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example.com"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
               {"Origin": own, "Sec_Fetch_Site": "cross-site"}]
    for path in CHANGES:
        for how in foreign:
            assert client.post(path, BODY, **how).status == 403, (path, how)
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain;charset=UTF-8", None):
            assert client.post(path, BODY, Content_Type=kind).status == 415, (path, kind)
    for path in READS:
        for how in foreign:
            assert client.get(path, **how).status == 403, (path, how)
    assert agent.of("rollback.held") == []
    assert client.post("/api/v1/hold", BODY, Origin=own, Sec_Fetch_Site="same-origin").status == 200
    answer = client.get("/api/v1/status", Origin=own)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_who_comes_through_a_proxy_reads_by_the_token_alone(served):
    _, client = served()
    for path in READS:
        for proxied in ({"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"X_Real_IP": "192.0.2.1"}):
            refused = client.get(path, **proxied)
            assert refused.status == 401 and refused.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/api/v1/status", X_Forwarded_For="192.0.2.1", Authorization=f"Bearer {TOKEN}").status == 200
    assert client.get("/page/index.html", X_Forwarded_For="192.0.2.1").status == 200


def test_the_documents_proxy_hands_on_who_asks_and_by_which_name(stack, served, tmp_path):
    """nginx as the document writes it."""
    agent, _ = served(agent=f'token = "{TOKEN}"\nhosts = ["flipback.example.com"]')
    with open(f"{ROOT}/packaging/docs/api.md", encoding="utf-8") as file:
        location = re.search(r"^```nginx\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)[1].replace(":19187", f":{stack.ports['agent']}")
    port = free_port()
    temp = "".join(f"  {kind}_temp_path {tmp_path};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error;\nevents {{}}\nhttp {{\n  access_log off;\n{temp}"
                                         f"  server {{\n    listen 127.0.0.1:{port};\n{location}  }}\n}}\n")
    os.chmod(tmp_path, 0o755)
    stack.child("proxy", [program("nginx"), "-e", f"{tmp_path}/error", "-c", f"{tmp_path}/nginx.conf", "-g", "daemon off;"], stop_signal=15)
    proxied = Client(port)
    name = "flipback.example.com"
    wait_until("the proxy", lambda: proxied.ask("GET", "/healthz", host=name).status == 200)
    token = {"Authorization": f"Bearer {TOKEN}"}
    assert proxied.ask("GET", "/", headers={"Accept": "text/html"}, host=name).status == 200
    assert proxied.ask("GET", "/api/v1/status", host=name).status == 401
    assert proxied.ask("GET", "/api/v1/status", headers=token, host=name).status == 200
    assert proxied.ask("GET", "/api/v1/status", headers=token, host="evil.example.com").status == 421
    how = token | {"Content-Type": "application/json", "Origin": f"https://{name}", "Sec-Fetch-Site": "same-origin"}
    assert proxied.ask("POST", "/api/v1/hold", BODY, how, host=name).status == 200
    assert proxied.ask("POST", "/api/v1/hold", BODY, how | {"Origin": "https://evil.example.com"}, host=name).status == 403
    began = time.monotonic()
    assert next(proxied.events(more=f"Authorization: Bearer {TOKEN}\r\n", host=name))[0] == "status" and time.monotonic() - began < 3


def test_who_comes_from_another_host_reads_by_the_token_alone(stack, fast_agent):
    """By an address of this host's own that is not loopback, which is as another host's to the agent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    port = stack.ports["agent"]
    text = stack.configuration(mode="observe", agent=f'token = "{TOKEN}"').replace(f'listen = "127.0.0.1:{port}"', f'listen = "0.0.0.0:{port}"')
    Agent(stack, stack.write_configuration(text)).ready()

    def status(path, more=""):
        with socket.create_connection((address, port), 5) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n{more}\r\n".encode())
            return int(peer.makefile("rb").readline().split()[1])

    assert status("/api/v1/status") == 401 and status("/api/v1/status", f"Authorization: Bearer {TOKEN}\r\n") == 200
    assert status("/page/index.html") == 200 and status("/metrics") == 200


def test_a_method_that_a_path_does_not_take_is_told_those_that_it_does(served):
    _, client = served()
    for path in (*READS, "/", "/healthz", "/metrics", "/page/index.html"):
        for method in ("OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
            refused = client.ask(method, path)
            assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD"), (method, path)
    for path in CHANGES:
        for method in ("OPTIONS", "GET", "HEAD", "PUT", "DELETE"):
            refused = client.ask(method, path, headers={"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"})
            assert (refused.status, refused.headers["Allow"]) == (405, "POST"), (method, path)
            assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_head_is_the_answer_without_its_body(served):
    _, client = served()
    for path in (*[p for p in READS if p not in ("/api/v1/events", "/api/v1/status")], "/page/index.html"):
        whole, head = client.get(path), client.ask("HEAD", path)
        assert head.status == whole.status and head.body == "" and head.headers["Content-Type"] == whole.headers["Content-Type"], path
        if path in ("/api/v1/openapi.json", "/page/index.html", "/api/v1/session"):
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert client.ask("HEAD", "/api/v1/events").headers["Content-Type"] == "text/event-stream"


HOST = b"Host: localhost\r\n"
POST = b"POST /api/v1/hold HTTP/1.1\r\n" + HOST + f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n".encode()
HOLD = json.dumps(BODY).encode()
TRICKS = {
    "two lengths": (POST + b"Content-Length: %d\r\nContent-Length: 2\r\n\r\n" % len(HOLD) + HOLD, b"400"),
    "two lengths in one": (POST + b"Content-Length: %d, 2\r\n\r\n" % len(HOLD) + HOLD, b"400"),
    "a length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HOLD) + HOLD + b"\r\n0\r\n\r\n", b"400"),
    "chunks and a length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n%x\r\n" % len(HOLD) + HOLD + b"\r\n0\r\n\r\n", b"400"),
    "a negative length": (POST + b"Content-Length: -2\r\n\r\n" + HOLD, b"400"),
    "a length that is too great": (POST + b"Content-Length: 99999999999999999999999999\r\n\r\n", b"400"),
    "a chunk that is too great": (POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", b"400"),
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n", b"400"),
    "a long body": (POST + b"Content-Length: 9000\r\n\r\n" + b"x" * 9000, b"413"),
    "a long head": (POST + b"X-More: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
    "many headers": (POST + b"X: y\r\n" * 3000 + b"\r\n", b"431"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
    "a blank in a header's name": (POST + b"Content-Length : 2\r\n\r\n{}", b"400"),
    "a folded header": (POST + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", b"422"),
    "two hosts": (POST + b"Host: evil.example.com\r\nContent-Length: 2\r\n\r\n{}", b"421"),
    "no host": (b"GET /api/v1/status HTTP/1.1\r\n\r\n", b"421"),
    "HTTP/1.0": (b"GET /api/v1/status HTTP/1.0\r\n" + HOST + b"\r\n", b"200"),
    "a whole URL": (b"GET http://localhost/api/v1/status HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"404"),
    "a null in the path": (b"GET /api/v1/rules/%00 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"404"),
    "a line end in the path": (b"GET /api/v1/rules/a%0d%0aSet-Cookie:x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"404"),
    "half an escape": (b"GET /api/v1/rules/% HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"404"),
}


@pytest.fixture
def one_agent(served):
    return served()


@pytest.mark.parametrize("what", TRICKS, ids=lambda what: what.replace(" ", "_"))
def test_a_trick_is_refused_and_never_taken_for_two_requests(one_agent, what):
    agent, client = one_agent
    data, expected = TRICKS[what]
    said = client.say(data + (b"" if b"HTTP/1.1" not in data or b"close" in data else b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    assert said.startswith(b"HTTP/1.1 " + expected + b" "), said
    if expected in (b"400", b"413", b"431"):
        assert said.count(b"HTTP/1.1 ") == 1 and b"Connection: close\r\n" in said
    assert b"Set-Cookie" not in said.split(b"\r\n\r\n")[0]
    assert agent.of("rollback.held") == [] and client.get("/healthz").status == 200


# The page.

def test_a_browser_is_shown_the_page_and_everybody_else_what_healthz_says(one_agent):
    _, client = one_agent
    page = client.get("/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8" and page.headers["Vary"] == "Accept"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff" and page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-cache"
    assert client.get("/page/index.html").body == page.body
    again = client.get("/", Accept="text/html", If_None_Match=page.headers["ETag"])
    assert again.status == 304 and again.body == ""
    for accept in ("*/*", "application/json"):
        assert client.get("/", Accept=accept).json["status"] == "healthy"
    assert client.get("/").json.keys() == client.get("/healthz").json.keys()


def test_the_page_has_no_more_than_its_own_files_and_nothing_inline(one_agent):
    _, client = one_agent
    html = client.get("/page/index.html").body
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|javascript:|<style", html), "the page's own policy would stop it"
    for path in re.findall(r'(?:src|href)="([^"#]+)"', html):
        assert path.startswith("/") and client.get(path).status == 200, path


# What goes on.

def test_a_reload_takes_a_new_token_and_ends_what_was_streamed_by_the_old(stack, served, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    agent, client = served(agent=f'token_file = "{file}"')
    agent.wait("deployment.baseline")
    events = client.events()
    next(events)
    assert client.post("/api/v1/hold", BODY).status == 200
    other = "another-token-0123456789"
    file.write_text(other + "\n")
    agent.child.signal(1)
    agent.wait("config.reloaded")
    assert client.post("/api/v1/hold", BODY).status == 401
    assert client.post("/api/v1/hold", BODY, Authorization=f"Bearer {other}").status == 200
    assert len(list(events)) < 1000  # it ends
    file.write_text("short")
    agent.child.signal(1)
    assert "expected at least 16" in agent.wait("config.rejected")["says"]
    assert client.post("/api/v1/hold", BODY, Authorization=f"Bearer {other}").status == 200


def test_the_token_is_told_nowhere(stack, served):
    agent, client = served()
    agent.wait("deployment.baseline")
    client.post("/api/v1/hold", BODY)
    client.post("/api/v1/hold", BODY, Authorization=f"Bearer {TOKEN}x")
    told = "".join(client.get(path).body for path in (*[p for p in READS if p != "/api/v1/events"], "/metrics", "/healthz"))
    told += agent.child.output() + "".join(ask(stack, *words)[1] for words in (("status",), ("rules",), ("log",), ("incidents",)))
    for name in ("flipback.history.db", "flipback.ops.log", "flipback.db"):
        with open(stack.path(name), "rb") as file:
            told += file.read().decode(errors="replace")
    assert TOKEN not in told and TOKEN[:12] not in told


def test_a_rollback_over_http_is_answered_though_the_agent_ends(stack, served):
    agent, client = served("act")
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    with socket.create_connection(("127.0.0.1", client.port), 30) as peer:
        body = json.dumps({"reason": "x"}).encode()
        peer.sendall(POST.replace(b"hold", b"rollback") + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        agent.wait("rollback.decided")
        agent.child.stop(patience=20)
        said = peer.makefile("rb").read()
    assert said.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 409 ")) and b"Connection: close" in said, said
