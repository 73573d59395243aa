"""The exposition probe: what reaches the rules, and that rates and quantiles are Prometheus' own."""

import math
import os
import random
import subprocess
import time

import pytest
from conftest import BINARY, is_now
from exposed import Exposed, instrumented
from processes import free_port, program, wait_until
from service import Service
from watching import ERRORS, Watching

REPLAY = os.path.join(os.path.dirname(BINARY), "tests", "exposition_replay")


def test_a_first_scrape_says_what_was_counted_so_far(probe):
    with Exposed(instrumented(1000, 12)) as server:
        is_now(probe("exposition", f'url = "{server.url}"'), "pass", says="1012 requests and 12 errors so far")
        assert "application/openmetrics-text;version=1.0.0" in server.accept and "text/plain;version=0.0.4" in server.accept


def test_metrics_of_nobody_that_is_known_are_no_base_for_rates(probe):
    with Exposed("up 1\n") as server:
        is_now(probe("exposition", f'url = "{server.url}"'), "unknown", "no prerequisite", "no http_requests_total and no starlette_requests_total")
        is_now(probe("exposition", f'url = "{server.url}"\nrequests = "my_total"'), "unknown", "no prerequisite", "no my_total")
        server.text = ""
        is_now(probe("exposition", f'url = "{server.url}"'), "unknown", "no prerequisite")


def test_coarse_buckets_are_said_to_end_early(probe):
    with Exposed(instrumented(10, 0).replace("highr_", "")) as server:
        entry = probe("exposition", f'url = "{server.url}"')
        is_now(entry, "pass", says="so far")
        server.text = "\n".join(line for line in server.text.split("\n") if 'le="2.5"' not in line)
        is_now(probe("exposition", f'url = "{server.url}"'), "pass", says="buckets of http_request_duration_seconds end at 1s")


def test_openmetrics_is_read_to_its_end(probe):
    text = "# TYPE http_requests counter\n" + 'http_requests_total{status="2xx"} 5 # {trace_id="x"} 1\nhttp_requests_created{status="2xx"} 1.7e9\n'
    with Exposed(text + "# EOF\n", kind="application/openmetrics-text; version=1.0.0; charset=utf-8") as server:
        is_now(probe("exposition", f'url = "{server.url}"'), "pass", says="5 requests")
        server.text = text
        is_now(probe("exposition", f'url = "{server.url}"'), "fail", "bad answer", "line 4, column 1: the text is cut short: it has no # EOF")


def test_what_is_malformed_is_said_with_its_line(probe):
    with Exposed("# TYPE a gauge\na{x=\"1} 1\n") as server:
        is_now(probe("exposition", f'url = "{server.url}"'), "fail", "bad answer", "line 2, column 10: the line ends inside a text in quotes")
        server.text = instrumented(1, 1)[:-20]
        is_now(probe("exposition", f'url = "{server.url}"'), "fail", "bad answer", "line 11, column 39: the line ends, expected a value")
        server.text = instrumented(1, 1)[:-2]  # "2." is a number, but who knows what was to come
        is_now(probe("exposition", f'url = "{server.url}"'), "fail", "bad answer", "cut short")


def test_metrics_of_ones_own_are_measured(probe):
    text = 'queue_length{queue="mail"} 7\nqueue_length{queue="sms"} 9\nrate_limit_exceeded_total 3\nsize_bytes 10\n'
    with Exposed(text) as server:
        table = f'url = "{server.url}"\nlibrary = "none"\n[probes.it.metrics]\nmail = {{ name = "queue_length", labels = {{ queue = "mail" }} }}\n'
        entry = probe("exposition", table + 'all = { name = "queue_length" }\nlimited = { name = "rate_limit_exceeded_total" }\ngone = { name = "gone" }')
        is_now(entry, "pass", says="3 of 4 metrics (not exposed: gone)")
        assert entry["measurements"] == {"mail": 7, "all": 16, "limited": 3}


