"""The prometheus probe against the real server, and Alertmanager by the http probe."""

import contextlib
import signal

import pytest
from conftest import is_now
from faulty import Faulty, answer
from processes import free_port, wait_until
from prometheus import Alertmanager, Gate, Prometheus, Scraped

RULES = """groups:
- name: watched
  rules:
  - {alert: Ill, expr: 'ill == 1', labels: {severity: critical, team: api}}
  - {alert: Patient, expr: 'ill == 1', for: 1h, labels: {severity: page}}
  - {alert: Watchdog, expr: 'vector(1)', labels: {severity: none}}
  - {record: 'job:ill:sum', expr: 'sum by (job) (ill)'}
"""
NEVER = """- name: not yet
  interval: 1h
  rules: [{alert: Late, expr: 'vector(1)'}]
"""
BROKEN = """- name: broken
  rules: [{record: 'job:pair:product', expr: 'pair * on(job) pair'}]
"""
WELL = 'pair{n="1"} 1\npair{n="2"} 1\nill 0\n'
ILL = WELL.replace("ill 0", "ill 1")


@pytest.fixture(scope="module")
def api():
    with Scraped(WELL) as target:
        yield target


@pytest.fixture(scope="module")
def gone():
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def server(tmp_path_factory, api, gone):
    """Scrapes two that are well, one that is gone, and one only after a while. Each test leaves it as it found it."""
    folder = tmp_path_factory.mktemp("prometheus")
    with Scraped() as other:
        jobs = {"api": [api.address], "other": [other.address], "gone": [gone], "hourly": ([other.address], "scrape_interval: 1h")}
        with Prometheus(folder, jobs, RULES) as started:
            yield started.settled()


@pytest.fixture
def ask(probe, server):
    def run(more="", jobs='ignore_jobs = ["gone", "hourly"]'):
        return probe("prometheus", f'url = "{server.url}"\n{jobs}\n{more}')

    return run


@contextlib.contextmanager
def changed(server, **how):
    """The server with other files, until the end of the test."""
    before = {name: getattr(server, name) for name in how}

    def take(values):
        vars(server).update(values)
        server.write()
        assert server.reload() == 200
        server.settled()

    try:
        take(how)
        yield server
    finally:
        take(before)


def health(server, job):
    return [target["health"] for target in server.get("/api/v1/targets?state=active")["activeTargets"] if target["scrapePool"] == job]


@contextlib.contextmanager
def ill(server, api):
    api.text = ILL
    try:
        server.has("the alert", lambda: any(a["state"] == "firing" and a["labels"]["alertname"] == "Ill" for a in server.get("/api/v1/alerts")["alerts"]))
        yield
    finally:
        api.text = WELL
        server.has("no alert", lambda: len(server.get("/api/v1/alerts")["alerts"]) == 1)


def test_a_healthy_server_is_counted(ask, server):
    entry = is_now(ask(jobs='jobs = ["api"]'), "pass", says="1 target up, no alert firing, 4 rules")
    assert entry["measurements"] == {"targets": 1, "targets_down": 0, "api.targets_down": 0, "alerts_firing": 0, "alerts_pending": 0, "critical.alerts_firing": 0,
                                     "warning.alerts_firing": 0, "info.alerts_firing": 0, "rules": 4, "rules_unhealthy": 0, "config_loaded": 1}
    assert is_now(ask(), "pass", says="2 targets up")["measurements"]["targets"] == 2
    assert is_now(ask("targets = false\nalerts = false\nrules = false\nconfig = false"), "pass")["measurements"] == {}


def test_a_target_that_is_down_is_named_with_its_reason(ask, gone):
    entry = is_now(ask(jobs='jobs = ["api", "gone"]'), "fail", "expectation")
    assert entry["says"].startswith(f"1 of 2 targets down: gone {gone} (dial tcp {gone}: connect: connection refused)"), entry
    assert (entry["measurements"]["targets_down"], entry["measurements"]["gone.targets_down"], entry["measurements"]["api.targets_down"]) == (1, 1, 0)
    assert entry["measurements"]["rules"] == 4  # what is bad hides nothing else
    entry = is_now(ask("fail_on = []", jobs=""), "pass", says="2 of 4 targets up")
    assert "(1 of 4 targets down: gone" in entry["says"] and entry["measurements"]["targets_down"] == 1


def test_a_target_that_was_taken_out_is_down_no_more(ask, server):
    """The series `up` says for five minutes more that it is."""
    with changed(server, jobs={name: job for name, job in server.jobs.items() if name != "gone"}):
        is_now(ask(jobs=""), "pass", says="2 of 3 targets up")


