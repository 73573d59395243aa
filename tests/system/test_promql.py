"""The promql probe against the real server."""

import pytest
from conftest import BINARY, is_now
from follow import metrics, seconds
from processes import Child, free_port, wait_until
from prometheus import Prometheus, Scraped, native_histogram

UNREAD = 'remote_read: [{url: "http://127.0.0.1:9/read", name: dead, read_recent: true, required_matchers: {far: "yes"}}]'


@pytest.fixture(scope="module")
def api():
    with Scraped('requests_total{status="200"} 100\nrequests_total{status="500"} 5\nnothing NaN\n') as target:
        yield target


@pytest.fixture(scope="module")
def server(tmp_path_factory, api):
    with Scraped(native_histogram("latency")) as histogram:
        histogram.kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        with Prometheus(tmp_path_factory.mktemp("prometheus"), {"api": [api.address], "histogram": [histogram.address]}, more=UNREAD,
                        flags=["--enable-feature=native-histograms"]) as started:
            started.has("samples", lambda: started.query("requests_total") and started.query("latency"))
            yield started.settled()


@pytest.fixture
def ask(probe, server):
    def run(query, more=""):
        return probe("promql", f"url = \"{server.url}\"\nquery = '{query}'\n{more}")

    return run


def test_every_kind_of_result_is_a_value_or_says_why_not(ask):
    for query, value in (("1 + 1", 2), ("vector(0.5)", 0.5), ('requests_total{status="500"}', 5), ("sum(requests_total)", 105),
                         ('requests_total{status="500"}[1m]', 5), ("histogram_count(latency)", 3)):
        assert is_now(ask(query), "pass", says="value ")["measurements"] == {"value": value}, query
    for query, says in (("0 / 0", "value unknown: NaN"), ("nothing", "value unknown: NaN"), ("1 / 0", "value unknown: +Inf"), ("-1 / 0", "value unknown: -Inf"),
                        ("no_such_series", "value unknown: no series"), ("no_such_series[1m]", "value unknown: no series")):
        assert is_now(ask(query), "pass", says=says)["measurements"] == {}, query
    for query, says in (("requests_total", "2 series, expected one: sum("), ('"text"', 'the text "text"'), ("latency", "histogram_quantile(0.95, …)"),
                        ("latency[1m]", "histogram_quantile(0.95, …)")):
        assert is_now(ask(query), "fail", "bad answer", says)["measurements"] == {}, query


def test_what_no_series_means_can_be_said(ask):
    assert is_now(ask("no_such_series", "empty = 0"), "pass", says="value 0")["measurements"] == {"value": 0}
    assert ask("0 / 0", "empty = 0")["measurements"] == {}  # a series that has no number is not empty


def test_a_unit_is_said_with_the_value(ask):
    is_now(ask("vector(0.25)", 'unit = "ratio"'), "pass", says="value 25%")
    is_now(ask("vector(1.5)", 'unit = "seconds"'), "pass", says="value 1.5s")
    is_now(ask("vector(1024)", 'unit = "bytes"'), "pass", says="value 1KiB")


def test_a_query_that_is_refused_says_what_the_server_says(ask):
    is_now(ask("sum(requests_total"), "fail", "bad status", "the query was refused (400 bad_data): invalid parameter \"query\": 1:19: parse error: unclosed left parenthesis")
    is_now(ask("requests_total * on(job) requests_total"), "fail", "bad status", "(422 execution): found duplicate series")


def test_many_queries_are_measured_under_their_names_and_one_that_fails_hides_no_other(probe, server):
    entry = probe("promql", f"""url = "{server.url}"
[probes.it.queries]
errors = {{ query = 'sum(requests_total{{status="500"}})', kind = "counter" }}
broken = {{ query = "sum(" }}
size = {{ query = "vector(2048)", unit = "bytes" }}
""")
    is_now(entry, "fail", "bad status", "broken: the query was refused (400 bad_data)")
    assert entry["measurements"] == {"errors": 5, "size": 2048}


def test_a_query_out_of_time_is_ended_by_the_server_and_the_next_is_asked(tmp_path, probe):
    with Prometheus(tmp_path, flags=["--query.timeout=1ms"]) as server:
        slow = '{ query = "sum_over_time((sum(up) + sum(up))[1m:1ms])" }'
        entry = probe("promql", f'url = "{server.url}"\n[probes.it.queries]\none = {slow}\nother = {slow}')
        is_now(entry, "fail", "timed out", "one: the query: Prometheus gave up: query timed out")
        assert "other: the query: Prometheus gave up" in entry["says"], entry