def test_errors_that_rise_breach_a_rule_with_the_number_that_prometheus_has(tmp_path):
    with Exposed(instrumented(10000, 5)) as server:
        rules = ERRORS + '[[rules]]\nname = "slow"\nwhen = "traffic.p95 over 5s > 1000ms"\nmin_samples = 50\n'
        with Watching(tmp_path, server.url, rules) as watching:
            wait_until("two scrapes", lambda: server.scrapes >= 3)
            server.text = instrumented(10070, 35, slow=60)
            breach = watching.agent.wait("verdict.changed", rule="error-rate", to="breached")
            assert breach["value"] == pytest.approx(0.3)
            breach = watching.agent.wait("verdict.changed", rule="slow", to="breached")
            assert breach["value"] == pytest.approx(1 + 1.5 * (0.95 * 100 - 40) / 60)
            time.sleep(5)  # the window: without requests nothing is known, and the breach stays
            assert not watching.agent.of("verdict.changed", rule="error-rate", **{"from": "breached"})
            server.text = instrumented(10270, 35, slow=60)
            assert watching.agent.wait("verdict.changed", rule="error-rate", **{"from": "breached"})["to"] == "ok"


def test_a_restart_counts_from_zero_and_another_process_not_at_all(tmp_path):
    old, new = time.time() - 3600, time.time() + 3600
    with Exposed(instrumented(500, 400, started=old)) as server, Watching(tmp_path, server.url, ERRORS) as watching:
        wait_until("scrapes", lambda: server.scrapes >= 3)
        server.text = instrumented(900, 800, started=old - 60)  # another process, with a past of its own
        seen = server.scrapes
        wait_until("scrapes", lambda: server.scrapes >= seen + 5)
        assert not watching.agent.of("verdict.changed", rule="error-rate", to="breached")
        server.text = instrumented(70, 30, started=new)
        assert watching.agent.wait("verdict.changed", rule="error-rate", to="breached")["value"] == pytest.approx(0.3)


def test_workers_that_answer_by_turns_make_the_traffic_unknown(tmp_path):
    started = time.time() - 60
    workers = [instrumented(500, 400, started=started), instrumented(900, 100, started=started + 0.05)]
    with Exposed(lambda scrape: workers[scrape % 2]) as server, Watching(tmp_path, server.url, ERRORS) as watching:
        told = watching.agent.wait("probe.changed", probe="traffic", outcome="unknown")
        assert "PROMETHEUS_MULTIPROC_DIR" in told["says"]
        server.text = workers[0]
        watching.agent.wait("probe.changed", probe="traffic", outcome="pass", reason="ok")
        assert not watching.agent.of("verdict.changed", rule="error-rate", to="breached")


def test_a_gap_that_is_too_long_is_told_of_nothing(tmp_path):
    with Exposed(instrumented(500, 0)) as server, Watching(tmp_path, server.url, ERRORS, 'longest_gap = "1s"') as watching:
        wait_until("scrapes", lambda: server.scrapes >= 3)
        server.text = "<html>\n"
        watching.agent.wait("probe.changed", probe="traffic", outcome="fail")
        time.sleep(1.2)  # the gap itself
        server.text, seen = instrumented(570, 30), server.scrapes
        wait_until("two scrapes of it", lambda: server.scrapes >= seen + 3)
        server.text = instrumented(640, 31)
        wait_until("the rates go on", lambda: watching.agent.of("verdict.changed", rule="error-rate", to="ok"), 15)
        assert not watching.agent.of("verdict.changed", rule="error-rate", to="breached")


# Conformance: the same scrapes to Prometheus' own promtool and to ours, equal to the last bit.

QUANTILES = ("0", "0.5", "0.95", "0.99", "1")


def cumulative(chosen, bounds, most):
    """A histogram's counters at one scrape, cumulative as they should be."""
    counts, total = [], 0
    for _ in bounds:
        total += chosen.choice((0, 0, 1, chosen.randrange(most)))
        counts.append(total)
    return counts


def scenario(chosen):
    """Bounds, and for some scrapes a counter's value and the buckets': with resets, with counts that fall, with nothing at all."""
    bounds = sorted({round(chosen.choice((-1, 1, 1, 1, 10)) * chosen.random(), 3) for _ in range(chosen.choice((0, 1, 3, 11, 20)))}) + [math.inf]
    counter, buckets, scrapes = chosen.randrange(1000), cumulative(chosen, bounds, 50), []
    reset = chosen.randrange(12)
    for number in range(6):
        if number == reset:
            counter, buckets = 0, [0] * len(bounds)
        counter += chosen.randrange(50)
        buckets = [old + new for old, new in zip(buckets, cumulative(chosen, bounds, 50 if chosen.random() < 0.8 else 1))]
        shown = list(buckets)
        if number in (0, 5) and chosen.random() < 0.2 and len(bounds) > 2:  # a scrape in the middle of an observation
            at = chosen.randrange(len(bounds) - 1)
            shown[at] = max(0, shown[at] + chosen.randrange(-1, 2)) if number == 0 else shown[at] + chosen.randrange(1, 4)
        scrapes.append((counter, shown))
    return bounds, scrapes