def test_a_target_that_answers_an_error_is_down(ask, server, api):
    api.sick = True
    try:
        server.has("the target down", lambda: health(server, "api") == ["down"])
        is_now(ask(), "fail", "expectation", f"api {api.address} (server returned HTTP status 500 Internal Server Error)")
    finally:
        api.sick = False
        server.has("the target up", lambda: health(server, "api") == ["up"])
    is_now(ask(), "pass")


def test_a_job_that_has_no_targets_is_absent_and_one_not_scraped_yet_is_said(ask):
    is_now(ask(jobs='jobs = ["api", "worker"]'), "fail", "absent", "the job worker has no targets")
    entry = is_now(ask(jobs='jobs = ["hourly"]'), "pass", says="(1 target not scraped yet)")
    assert entry["measurements"]["targets"] == 1 and "targets_down" not in entry["measurements"] and "hourly.targets_down" not in entry["measurements"]


def test_a_firing_alert_is_measured_by_severity_and_fails_only_where_it_shall(ask, server, api):
    with ill(server, api):
        entry = is_now(ask(), "pass", says="(1 alert firing: Ill (critical))")
        assert (entry["measurements"]["alerts_firing"], entry["measurements"]["alerts_pending"]) == (1, 1)
        assert (entry["measurements"]["critical.alerts_firing"], entry["measurements"]["warning.alerts_firing"]) == (1, 0)
        is_now(ask('fail_on = ["alerts"]'), "fail", "expectation", "1 alert firing: Ill (critical)")
    is_now(ask('fail_on = ["alerts"]'), "pass", says="no alert firing")


def test_a_filter_says_which_alerts_count(ask, server, api):
    with ill(server, api):
        assert ask('alert_filter = { severity = ["critical", "page"], team = "api" }')["measurements"]["critical.alerts_firing"] == 1
        found = ask('alert_filter = { severity = "page" }')["measurements"]
        assert (found["alerts_firing"], found["page.alerts_firing"], found["alerts_pending"]) == (0, 0, 1)
        assert ask('alert_filter = { team = "db" }')["measurements"]["alerts_firing"] == 0
        assert ask('ignore_alerts = ["Ill"]')["measurements"]["alerts_firing"] == 1  # the Watchdog, which nobody named
        assert ask('severities = ["none"]\nignore_alerts = []')["measurements"]["none.alerts_firing"] == 1


def test_a_rule_that_can_not_be_evaluated_is_unhealthy(ask, server):
    with changed(server, rules=RULES + BROKEN):
        server.has("the broken rule", lambda: any(r["health"] == "err" for g in server.get("/api/v1/rules")["groups"] for r in g["rules"]))
        entry = is_now(ask(), "fail", "expectation", "1 of 5 rules can't be evaluated: job:pair:product (found duplicate series")
        assert entry["measurements"]["rules_unhealthy"] == 1 and entry["measurements"]["alerts_firing"] == 0


def test_that_no_alert_fires_is_not_said_before_every_rule_was_evaluated(ask, server):
    with changed(server, rules=RULES + NEVER):
        entry = is_now(ask(), "pass", says="(1 alerting rule not evaluated yet)")
        assert "no alert firing" not in entry["says"] and "alerts_firing" not in entry["measurements"]


def test_a_configuration_that_could_not_be_reloaded_is_said(ask, server):
    with open(server.path("prometheus.yml"), "a", encoding="utf-8") as file:
        file.write("no_such_key: 1\n")
    assert server.reload() == 500
    entry = is_now(ask(), "fail", "expectation", "its configuration could not be reloaded, it runs the one of 20")
    assert entry["measurements"]["config_loaded"] == 0 and entry["measurements"]["targets_down"] == 0
    server.write()
    assert server.reload() == 200
    is_now(ask(), "pass")


def test_a_stopped_server_is_timed_out_and_one_that_starts_again_is_never_anything_odd(ask, server):
    server.server.signal(signal.SIGSTOP)
    try:
        is_now(ask('timeout = "300ms"'), "fail", "timed out")
    finally:
        server.server.signal(signal.SIGCONT)
    server.stop_server(signal.SIGKILL)
    is_now(ask(), "fail", "refused")
    server.start(wait=False)
    seen = []
    wait_until("a pass", lambda: seen.append(ask()) or seen[-1]["outcome"] == "pass", 30, server.server)
    assert {entry["reason"] for entry in seen} <= {"refused", "starting", "ok"}, seen
    server.settled()


