"""The probes of Qdrant, Grafana and Sentry, against stand-ins (tests/services/stand_ins.py says why, and from what they were built)."""

import pytest
from conftest import is_now
from processes import wait_until
from stand_ins import Grafana, Qdrant, Sentry


def asker(probe, kind, server, credentials):
    """Runs the probe; no sentence may have a secret in it."""

    def run(more="", credentials=credentials):
        entry = probe(kind, f'url = "{server.url}"\n{credentials}\n{more}')
        assert "hunter2" not in str(entry), entry
        return entry

    return run


# --- Qdrant

@pytest.fixture
def qdrant():
    with Qdrant() as server:
        yield server


@pytest.fixture
def ask_qdrant(probe, qdrant):
    return asker(probe, "qdrant", qdrant, f'api_key = "{Qdrant.key}"')


def test_qdrant_tells_its_collections_and_searches_in_each(ask_qdrant, qdrant):
    qdrant.collections["photos"] = qdrant.collection(0, 50, vectors={"front": {"size": 512, "distance": "Dot"}, "back": {"size": 8, "distance": "Dot"}})
    qdrant.collections["texts"] = qdrant.collection(0, 10, vectors={"late": {"size": 128, "distance": "Cosine", "multivector_config": {"comparator": "max_sim"}}})
    qdrant.collections["words"] = qdrant.collection(0, 5, vectors={}, sparse={"bm25": {}})
    entry = is_now(ask_qdrant(), "pass", says="4 collections, 1265 points, search ")
    assert entry["measurements"]["collections"] == 4 and entry["measurements"]["points"] == 1265
    assert 0 < entry["measurements"]["search_seconds"] < 5
    assert len([asked for asked in qdrant.asked if asked.endswith("/points/query")]) == 4


def test_a_qdrant_before_the_query_api_is_searched_too(ask_qdrant, qdrant):
    qdrant.has_query = qdrant.has_readyz = False
    qdrant.collections["photos"] = qdrant.collection(0, 50, vectors={"front": {"size": 512, "distance": "Dot"}})
    is_now(ask_qdrant(), "pass", says="2 collections")


def test_a_collection_that_must_exist_is_named_where_it_does_not(ask_qdrant, qdrant):
    entry = is_now(ask_qdrant('collections = ["properties", "ghosts"]'), "fail", "absent", "the collection ghosts does not exist")
    assert entry["measurements"]["properties.points"] == 1200  # the other one is measured all the same
    qdrant.collections.clear()
    is_now(ask_qdrant(), "fail", "absent", "has no collections")


def test_a_red_collection_and_a_broken_optimizer_fail_a_yellow_one_does_not(ask_qdrant, qdrant):
    for status in ("yellow", "grey"):
        qdrant.collections["properties"] = qdrant.collection(384, 1200, status=status)
        is_now(ask_qdrant(), "pass", says="(properties is being optimised)" if status == "yellow" else "1200 points")
    qdrant.collections["properties"] = qdrant.collection(384, 1200, status="red")
    is_now(ask_qdrant(), "fail", "expectation", "properties is red")
    qdrant.collections["properties"] = qdrant.collection(384, 1200, optimizer={"error": "No space left on device"})
    is_now(ask_qdrant(), "fail", "expectation", "No space left on device")


def test_a_search_that_fails_says_how(ask_qdrant, qdrant):
    qdrant.search_error = "Service internal error: 1 of 1 read operations failed"
    is_now(ask_qdrant(), "fail", "bad status", "a search in properties answered 500, expected 200: Service internal error")
    is_now(ask_qdrant("search = false"), "pass")


def test_a_qdrant_that_is_not_ready_is_starting(ask_qdrant, qdrant):
    qdrant.ready = False
    is_now(ask_qdrant(), "fail", "starting", "some shards are not ready")


def test_a_wrong_or_missing_key_is_unauthorised(ask_qdrant):
    is_now(ask_qdrant(credentials='api_key = "wrong-hunter2"'), "fail", "unauthorised")
    is_now(ask_qdrant(credentials=""), "fail", "unauthorised", "GET /collections answered 401")


