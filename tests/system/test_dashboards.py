"""Prometheus' alert rules and Grafana's dashboard: each metric that they name is in a real scrape, and the rules do what they say."""

import json
import os
import re
import subprocess

from conftest import ROOT, Traffic, get, metrics
from processes import free_port, wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask

RULES = os.path.join(ROOT, "packaging", "prometheus")
DASHBOARD = os.path.join(ROOT, "packaging", "grafana", "flipback.json")


def dashboard():
    with open(DASHBOARD, encoding="utf-8") as file:
        return json.load(file)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def named(text):
    return set(re.findall(r"\bflipback_[a-z_]+\b", text))


def test_alert_rules_fire_when_they_say_and_only_then():
    for words in (["check", "rules", "flipback.rules.yml"], ["test", "rules", "flipback.rules.test.yml"]):
        done = subprocess.run(["promtool", *words], cwd=RULES, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    rules = text_of(os.path.join(RULES, "flipback.rules.yml"))
    tested = text_of(os.path.join(RULES, "flipback.rules.test.yml"))
    for alert in re.findall(r"- alert: (\w+)", rules):
        assert f"alertname: {alert}\n" in tested, alert


def test_each_metric_that_is_named_is_in_a_real_scrape_and_promtool_takes_it(stack, fast_agent):
    agent = fast_agent("observe", extra=f'''
[probes.dead]
type = "tcp"
address = "127.0.0.1:{free_port()}"

[targets.oncall]
type = "command"
command = ["true"]
''')
    Traffic(stack)
    cut_over_and_break(stack, agent)
    wait_until("what it would do to be said", lambda: [event for event in agent.update() if "guard" in event])
    assert ask(stack, "rollback", "--reason", "it hurts")[0] == 0
    agent.wait("rollback.closed")
    wait_until("Ready to be looked at anew", lambda: ("flipback_deployment_ready", "") in metrics(stack.agent_url))
    page = get(stack.agent_url + "/metrics")[2]
    found = named(re.sub(r"^#.*$", "", page, flags=re.M))
    histograms = set(re.findall(r"^# TYPE (\w+) histogram$", page, re.M))
    assert len(histograms) >= 3
    for where, text in (("rules", text_of(os.path.join(RULES, "flipback.rules.yml"))), ("dashboard", text_of(DASHBOARD)),
                        ("events.md", text_of(os.path.join(ROOT, "packaging", "docs", "events.md")).split("## Metrics\n")[1].split("\n## ")[0])):
        assert named(text) - found - histograms == set(), where
    documented = named(text_of(os.path.join(ROOT, "packaging", "docs", "events.md")))
    assert (found | histograms) - {name + end for name in histograms for end in ("_bucket", "_sum", "_count")} - documented == set(), "documented"
    read = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stdout + read.stderr == "", read.stdout + read.stderr
    now = metrics(stack.agent_url)
    assert now["flipback_rollbacks_total", 'outcome="rolled back"'] == 1 and now["flipback_rollbacks_total", 'outcome="unproven"'] == 0
    assert now["flipback_rollbacks_decided_total", 'rule="security"'] == 1
    assert 0 < now["flipback_rollback_step_seconds", 'step="prove"'] < 5
    assert now["flipback_store_write_duration_seconds_count", ""] > 2 and 0 < now["flipback_store_write_duration_seconds_sum", ""] < 60
    wait_until("the incident's end", lambda: metrics(stack.agent_url)["flipback_incident_open", ""] == 0)
    assert metrics(stack.agent_url)["flipback_incidents_total", ""] == 1


def test_a_dashboard_is_whole():
    made = dashboard()
    panels = made["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) and made["uid"] == "flipback"
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
        assert panel["targets"] and all(target["datasource"]["uid"] == "${source}" for target in panel["targets"])
        assert all("instance=~\"$instance\"" in target["expr"] for target in panel["targets"]), panel["title"]