def test_warnings_make_a_value_unknown_unless_they_are_accepted(ask):
    query = 'sum(requests_total) + sum(requests_total{far="yes"} or vector(0))'
    entry = is_now(ask(query), "pass", says="value unknown: partial data (the server warns: remote_read")
    assert entry["measurements"] == {}
    entry = is_now(ask(query, 'partial = "accept"'), "pass", says="value 105 (the server warns: remote_read")
    assert entry["measurements"] == {"value": 105}


class Watch:
    """The agent with one promql probe; its signals as its own metrics say them."""

    def __init__(self, folder, table, rule):
        self.port = free_port()
        path = folder / "flipback.toml"
        path.write_text(f'[agent]\nlisten = "127.0.0.1:{self.port}"\nstate = "{folder}/flipback.db"\nlog_format = "json"\nspread = "10ms"\n'
                        f'[probes.traffic]\ntype = "promql"\nevery = "2s"\ntimeout = "2s"\n{table}\n{rule}', encoding="utf-8")
        self.child = Child("flipback", [BINARY, "--config", path], folder / "flipback.log")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.child.stop(patience=10)

    def value(self, name, **labels):
        for (metric, text), value in metrics(f"http://127.0.0.1:{self.port}").items():
            if metric == name and all(f'{k}="{v}"' in text for k, v in labels.items()):
                return value
        return None


def test_a_ratio_of_counters_pools_what_has_come_between_runs_and_survives_a_restart(tmp_path, server, api):
    table = f"""url = "{server.url}"
[probes.traffic.queries.error_rate]
kind = "ratio"
numerator = 'requests_total{{status=~"5.."}}'
denominator = 'requests_total{{job="api"}}'
covers = "0s"
"""
    rule = '[[rules]]\nname = "errors"\nwhen = "traffic.error_rate over 1m > 90%"\nmin_samples = 40\n'

    def count(errors, others):
        api.text = f'requests_total{{status="200"}} {others}\nrequests_total{{status="500"}} {errors}\nnothing NaN\n'

    try:
        with Watch(tmp_path, table, rule) as watch:
            wait_until("a first look", lambda: watch.value("flipback_probe_up", probe="traffic") == 1, 30, watch.child)
            count(15, 190)  # 10 of 100 since, whatever was before
            wait_until("the ratio", lambda: watch.value("flipback_rule_value", rule="errors") == pytest.approx(0.1), 30, watch.child)
            count(0, 20)  # the API began anew: 20 more, none of them an error
            wait_until("the reset", lambda: watch.value("flipback_rule_value", rule="errors") == pytest.approx(10 / 120), 30, watch.child)
            server.stop_server()
            wait_until("the end", lambda: watch.value("flipback_probe_up", probe="traffic") == 0, 30, watch.child)
            server.start()
            wait_until("its return", lambda: watch.value("flipback_probe_up", probe="traffic") == 1, 30, watch.child)
            count(10, 20)
            wait_until("the ratio after it", lambda: watch.value("flipback_rule_value", rule="errors") == pytest.approx(20 / 130), 30, watch.child)
    finally:
        count(5, 100)


def test_a_rollback_rule_takes_a_value_only_when_all_of_it_came_after_the_cutover(stack, start_agent, server):
    probe = f'[probes.prometheus]\ntype = "promql"\nurl = "{server.url}"\nquery = "vector(1)"\ncovers = "5s"\nevery = "1s"\n'
    rule = '[[rules]]\nname = "full"\nwhen = "prometheus.value > 0"\nthen = "rollback"\n'
    agent = start_agent("observe", short_rules=False, extra=probe + rule)
    agent.wait("deployment.baseline")
    agent.wait("verdict.changed", rule="full", to="breached")  # of the release that was there already
    stack.cut_over("green")
    cutover = seconds(agent.wait("deployment.cutover"))
    breached = wait_until("a breach of the new one", lambda: [e for e in agent.of("verdict.changed", rule="full", to="breached") if seconds(e) > cutover], 30)
    assert 4.9 < seconds(breached[0]) - cutover < 9, breached