def le(bound):
    return "+Inf" if bound == math.inf else repr(bound)


def replayed(bounds, scrapes):
    text = "".join(f"c_total {counter}\n" + "".join(f'h_bucket{{le="{le(b)}"}} {n}\n' for b, n in zip(bounds, buckets)) + "\f" for counter, buckets in scrapes)
    done = subprocess.run([REPLAY, "c_total", "h", *QUANTILES], input=text, capture_output=True, text=True, check=True, timeout=20)
    return [float(word) for word in done.stdout.split()]


def promtool(folder, scenarios, results):
    """Whether promtool agrees with these results; its words where not."""
    series, tests = [], []
    for case, ((bounds, scrapes), ours) in enumerate(zip(scenarios, results)):
        series.append((f'c_total{{case="{case}"}}', [counter for counter, _ in scrapes]))
        series += [(f'h_bucket{{case="{case}",le="{le(b)}"}}', [buckets[i] for _, buckets in scrapes]) for i, b in enumerate(bounds)]
        window = f"[{15 * (len(scrapes) - 1)}s]"
        expressions = [f'sum(increase(c_total{{case="{case}"}}{window}))']
        expressions += [f'histogram_quantile({q}, sum by (le) (increase(h_bucket{{case="{case}"}}{window})))' for q in QUANTILES]
        for expression, value in zip(expressions, ours):
            # NaN equals nothing, not even in a test: what is NaN is not there when compared with itself.
            expected = f'[{{labels: "{{}}", value: {value!r}}}]'
            if math.isnan(value):
                expression, expected = f"({expression}) == ({expression})", "[]"
            tests.append(f"      - expr: '{expression}'\n        eval_time: {15 * (len(scrapes) - 1)}s\n        exp_samples: {expected}\n")
    text = "evaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n"
    text += "".join(f"      - series: '{name}'\n        values: '{' '.join(map(str, values))}'\n" for name, values in series)
    text += "    promql_expr_test:\n" + "".join(tests)
    path = os.path.join(folder, "conformance.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([program("promtool"), "test", "rules", path], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def test_increases_and_quantiles_are_prometheus_own_to_the_last_bit(tmp_path):
    chosen = random.Random(20)
    scenarios = [scenario(chosen) for _ in range(120)]
    results = [replayed(*one) for one in scenarios]
    assert sum(math.isnan(value) for ours in results for value in ours) > 20
    agreed, said = promtool(tmp_path, scenarios, results)
    assert agreed, said[-3000:]
    results[7][0] += 1  # a comparison that could not fail would be none
    assert not promtool(tmp_path, scenarios, results)[0]


class Prometheus(Service):
    """A real Prometheus, which exposes itself in both formats."""

    def start(self):
        self.port = free_port()
        with open(self.path("prometheus.yml"), "w", encoding="utf-8") as file:
            file.write("scrape_configs: []\n")
        self.server = self.child("prometheus", [program("prometheus"), f"--config.file={self.path('prometheus.yml')}",
                                                f"--storage.tsdb.path={self.path('data')}", f"--web.listen-address=127.0.0.1:{self.port}"])
        wait_until("Prometheus", lambda: answers(f"http://127.0.0.1:{self.port}/-/ready"), 30, self.server)


def answers(url):
    return subprocess.run(["curl", "-fsS", "-o", "/dev/null", url], capture_output=True, check=False).returncode == 0


def test_a_real_prometheus_is_read_in_both_formats(probe, tmp_path):
    with Prometheus(tmp_path / "prometheus") as server:
        table = f"""url = "http://127.0.0.1:{server.port}/metrics"
requests = "prometheus_http_requests_total"
duration = "prometheus_http_request_duration_seconds"
status_label = "code"
path_label = "handler"
health_paths = []
[probes.it.metrics]
goroutines = {{ name = "go_goroutines" }}
"""
        assert answers(f"http://127.0.0.1:{server.port}/-/healthy")
        entry = is_now(probe("exposition", table), "pass", says="errors so far")
        assert entry["measurements"]["goroutines"] > 5 and "samples are not" not in entry["says"], entry
        assert not entry["says"].startswith("0 requests"), entry
