"""The airflow probe against a stand-in that answers as the real servers do, for what they can't be made to do at will; they are in full/."""

import base64
import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import BINARY, is_now
from follow import metrics
from processes import Child, free_port, wait_until

PASSWORD = "airflow-hunter2"


def heartbeat(ago=1.0, clock=0.0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=clock - ago)).isoformat()


class StandIn:
    """Airflow of a major version: well, with the users' tokens in `tokens`. `asked` is every request, as "GET /path"."""

    def __init__(self, version):
        self.version = version
        self.asked = []
        self.states = {}  # of a part, one for each look; the last one stays
        self.clock = 0.0  # seconds that its clock is before ours
        self.tokens = set()
        self.lifetime = 86400
        self.keep = True  # False: it refuses what it gave
        self.refusal = (401, {"title": "Unauthorized"}) if version == 2 else (403, {"detail": "Invalid JWT token"})
        self.password = PASSWORD

    def health(self):
        states = {name: self.states[name].pop(0) if len(self.states.get(name, [])) > 1 else self.states.get(name, ["healthy"])[0]
                  for name in ("metadatabase", "scheduler", "dag_processor")}
        triggerer = self.states.get("triggerer", [None])[0]  # it was never started, unless it is said how it is
        return 200, {"metadatabase": {"status": states["metadatabase"]},
                     "triggerer": {"status": triggerer, "latest_triggerer_heartbeat": triggerer and heartbeat(clock=self.clock)},
                     "scheduler": {"status": states["scheduler"], "latest_scheduler_heartbeat": heartbeat(clock=self.clock)},
                     "dag_processor": {"status": states["dag_processor"], "latest_dag_processor_heartbeat": heartbeat(clock=self.clock)}}

    def answer(self, method, path, headers, body):
        path = path.split("?")[0]
        self.asked.append(f"{method} {path}")
        if path == {2: "/health", 3: "/api/v2/monitor/health"}[self.version]:
            return self.health()
        if path == "/auth/token" and self.version == 3:
            if json.loads(body) != {"username": "reader", "password": self.password}:
                return 401, {"detail": "Invalid credentials"}
            now = int(datetime.datetime.now().timestamp())
            token = f"eyJhbGciOiJIUzUxMiJ9.{encoded({'sub': 'reader', 'iat': now, 'exp': now + self.lifetime})}.hunter2-{len(self.asked)}"
            if self.keep:
                self.tokens.add(f"Bearer {token}")
            return 201, {"access_token": token}
        if path == {2: "/api/v1", 3: "/api/v2"}[self.version] + "/importErrors":
            known = self.tokens if self.version == 3 else {"Basic " + base64.b64encode(f"reader:{self.password}".encode()).decode()}
            return (200, {"import_errors": [], "total_entries": 0}) if headers["Authorization"] in known else self.refusal
        return 404, {"error": "Moved in Airflow 3. Please change config to check `/api/v2/monitor/health`"}


def encoded(claims):
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


@pytest.fixture
def serve():
    """Serves a stand-in, which may be exchanged for another while it is asked: `server.of`."""
    servers = []

    def start(stand_in):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, said = self.server.of.answer(self.command, self.path, self.headers, body)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET

            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or datetime.datetime.now().timestamp()) + self.server.of.clock)

            def log_message(self, *unused):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *unused: None  # a run that was cut off
        server.of = stand_in
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def table(server, more="", password=PASSWORD):
    return f'url = "{server.url}"\nuser = "reader"\npassword = "{password}"\n{more}'


@pytest.fixture
def watch(tmp_path):
    """An agent that asks again and again, and what it says of its probe: `up`, `runs`."""
    agents = []

    def start(table_text):
        port = free_port()
        (tmp_path / "agent.toml").write_text(f'[agent]\nlisten = "127.0.0.1:{port}"\nstate = "{tmp_path}/state.db"\n[probes.it]\ntype = "airflow"\n{table_text}\n'
                                             'every = "1s"\ntimeout = "1s"\n')
        agent = Child("flipback", [BINARY, "--config", str(tmp_path / "agent.toml")], str(tmp_path / "flipback.log"))
        agents.append(agent)

        def runs(how_many):
            """Waits for as many runs more that passed."""
            def passed():
                return sum(value for (name, labels), value in metrics(f"http://127.0.0.1:{port}").items()
                           if name == "flipback_probe_runs_total" and 'outcome="pass"' in labels)
            wait_until("the first run", lambda: metrics(f"http://127.0.0.1:{port}"), 30, agent)
            before = passed()
            wait_until(f"{how_many} runs that pass", lambda: passed() >= before + how_many, 60, agent)
            assert "hunter2" not in agent.output()
        return runs

    yield start
    for agent in agents:
        agent.stop()