def test_points_that_get_lost_are_noticed(start_agent, qdrant):
    agent = start_agent("observe", extra=f'[probes.qdrant]\ntype = "qdrant"\nurl = "{qdrant.url}"\napi_key = "{qdrant.key}"\nevery = "100ms"\n'
                                         'timeout = "5s"\ncollections = ["properties"]\nmax_drop = "20%"\n')
    more_runs = lambda: wait_until("a few runs", lambda seen=len(qdrant.asked) + 12: len(qdrant.asked) > seen, 20, agent.child)  # noqa: E731
    more_runs()
    qdrant.collections["properties"] = qdrant.collection(384, 1000)  # 16.7% fewer
    more_runs()
    assert not agent.of("probe.changed", probe="qdrant", outcome="fail")
    qdrant.collections["properties"] = qdrant.collection(384, 900)
    assert "properties has 900 points, down from 1200" in agent.wait("probe.changed", probe="qdrant", outcome="fail")["says"]


def test_what_users_search_is_told_by_qdrants_own_metrics(ask_qdrant, start_agent, qdrant):
    is_now(ask_qdrant("metrics = true"), "pass", says="(its metrics count no requests yet)")
    qdrant.searches[200] = 1000
    rules = "".join(f'[[rules]]\nname = "{name}"\nwhen = "{when}"\nfor = "0s"\n' for name, when in
                    (("errors", "qdrant.error_rate over 10s > 20%"), ("slow", "qdrant.p95 over 10s > 45ms")))
    agent = start_agent("observe", extra=f'[probes.qdrant]\ntype = "qdrant"\nurl = "{qdrant.url}"\napi_key = "{qdrant.key}"\nevery = "200ms"\n'
                                         f'timeout = "5s"\nmetrics = true\n{rules}')
    scrapes = lambda: sum(asked == "GET /metrics" for asked in qdrant.asked)  # noqa: E731
    wait_until("the first scrapes", lambda seen=scrapes() + 2: scrapes() > seen, 20, agent.child)
    qdrant.searches = {200: 1300, 500: 100}
    assert agent.wait("verdict.changed", rule="errors", to="breached")["value"] == pytest.approx(0.25)
    # Between the bounds of 20 ms and 50 ms, as histogram_quantile interpolates.
    assert agent.wait("verdict.changed", rule="slow", to="breached")["value"] == pytest.approx(0.02 + 0.95 * 0.03)


# --- Grafana

@pytest.fixture
def grafana():
    with Grafana() as server:
        yield server


@pytest.fixture
def ask_grafana(probe, grafana):
    return asker(probe, "grafana", grafana, f'token = "{Grafana.token}"')


def test_grafana_tells_its_database_and_each_datasource(ask_grafana, grafana):
    grafana.datasources["Tempo"] = (404, {"message": "Plugin does not support health checks", "messageId": "plugin.notImplemented", "statusCode": 404})
    grafana.datasources["Loki"] = (200, {"message": "Data source successfully connected.", "status": "OK"})
    entry = is_now(ask_grafana(), "pass", says="Grafana 11.6.0, 3 datasources (no health check in the plugin of Tempo)")
    assert entry["measurements"] == {"datasources": 3, "datasources_unwell": 0}


UNAVAILABLE = (500, {"message": "Plugin unavailable", "messageId": "plugin.unavailable", "statusCode": 500, "traceID": ""})


def test_a_plugin_whose_backend_has_died_is_told_from_one_that_has_none(ask_grafana, grafana):
    grafana.datasources["Zipkin"] = UNAVAILABLE
    grafana.types["Zipkin"] = "zipkin"  # which in older versions works in the browser alone
    for backends in ({}, {"Zipkin": True}, {"Prometheus": False}):
        grafana.backends = backends
        is_now(ask_grafana(), "fail", "expectation", "the datasource Zipkin is unwell: Plugin unavailable")
    grafana.backends = {"Prometheus": True, "Zipkin": False}
    assert is_now(ask_grafana(), "pass", says="no backend to ask in the plugin of Zipkin")["measurements"]["datasources_unwell"] == 0


def test_a_datasource_without_a_backend_is_no_failure(ask_grafana, grafana):
    grafana.datasources["Alertmanager"] = UNAVAILABLE
    grafana.types["Alertmanager"] = "alertmanager"
    entry = is_now(ask_grafana(), "pass", says="2 datasources (no backend to ask in the plugin of Alertmanager)")
    assert entry["measurements"]["datasources_unwell"] == 0
    grafana.datasources["Alertmanager"] = (500, {"message": "Internal server error", "messageId": "plugin.downstreamError", "statusCode": 500})
    is_now(ask_grafana(), "fail", "expectation", "the datasource Alertmanager is unwell: Internal server error")


