"""The rate_limit probe against nginx's limit_req: what the runbook's 105 requests ask."""

import json
import os
import re
import subprocess

import pytest
from conftest import BINARY, is_now
from faulty import Faulty, answer
from follow import metrics
from nginx_server import Nginx
from processes import Child, free_port, wait_until


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    server = """
location /limited { limit_req zone=few burst=99 nodelay; limit_req_status 429; try_files /page =404; }
location /free { try_files /page =404; }
location /broken { return 500; }
location /moved { return 301 /free; }
location /locked { return 401; }
"""
    http = "limit_req_zone $arg_who zone=few:1m rate=1r/m; log_format agents '$status $http_user_agent $connection'; access_log agents agents;"
    with Nginx(tmp_path_factory.mktemp("nginx"), {"api": server}, http) as started:
        with open(os.path.join(started.folder, "html", "page"), "w", encoding="ascii") as page:
            page.write("page")
        yield started


def url(nginx, path):
    return f'url = "http://127.0.0.1:{nginx.ports["api"]}{path}"\n'


def lines(nginx):
    with open(nginx.path("agents"), encoding="utf-8") as file:
        return file.read().splitlines()


def logged(nginx, before, count):
    """So many lines past the first `before`: nginx writes one when its answer has gone."""
    wait_until("nginx to have logged it", lambda: len(lines(nginx)) >= before + count)
    return lines(nginx)[before:]


def test_the_hundred_and_first_request_is_limited(probe, nginx):
    before = len(lines(nginx))
    entry = is_now(probe("rate_limit", url(nginx, "/limited?who=runbook") + "concurrency = 1"), "pass",
                   says="5 of 105 requests were answered 429, the first was request 101")
    assert entry["measurements"] == {"answered": 105, "limited": 5, "first_limited_at": 101}
    sent = logged(nginx, before, 105)
    assert len(sent) == 105 and all("flipback/" in line for line in sent)  # so that the access log leaves them out


def test_several_at_a_time_and_no_more_than_told(probe, nginx):
    before = len(lines(nginx))
    is_now(probe("rate_limit", url(nginx, "/limited?who=crowd") + "concurrency = 7"), "pass", says="5 of 105")
    connections = {line.split()[-1] for line in logged(nginx, before, 105)}
    assert 2 <= len(connections) <= 8  # the first request's, and seven more


def test_no_limit_is_a_failure(probe, nginx):
    is_now(probe("rate_limit", url(nginx, "/free") + "requests = 40"), "fail", "expectation", "0 of 40 requests were answered 429, expected at least 1")
    is_now(probe("rate_limit", url(nginx, "/limited?who=few") + "expect_limited = 6"), "fail", "expectation", "5 of 105 requests were answered 429, expected at least 6")


def test_what_is_neither_well_nor_limited_is_reported(probe, nginx):
    is_now(probe("rate_limit", url(nginx, "/broken") + "requests = 20"), "fail", "bad status", "of 20 requests 20 were answered 500, expected 2xx or 429")
    is_now(probe("rate_limit", url(nginx, "/moved") + "requests = 20"), "fail", "bad status", "20 were answered 301")


def test_a_wrong_password_is_sent_once(probe, nginx):
    before = len(lines(nginx))
    entry = is_now(probe("rate_limit", url(nginx, "/locked") + 'token = "hunter2"'), "fail", "unauthorised", "request 1 answered 401, expected 2xx or 429")
    assert len(logged(nginx, before, 1)) == 1 and "hunter2" not in str(entry)


def test_a_server_that_ends_in_the_middle(probe):
    answered = []

    def ends(client, _request, ended):
        answered.append(1)
        if len(answered) > 20:
            return
        client.sendall(answer(b"{}"))

    with Faulty(ends) as server:
        entry = is_now(probe("rate_limit", f'url = "http://127.0.0.1:{server.port}/"'), "fail", "closed", "request ")
        assert 20 <= entry["measurements"]["answered"] <= 30 and len(answered) < 60
    is_now(probe("rate_limit", f'url = "http://127.0.0.1:{free_port()}/"'), "fail", "refused", "request 1: ")


def test_the_deadline_ends_it(probe):
    def waits(client, _request, ended):
        ended.wait(0.2)
        client.sendall(answer(b"{}"))

    with Faulty(waits) as server:
        is_now(probe("rate_limit", f'url = "http://127.0.0.1:{server.port}/"\ntimeout = "700ms"'), "fail", "timed out")


@pytest.mark.parametrize("asked", [False, True])
def test_the_agent_leaves_it_out_unless_asked(nginx, tmp_path, asked):
    port = free_port()
    who = f"agent-{asked}"
    text = f'[agent]\nlisten = "127.0.0.1:{port}"\nlog_format = "json"\n[probes.limits]\ntype = "rate_limit"\n{url(nginx, f"/limited?who={who}")}'
    text += 'every = "1s"\nin_agent = true\n' if asked else 'every = "1s"\n'
    text += f'[probes.api]\ntype = "http"\n{url(nginx, "/free")}every = "200ms"\n'
    text += '[[rules]]\nname = "limits"\nwhen = "limits.limited < 1"\nthen = "alert"\n'
    (tmp_path / "flipback.toml").write_text(text, encoding="utf-8")
    agent = Child("flipback", [BINARY, "--config", str(tmp_path / "flipback.toml")], str(tmp_path / "flipback.log"))

    def runs(of):
        return sum(v for (name, labels), v in metrics(f"http://127.0.0.1:{port}").items() if name == "flipback_probe_runs_total" and f'probe="{of}"' in labels)

    try:
        wait_until("runs", lambda: runs("api") >= 10 and (not asked or runs("limits") >= 1), 20, agent)
        assert (runs("limits") > 0) is asked
        told = agent.output()
        assert ("limits runs with --check only, not in the agent" in told) is not asked, told
        assert f"watching {2 if asked else 1} probes" in told
        verdict = metrics(f"http://127.0.0.1:{port}")[("flipback_rule_verdict", 'rule="limits",verdict="unknown"')]
        assert verdict == (0 if asked else 1)
    finally:
        agent.stop()
    done = subprocess.run([BINARY, "--check", "--format", "json", "--config", tmp_path / "flipback.toml"], capture_output=True, text=True, timeout=60, check=False)
    assert [re.search("429", entry["says"]) is not None for entry in json.loads(done.stdout)["probes"]] == [True, False]
