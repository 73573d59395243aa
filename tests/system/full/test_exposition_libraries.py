"""The exposition probe against what the two libraries for FastAPI expose."""

import time

import pytest
from conftest import is_now
from instrumented import Instrumented
from processes import wait_until
from stack import get
from watching import ERRORS, Watching

INSTRUMENTATOR = "prometheus-fastapi-instrumentator"
EXPORTER = "starlette_exporter"


@pytest.fixture(scope="module")
def instrumentator(tmp_path_factory):
    with Instrumented(tmp_path_factory.mktemp("instrumentator"), INSTRUMENTATOR, EXCLUDED="/health /metrics") as server:
        yield server


@pytest.fixture(scope="module")
def exporter(tmp_path_factory):
    with Instrumented(tmp_path_factory.mktemp("exporter"), EXPORTER) as server:
        yield server


def check(probe, server, more=""):
    return probe("exposition", f'url = "{server.url}/metrics"\n{more}')


def test_a_fresh_process_without_requests_is_well_or_unknown_never_failed(probe, tmp_path):
    for library, outcome in ((INSTRUMENTATOR, "pass"), (EXPORTER, "unknown")):  # starlette_exporter makes its counters at the first request
        with Instrumented(tmp_path / library, library, EXCLUDED="/health /metrics") as server:
            assert check(probe, server)["outcome"] == outcome
            server.ask("/answer/200", 3)
            is_now(check(probe, server), "pass", says="3 requests and 0 errors so far")


def test_both_libraries_are_known_with_their_labels(probe, instrumentator, exporter):
    for server in (instrumentator, exporter):
        for path in ("/answer/200", "/answer/302", "/answer/404", "/answer/429", "/answer/503", "/boom", "/health"):
            server.ask(path)
        is_now(check(probe, server), "pass", says="6 requests and 2 errors so far")
    is_now(check(probe, exporter, 'library = "starlette_exporter"\nlabels = { app_name = "other" }'), "unknown", "no prerequisite")
    is_now(check(probe, instrumentator, 'duration = "http_request_duration_seconds"'), "pass", says="end at 1s: no quantile above it can be told")


def test_openmetrics_and_a_prefix_of_ones_own(probe, tmp_path):
    with Instrumented(tmp_path / "openmetrics", EXPORTER, OPENMETRICS="yes", PREFIX="realestate") as server:
        server.ask("/answer/500", 4)
        assert get(server.url + "/metrics")[1]["Content-Type"].startswith("application/openmetrics-text")
        is_now(check(probe, server, 'prefix = "realestate"'), "pass", says="4 requests and 4 errors so far")


def test_errors_that_rise_breach_a_rule_and_a_restart_hides_none(tmp_path, instrumentator):
    slow = '[[rules]]\nname = "slow"\nwhen = "traffic.p95 over 5s > 1000ms"\nmin_samples = 8\n'
    with Watching(tmp_path, instrumentator.url + "/metrics", ERRORS + slow) as watching:
        wait_until("two scrapes", lambda: watching.agent.of("probe.changed", probe="traffic", outcome="pass"))
        instrumentator.ask("/answer/200", 60)
        instrumentator.ask("/answer/500", 40)
        watching.agent.wait("verdict.changed", rule="error-rate", to="breached")
        instrumentator.ask("/slow", 16)
        breach = watching.agent.wait("verdict.changed", rule="slow", to="breached")
        assert 1 < breach["value"] <= 1.5  # the buckets are 1 s and 1.5 s
        time.sleep(5)  # the window
        instrumentator.ask("/answer/200", 100)
        watching.agent.wait("verdict.changed", rule="error-rate", **{"from": "breached"})
        before = len(watching.agent.of("verdict.changed", rule="error-rate", to="breached"))
        instrumentator.restart()
        watching.agent.wait("probe.changed", probe="traffic", outcome="pass", reason="ok")
        instrumentator.ask("/answer/500", 60)
        wait_until("the rule again", lambda: len(watching.agent.of("verdict.changed", rule="error-rate", to="breached")) > before)


def test_workers_that_count_each_for_itself_make_the_traffic_unknown(tmp_path):
    with Instrumented(tmp_path / "api", INSTRUMENTATOR, workers=3) as server, Watching(tmp_path / "agent", server.url + "/metrics", ERRORS) as watching:
        server.ask("/answer/500", 100)
        told = watching.agent.wait("probe.changed", probe="traffic", outcome="unknown", seconds=60)
        assert "several processes answer by turns" in told["says"]


def test_workers_that_share_their_counts_are_one(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    with Instrumented(tmp_path / "api", INSTRUMENTATOR, workers=3, PROMETHEUS_MULTIPROC_DIR=str(shared)) as server:
        with Watching(tmp_path / "agent", server.url + "/metrics", ERRORS) as watching:
            wait_until("two scrapes", lambda: watching.agent.of("probe.changed", probe="traffic", outcome="pass"))
            server.ask("/answer/200", 60)
            server.ask("/answer/500", 40)
            watching.agent.wait("verdict.changed", rule="error-rate", to="breached")
            assert not watching.agent.of("probe.changed", probe="traffic", outcome="unknown")