def test_its_version_is_found_once_and_again_after_an_upgrade(serve, watch):
    server = serve(StandIn(2))
    runs = watch(table(server))
    runs(1)
    for version, other, path in ((2, "GET /api/v2/monitor/health", "GET /health"), (3, "GET /health", "GET /api/v2/monitor/health")):
        if version == 3:
            server.of = StandIn(3)
            runs(1)
        assert server.of.asked.count(other) >= 1
        server.of.asked.clear()
        runs(3)
        assert server.of.asked.count(other) == 0 and server.of.asked.count(path) >= 3, server.of.asked
        assert server.of.asked.count("POST /auth/token") == 0  # it was asked for in the first run


def test_a_token_is_kept_until_it_is_refused_or_nears_its_end(serve, watch):
    server = serve(StandIn(3))
    runs = watch(table(server))
    runs(1)
    server.of.asked.clear()
    runs(2)
    assert server.of.asked.count("POST /auth/token") == 0
    server.of.tokens.clear()
    runs(2)
    assert server.of.asked.count("POST /auth/token") == 1
    server.of.refusal = 401, {"detail": "Token Expired"}
    server.of.lifetime = 1  # kept for 0.9 s, less than from run to run
    server.of.tokens.clear()
    server.of.asked.clear()
    runs(3)
    assert server.of.asked.count("POST /auth/token") >= 3


@pytest.mark.parametrize("version", (2, 3))
def test_wrong_credentials_are_tried_once_a_run(probe, serve, version):
    server = serve(StandIn(version))
    server.of.password = "another"
    for who in (table(server), f'url = "{server.url}"\ntoken = "x-hunter2"\n'):
        server.of.asked.clear()
        entry = is_now(probe("airflow", who + 'dags = ["a", "b"]'), "fail", "unauthorised")
        assert "hunter2" not in str(entry)
        assert len([asked for asked in server.of.asked if "health" not in asked]) == 1, server.of.asked


def test_a_fresh_token_that_is_refused_is_not_asked_for_again(probe, serve):
    server = serve(StandIn(3))
    server.of.keep = False
    is_now(probe("airflow", table(server)), "fail", "unauthorised", "were refused (status 403)")
    assert server.of.asked.count("POST /auth/token") == 1


def test_a_part_that_is_unwell_for_a_moment_is_looked_at_twice(probe, serve):
    server = serve(StandIn(3))
    server.of.states["dag_processor"] = ["unhealthy", "healthy"]
    entry = is_now(probe("airflow", table(server)), "pass", says="Airflow 3")
    assert entry["seconds"] >= 1
    server.of.states["dag_processor"] = ["unhealthy", "unhealthy"]
    is_now(probe("airflow", table(server)), "fail", "expectation", "the dag_processor is unhealthy")
    server.of.states = {"dag_processor": ["unhealthy", "healthy"], "scheduler": ["healthy", "unhealthy"]}
    is_now(probe("airflow", table(server)), "pass")  # neither was unwell twice


def test_a_time_out_that_leaves_no_second_look_is_said(probe, serve):
    server = serve(StandIn(3))
    server.of.states["scheduler"] = ["unhealthy", "healthy"]
    entry = is_now(probe("airflow", table(server, 'timeout = "1200ms"')), "fail", "expectation", "(at one look: the time-out leaves no second for another)")
    assert entry["seconds"] < 1 and "the scheduler is unhealthy" in entry["says"]


def test_a_heartbeat_is_held_to_the_clock_of_who_tells_it(probe, serve):
    server = serve(StandIn(3))
    for server.of.clock in (-3600.0, 3600.0):
        entry = is_now(probe("airflow", table(server)), "pass")
        assert entry["measurements"]["scheduler_heartbeat_age"] < 10


def test_a_part_that_was_stopped_for_good_is_left_out(probe, serve):
    server = serve(StandIn(3))
    server.of.states = {"triggerer": ["unhealthy"]}
    is_now(probe("airflow", table(server)), "fail", "expectation", "the triggerer is unhealthy")
    entry = is_now(probe("airflow", table(server, 'parts = ["scheduler", "dag_processor"]')), "pass")
    assert "triggerer_heartbeat_age" not in entry["measurements"] and "scheduler_heartbeat_age" in entry["measurements"]
    server.of.states = {"scheduler": ["unhealthy"]}
    is_now(probe("airflow", table(server, 'parts = ["scheduler"]')), "fail", "expectation", "the scheduler is unhealthy")
    server.of.states = {"metadatabase": ["unhealthy"]}
    is_now(probe("airflow", table(server, 'parts = ["triggerer"]')), "fail", "expectation", "the metadatabase is unhealthy")


def test_what_is_no_airflow_is_said_so(probe, serve):
    server = serve(StandIn(3))
    is_now(probe("airflow", f'url = "{server.url}/elsewhere"'), "fail", "absent", "it is no Airflow, or its address has a path of its own")
    server.of.health = lambda: (200, {"status": "healthy"})
    is_now(probe("airflow", f'url = "{server.url}"'), "fail", "bad answer", "it is no Airflow")