def test_grafana_without_credentials_tells_its_database_alone(ask_grafana, grafana):
    entry = is_now(ask_grafana(credentials=""), "pass", says="Grafana 11.6.0")
    assert grafana.asked == ["GET /api/health"] and entry["measurements"] == {}
    grafana.database = "failing"
    is_now(ask_grafana(credentials=""), "fail", "expectation", "its database is failing")


def test_an_unwell_datasource_is_named_with_what_it_says(ask_grafana, grafana):
    grafana.datasources["Postgres"] = (400, {"message": "db query error: dial tcp 10.0.0.5:5432: connect: connection refused", "status": "ERROR"})
    entry = is_now(ask_grafana(), "fail", "expectation", "the datasource Postgres is unwell: db query error: dial tcp 10.0.0.5:5432")
    assert entry["measurements"]["datasources_unwell"] == 1
    is_now(ask_grafana('datasources = ["Prometheus"]'), "pass", says="1 datasources")
    is_now(ask_grafana('datasources = ["Prometheus", "Mimir"]'), "fail", "absent", "the datasource Mimir does not exist")


def test_a_token_that_is_wrong_or_may_not_is_said(ask_grafana, grafana):
    is_now(ask_grafana(credentials='token = "wrong-hunter2"'), "fail", "unauthorised", "GET /api/datasources answered 401")
    grafana.may_list = False
    is_now(ask_grafana(), "fail", "forbidden", "GET /api/datasources answered 403")


# --- Sentry

@pytest.fixture
def sentry():
    with Sentry() as server:
        yield server


@pytest.fixture
def ask_sentry(probe, sentry):
    return asker(probe, "sentry", sentry, f'token = "{Sentry.token}"\norganization = "estate"')


def test_sentry_counts_events_of_the_project_and_of_the_release_and_new_issues(ask_sentry, sentry):
    entry = is_now(ask_sentry('project = "42"\nrelease = "api@1.2 rc:1"\nenvironment = "production"\nwithin = "15m"'), "pass",
                   says="3 events in 15m, 1 of them in api@1.2 rc:1, 1 new issues (API-1A)")
    assert entry["measurements"] == {"events": 3, "release_events": 1, "new_issues": 1}
    assert "alice" not in str(entry)
    assert sentry.asked[1:] == [
        "GET /api/0/organizations/estate/events/?dataset=errors&field=count%28%29&statsPeriod=15m&project=42&environment=production",
        "GET /api/0/organizations/estate/events/?dataset=errors&field=count%28%29&statsPeriod=15m&project=42&environment=production"
        "&query=release%3A%22api%401.2%20rc%3A1%22",
        "GET /api/0/organizations/estate/issues/?query=firstSeen%3A-15m&limit=100&project=42&environment=production",
    ]


def test_a_project_by_its_slug_is_a_term_of_the_search(ask_sentry, sentry):
    is_now(ask_sentry('project = "api"'), "pass")
    assert sentry.asked[1].endswith("&query=project%3A%22api%22") and "firstSeen%3A-10m%20project%3A%22api%22" in sentry.asked[2]


def test_more_events_or_issues_than_expected_fail(ask_sentry, sentry):
    sentry.events, sentry.issues, sentry.hits = 120, ["API-1", "API-2", "API-3", "API-4"], 230
    entry = is_now(ask_sentry("max_events = 100\nmax_new_issues = 0"), "fail", "expectation",
                   "120 events in 10m, at most 100 expected, 230 new issues (API-1, API-2, API-3, …), at most 0 expected")
    assert entry["measurements"] == {"events": 120, "new_issues": 230}
    is_now(ask_sentry("max_events = 120"), "pass")


def test_sentry_without_a_token_tells_its_health_alone(ask_sentry, sentry):
    is_now(ask_sentry(credentials=""), "pass", says="without a token")
    assert sentry.asked == ["GET /_health/"]
    sentry.health = (500, {"problems": [{"id": "x"}]})
    is_now(ask_sentry(credentials=""), "fail", "bad status")
    sentry.health = (200, "<html>")
    is_now(ask_sentry(credentials=""), "fail", "bad answer", "it is no Sentry")


def test_a_token_that_sentry_refuses_is_tried_once(ask_sentry, sentry):
    is_now(ask_sentry(credentials='token = "wrong-hunter2"\norganization = "estate"'), "fail", "unauthorised", "answered 401")
    assert len(sentry.asked) == 2
    is_now(ask_sentry(credentials=f'token = "{Sentry.token}"\norganization = "nobody"'), "fail", "bad status", "/organizations/nobody/events/ answered 404")
    sentry.may_read = False
    is_now(ask_sentry(), "fail", "forbidden")
