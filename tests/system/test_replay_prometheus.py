"""An incident that Prometheus recorded, judged by `flipback replay`: by its dump, and by its answers over HTTP."""

import json
import os
import subprocess
import time
import urllib.parse

import pytest
from conftest import BINARY
from processes import program, wait_until
from prometheus import Prometheus

EVERY = 5  # seconds between two scrapes
CUTOVER, ERRORS_FROM, END = 600, 720, 1500  # seconds
BOUNDS = ("0.1", "0.5", "1.0", "2.5", "+Inf")
INSTANCES = {"10.0.0.1:8000": (0, 21), "10.0.0.2:8000": (1.25, 13)}  # when after the others it is scraped, requests a second


class Incident:
    """What two instances expose: well for twelve minutes, then 30% errors, each slower than a second."""

    def __init__(self):
        self.begin = int(time.time()) // 7200 * 7200 - 7200  # a block's, and recent enough to be asked for
        self.scrapes = []  # (seconds, requests and errors since the scrape before)
        self.series = {}
        for instance, (offset, rate) in INSTANCES.items():
            requests = errors = 0
            for tick in range(END // EVERY):
                at = tick * EVERY + offset
                new = rate * EVERY
                bad = round(new * 0.3) if at > ERRORS_FROM else tick % 7 == 0
                requests, errors = requests + new, errors + bad
                if tick:
                    self.scrapes.append((at, at - EVERY, new, bad))
                self.add(instance, at, requests, errors)
        self.scrapes.sort()

    def add(self, instance, at, requests, errors):
        own = f'instance="{instance}",job="api"'
        values = {f'http_requests_total{{{own},handler="/x",method="GET",status="2xx"}}': requests - errors,
                  f'http_requests_total{{{own},handler="/x",method="GET",status="5xx"}}': errors,
                  f'http_requests_total{{{own},handler="/health",method="GET",status="2xx"}}': 10 * at,
                  f'process_start_time_seconds{{{own}}}': self.begin - 86400, f'up{{{own}}}': 1}
        values |= {f'http_request_duration_highr_seconds_bucket{{{own},le="{b}"}}': requests - errors if float(b) <= 1 else requests for b in BOUNDS}
        for name, value in values.items():
            self.series.setdefault(name, []).append((self.begin + at, value))

    def text(self):
        """In OpenMetrics, as promtool takes it."""
        return "".join(f"{name} {value} {at:.3f}\n" for name, points in sorted(self.series.items()) for at, value in points) + "# EOF\n"

    def clock(self, seconds):
        return time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(self.begin + seconds)) + f"{(self.begin + seconds) % 60:06.3f}Z"

    def breach(self):
        """When more than 5% of the last five minutes' requests were errors, of each minute of them more than half of that, and of the last
        one more than all of it: not before the five minutes after the cutover. It is far beyond chance."""
        def share(begin, end):
            inside = [(new, bad) for at, since, new, bad in self.scrapes if begin < at <= end and since >= CUTOVER]
            return sum(bad for _, bad in inside) / sum(new for new, _ in inside)

        for at in sorted({at for at, *_ in self.scrapes if at >= CUTOVER + 300}):
            fifths = [share(at - 300 + 60 * i, at - 240 + 60 * i) for i in range(5)]
            if share(at - 300, at) > 0.05 and min(fifths) > 0.025 and fifths[-1] > 0.05:
                return at, share(at - 300, at)
        raise AssertionError("there is no breach")


@pytest.fixture(scope="module")
def incident(tmp_path_factory):
    made = Incident()
    made.folder = tmp_path_factory.mktemp("incident")
    (made.folder / "incident.om").write_text(made.text())
    os.makedirs(made.folder / "data" / "wal")  # promtool looks for one
    subprocess.run([program("promtool"), "tsdb", "create-blocks-from", "openmetrics", made.folder / "incident.om", made.folder / "data"], check=True,
                   capture_output=True, timeout=60)
    return made


@pytest.fixture(scope="module")
def dumped(incident):
    """What promtool tsdb dump prints."""
    path = incident.folder / "dump"
    with open(path, "w", encoding="utf-8") as file:
        subprocess.run([program("promtool"), "tsdb", "dump", incident.folder / "data"], check=True, stdout=file, timeout=60)
    return path