def test_a_server_that_is_not_ready_is_starting(probe):
    """What it answers while it reads its log, which takes a few milliseconds here: the bytes are the real server's."""

    def starting(client, _request, _ended):
        client.sendall(answer(b"Service Unavailable", status="503 Service Unavailable", kind="text/plain; charset=utf-8"))

    with Faulty(starting) as place:
        is_now(probe("prometheus", f'url = "http://127.0.0.1:{place.port}"'), "fail", "starting", "not ready")
        is_now(probe("promql", f'url = "http://127.0.0.1:{place.port}"\nquery = "up"'), "fail", "starting", "not ready")


def test_a_password_of_the_servers_own_and_tls(probe, tmp_path, certificates):
    web = f"basic_auth_users: {{{Prometheus.user}: '{Prometheus.hashed}'}}\n"
    login = f'user = "{Prometheus.user}"\npassword = "{Prometheus.password}"\n'
    with Prometheus(tmp_path / "password", web=web) as server:
        is_now(probe("prometheus", f'url = "{server.url}"\n{login}'), "pass")
        is_now(probe("prometheus", f'url = "{server.url}"'), "fail", "unauthorised")
        entry = is_now(probe("prometheus", f'url = "{server.url}"\nuser = "watcher"\npassword = "wrong-hunter2"'), "fail", "unauthorised", "GET /-/ready answered 401")
        assert "hunter2" not in str(entry)
        is_now(probe("promql", f'url = "{server.url}"\nquery = "vector(1)"\nuser = "watcher"\npassword = "wrong-hunter2"'), "fail", "unauthorised")
    web += f"tls_server_config: {{cert_file: '{certificates}/good.pem', key_file: '{certificates}/good.key'}}\n"
    with Prometheus(tmp_path / "tls", web=web) as server:
        where = f'url = "https://{server.address}"\nca_file = "{certificates}/ca.pem"\n{login}'
        assert is_now(probe("prometheus", where), "pass")["measurements"]["certificate_left"] > 86400
        is_now(probe("prometheus", where + 'server_name = "other.test"'), "fail", "bad TLS", "other.test")


def test_behind_nginx_and_with_a_path_of_its_own(probe, tmp_path, api):
    with Prometheus(tmp_path / "prometheus", {"api": [api.address]}, prefix="/metrics/db") as server:
        server.settled()
        is_now(probe("prometheus", f'url = "{server.url}"'), "pass", says="1 target up")
        is_now(probe("promql", f'url = "{server.url}/"\nquery = "up"'), "pass", says="value 1")
        is_now(probe("prometheus", f'url = "http://{server.address}"'), "fail", "bad status")
        with Gate(tmp_path / "gate", server.address, forbidden="/metrics/db/api/v1/rules") as gate:
            where = f'url = "{gate.url}/metrics/db"\nuser = "{gate.user}"\npassword = "{gate.password}"\n'
            entry = is_now(probe("prometheus", where), "fail", "forbidden", "GET /api/v1/rules answered 403")
            assert entry["measurements"] == {"targets": 1, "targets_down": 0, "config_loaded": 1}  # one that is forbidden hides no other
            is_now(probe("prometheus", where + "rules = false\nalerts = false"), "pass")
            is_now(probe("prometheus", where.replace("gate-hunter2", "wrong-hunter2")), "fail", "unauthorised")
        with Gate(tmp_path / "gate2", server.address, forbidden="/metrics/db/-/") as gate:
            where = f'url = "{gate.url}/metrics/db"\nuser = "{gate.user}"\npassword = "{gate.password}"\n'
            is_now(probe("prometheus", where), "pass", says="(GET /-/ready is not there for us)")
        server.server.signal(signal.SIGKILL)
        with Gate(tmp_path / "gate3", server.address, forbidden="/nothing") as gate:
            is_now(probe("prometheus", f'url = "{gate.url}/metrics/db"\nuser = "{gate.user}"\npassword = "{gate.password}"'), "fail", "bad status", "answered 502")


def test_alertmanager_is_watched_by_the_http_probe(probe, tmp_path):
    with Alertmanager(tmp_path / "alertmanager") as server:
        is_now(probe("http", f'url = "{server.url}/-/ready"'), "pass")
        # It speaks no PromQL, though its page of readiness is the same.
        is_now(probe("prometheus", f'url = "{server.url}"'), "fail", "bad status", "GET /api/v1/targets answered 404")
