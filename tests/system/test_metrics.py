"""The agent's metrics of itself and of its probes' runs: histograms that promtool takes, and what they count is what happened."""

import os
import signal
import subprocess
import time

import pytest
from conftest import Agent, get, metrics
from processes import free_port, wait_until
from service import Service


class Watching(Service):
    """An agent with a probe that passes, one that is refused, and one whose name server is not there."""

    def start(self):
        self.port, dead, no_server = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        path = self.path("flipback.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[agent]\nlisten = "127.0.0.1:{self.port}"\nlog_format = "json"\nsocket = "{self.path("s")}"\nname_servers = "127.0.0.1:{no_server}"\n'
                       '[probes.disk]\ntype = "disk"\npaths = ["/"]\nevery = "100ms"\ntimeout = "90ms"\n'
                       f'[probes.dead]\ntype = "tcp"\naddress = "127.0.0.1:{dead}"\nevery = "100ms"\ntimeout = "90ms"\n'
                       '[probes.named]\ntype = "tcp"\naddress = "a.test:1"\nevery = "100ms"\ntimeout = "90ms"\n')
        self.agent = Agent(self, path).ready()

    def now(self):
        return metrics(self.url)


@pytest.fixture
def watching(tmp_path):
    with Watching(tmp_path / "agent") as made:
        yield made


def count_of(now, name, labels=""):
    """A histogram's count, once its buckets are found to be what they should."""
    buckets = [value for (of, its), value in now.items() if of == f"{name}_bucket" and its.startswith(labels)]
    assert buckets == sorted(buckets) and len(buckets) == 9 and buckets[-1] == now[f"{name}_count", labels]
    return buckets[-1]


def test_a_probes_runs_are_counted_by_how_long_they_took_and_why_they_did_not_pass(watching):
    named = 'probe="named",outcome="unknown",reason="no resolver"'
    wait_until("runs", lambda: watching.now().get(("flipback_probe_not_passed_total", named), 0) > 5)
    now = watching.now()
    for outcome, probe in (("fail", "dead"), ("unknown", "named")):
        why = [(labels, value) for (name, labels), value in now.items() if name == "flipback_probe_not_passed_total" and f'probe="{probe}"' in labels]
        assert sum(value for _, value in why) == now["flipback_probe_runs_total", f'probe="{probe}",outcome="{outcome}"'], why
    assert now["flipback_probe_not_passed_total", 'probe="dead",outcome="fail",reason="refused"'] > 5
    assert not [labels for name, labels in now if name == "flipback_probe_not_passed_total" and "disk" in labels]
    assert count_of(now, "flipback_probe_duration_seconds", 'probe="disk"') == now["flipback_probe_runs_total", 'probe="disk",outcome="pass"']
    assert count_of(now, "flipback_probe_duration_seconds", 'probe="dead"') == now["flipback_probe_runs_total", 'probe="dead",outcome="fail"']
    assert count_of(now, "flipback_probe_duration_seconds", 'probe="named"') == 0, "that tells nothing of its service"
    assert 0 < now["flipback_probe_duration_seconds_sum", 'probe="disk"'] < 1
    read = subprocess.run(["promtool", "check", "metrics"], input=get(watching.url + "/metrics")[2], capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stdout + read.stderr == "", read.stdout + read.stderr


def test_a_loop_that_stands_still_is_seen_in_one_scrape_and_in_the_next_no_more(watching):
    wait_until("a first scrape", lambda: count_of(watching.now(), "flipback_loop_lag_seconds") > 10)
    os.kill(watching.agent.child.pid, signal.SIGSTOP)
    time.sleep(1.2)
    os.kill(watching.agent.child.pid, signal.SIGCONT)
    watching.agent.wait("self.stall")
    now = watching.now()
    assert 0.9 < now["flipback_loop_lag_max_seconds", ""] < 5
    assert now["flipback_loop_lag_seconds_bucket", 'le="0.5"'] < now["flipback_loop_lag_seconds_count", ""]
    time.sleep(0.5)
    assert 0 <= watching.now()["flipback_loop_lag_max_seconds", ""] < 0.9
    assert count_of(watching.now(), "flipback_store_write_duration_seconds") == 0, "there is no deployment, and so nothing to keep"