def replay(*words):
    done = subprocess.run([BINARY, "replay", *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def breaches(*words):
    status, printed, complaints = replay("--format", "json", *words)
    assert status == 0, complaints
    return [e for e in map(json.loads, printed.splitlines()) if e.get("to") == "breached"]


def the_breach(incident, of, *words):
    """The breach of the rule error-rate is the one that was computed here."""
    at, share = incident.breach()
    [breach] = [e for e in breaches(*words) if e["rule"] == "error-rate"]
    assert breach["time"] == incident.clock(at), (of, breach)
    assert "blocked: error-burn rolled this release back at " in breach["says"] and not breach["rollback"], (of, breach)
    assert breach["value"] == pytest.approx(share)


def test_a_dump_breaches_at_the_second_at_which_the_incident_does(incident, dumped):
    cutover = f"--cutover={incident.clock(CUTOVER)}"
    the_breach(incident, "promtool's dump", dumped, cutover)
    the_breach(incident, "OpenMetrics, series by series", incident.folder / "incident.om", cutover)
    by_time = sorted(dumped.read_text().splitlines(), key=lambda line: int(line.rsplit(" ", 1)[1]))
    half = len(by_time) // 2
    for name, lines in (("first", by_time[:half + 100]), ("second", by_time[half:])):
        (incident.folder / name).write_text("\n".join(lines) + "\n")
    the_breach(incident, "two texts that overlap, by time", incident.folder / "second", incident.folder / "first", cutover)


def test_latencies_are_those_of_prometheus_histogram_quantile(incident, dumped, tmp_path):
    (tmp_path / "rules.toml").write_text('[[rules]]\nname = "slow"\nwhen = "traffic.p95 over 1m > 1500ms"\n')
    [slow] = [e for e in breaches("--rules", tmp_path / "rules.toml", dumped) if e["rule"] == "slow"]
    at = round(incident.begin + next(at for at, *_ in incident.scrapes if incident.clock(at) == slow["time"]), 3)
    with Prometheus(tmp_path / "prometheus", flags=["--query.lookback-delta=10s"]) as server:
        stop_and_move(server, incident)
        # [64s] has the thirteen scrapes of each instance between which lie the twelve that are within our minute.
        theirs = "histogram_quantile(0.95, sum by (le) (increase(http_request_duration_highr_seconds_bucket[64s])))"
        [value] = server.get(f"/api/v1/query?time={at}&query={urllib.parse.quote(theirs)}")["result"]
    assert slow["value"] == pytest.approx(float(value["value"][1]), rel=1e-9)


def stop_and_move(server, incident):
    """Starts a server anew that has the incident in its TSDB."""
    server.stop_server()
    subprocess.run(["cp", "-r", *[entry.path for entry in os.scandir(incident.folder / "data") if entry.name != "wal"], server.path("data")], check=True)
    server.start()
    wait_until("the incident", lambda: server.get(f"/api/v1/query?time={incident.begin + 60}&query=up")["result"], 30, server.server)


def range_query(server, incident, promql, path, step=EVERY):
    form = urllib.parse.urlencode({"query": promql, "start": incident.begin + 2, "end": incident.begin + END - 1, "step": step})
    subprocess.run(["curl", "-sS", "-o", path, f"{server.url}/api/v1/query_range", "-d", form], check=True, timeout=30)
    return path


def test_answers_of_query_range_breach_when_the_incident_does(incident, tmp_path):
    with Prometheus(tmp_path / "prometheus") as server:
        stop_and_move(server, incident)
        errors = range_query(server, incident, 'http_requests_total{handler!="/health",status="5xx"}', tmp_path / "errors.json")
        requests = range_query(server, incident, 'http_requests_total{handler!="/health"}', tmp_path / "requests.json")
        p95 = range_query(server, incident, "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_highr_seconds_bucket[1m])))", tmp_path / "p95.json")
        each = range_query(server, incident, "up", tmp_path / "up.json")
        refused = range_query(server, incident, "rate(up)", tmp_path / "refused.json")
    cutover = f"--cutover={incident.clock(CUTOVER)}"
    # Counters at a step are those of each instance's newest scrape.
    at, _ = incident.breach()
    found = [e for e in breaches(f"traffic.error_rate={errors},{requests}", cutover) if e["rule"] == "error-rate"]
    assert len(found) == 1 and "blocked: error-burn rolled this release back at " in found[0]["says"]
    clock = lambda e: float(e["time"][17:23]) + 60 * int(e["time"][14:16]) + 3600 * int(e["time"][11:13])  # noqa: E731
    assert 0 <= clock(found[0]) - (incident.begin + at) % 86400 < EVERY
    (tmp_path / "rules.toml").write_text('[[rules]]\nname = "slow"\nwhen = "traffic.p95 > 1500ms"\nfor = "30s"\n')
    [slow] = [e for e in breaches(f"traffic.p95={p95}", "--rules", tmp_path / "rules.toml") if e["rule"] == "slow"]
    assert ERRORS_FROM < clock(slow) - incident.begin % 86400 < ERRORS_FROM + 120
    # What rules know of both, by time.
    assert len(breaches(f"traffic.error_rate={errors},{requests}", f"traffic.p95={p95}", cutover)) >= 2
    assert replay(f"api.up={each}")[::2] == (2, f"api.up={each}: the answer has 2 series, expected one: sum(…), max(…) or the like makes one of them\n")
    status, _, said = replay(f"api.up={refused}")
    assert status == 2 and "Prometheus answered an error (bad_data): " in said


def test_what_can_not_be_replayed_is_said(incident, dumped, tmp_path):
    for name, content in {"cut.json": '{"status":"success","data":{"resul', "other.json": '{"status":"ok"}', "page.html": "<html>\n",
                          "scrape": 'http_requests_total{status="2xx"} 1\n', "binary": b"\x7fELF\x02\x01\x01\0\xff\xfe", "empty": "",
                          "seconds": "http_requests_total 1 1795762000\n", "other": "go_goroutines 1 1795762000000\n"}.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    cases = {("cut.json",): "is JSON, expected with the signal that it gives: traffic.error_rate=", ("a.b=cut.json",): "the JSON in the body is cut short",
             ("a.b=other.json",): "it is no answer of Prometheus'", ("a.b=scrape",): "is no JSON, expected an answer of /api/v1/query_range",
             ("page.html",): "line 1, column 1: found <html>, expected a metric's name", ("scrape",): "line 1: the sample has no timestamp",
             ("binary",): "a byte that is no UTF-8", ("empty",): "holds no samples", ("seconds",): "line 1: the timestamp is 1795762 s after 1970",
             ("other",): "has nothing of what is looked at: http_requests_total", ("nowhere",): "can't be read: No such file", ("a.b=x,y,z",): "can't be read",
             ("b=cut.json",): "expected a signal's, such as traffic.error_rate"}
    for words, expected in cases.items():
        done = subprocess.run([BINARY, "replay", *words], capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "") and expected in done.stderr, (words, done.stderr)
    assert "expected a time of the metrics" in replay(dumped, "--cutover=2020-01-01T00:00:00Z")[2]
    assert "--cutover: found noon, expected a time with its offset" in replay(dumped, "--cutover=noon")[2]
    (tmp_path / "wrong.toml").write_text('[[rules]]\nname = "a"\nwhen = "trafic.rps > 1"\n[probes.x]\ntype = "tcp"\n')
    status, _, said = replay(dumped, "--rules", tmp_path / "wrong.toml")
    assert status == 2 and "wrong.toml:" in said


def test_a_whole_configuration_judges_and_what_it_watches_elsewhere_is_unknown(incident, dumped, tmp_path):
    (tmp_path / "flipback.toml").write_text("""
[probes.api]
type = "exposition"
url = "http://127.0.0.1:8000/metrics"
exclude = { paths = ["/none"] }
[probes.postgres]
type = "postgres"
host = "127.0.0.1"
user = "flipback"
[[rules]]
name = "errors"
when = "api.error_rate over 1m > 20%"
unless = "postgres.reachable == 0"
then = "rollback"
""")
    [breach] = breaches("--rules", tmp_path / "flipback.toml", dumped, f"--cutover={incident.clock(CUTOVER)}")
    assert breach["rule"] == "errors" and breach["rollback"]
    _, _, notes = replay("--rules", tmp_path / "flipback.toml", dumped)
    assert notes.startswith("note: api: ") and "scrapes of 2 targets" in notes
