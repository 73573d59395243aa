"""Whose traffic it is: what nginx passed elsewhere or answered itself is no slot's, and what the slot before took is not the live one's."""

import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import BINARY, Agent, is_now  # noqa: F401
from follow import metrics
from logging_nginx import FORMATS, LoggingNginx
from processes import wait_until


@pytest.fixture
def logging():
    made = []

    def start(more="", http=""):
        made.append(LoggingNginx(more, http))
        return made[-1].__enter__()

    yield start
    for nginx in made:
        nginx.stop()
        shutil.rmtree(nginx.folder)


@pytest.fixture
def seen(probe):
    """What `--check` measures in a log of this nginx, with both slots."""

    def look(nginx, name="flipback", table=""):
        slots = "".join(f'[slots.{slot}]\nurl = "http://127.0.0.1:{nginx.ports[slot]}"\n' for slot in ("blue", "green"))
        text = f"format = '''{FORMATS[name]}'''\n" if name in FORMATS else ""
        entry = is_now(probe("access_log", f'path = "{nginx.log(name)}"\n{text}{table}', agent=slots), "pass")
        return entry["measurements"] | {"says": entry["says"]}

    return look


def test_another_application_that_is_down_behind_the_same_nginx_is_no_error_of_a_slot(logging, seen):
    nginx = logging("location /admin/ {{ proxy_pass http://{dead}/; }}")
    assert nginx.get(*["/blue/a"] * 4, *["/admin/users"] * 6) == [200] * 4 + [502] * 6
    nginx.wait_lines("flipback", 10)
    found = seen(nginx)
    assert (found["requests"], found["error_rate"], found["elsewhere"]) == (4, 0, 0.6), found
    assert found["says"].startswith("4 requests, 0 errors, 6 more to no slot"), found


@pytest.mark.parametrize("name", ["flipback", "lists", "json", "timed"])
def test_a_health_check_that_fails_is_none_of_the_users_requests_though_an_error_page_rewrote_its_path(logging, seen, name):
    nginx = logging("error_page 502 504 /50x.html; location = /50x.html {{ internal; return 200 sorry; }} location = /ready {{ proxy_pass http://{dead}/; }}")
    assert nginx.get("/ready", "/ready?deep=1", "/blue/a") == [502, 502, 200]
    nginx.wait_lines(name, 3)
    found = seen(nginx, name, 'health_paths = ["/ready"]')
    assert (found["requests"], found["error_rate"]) == (1, 0), found
    assert found.get("elsewhere", 0) == 0, found


@pytest.mark.parametrize("name", ["flipback", "timed"])
def test_a_broken_auth_request_is_nginxs_own_error(logging, seen, name):
    nginx = logging("location = /auth {{ internal; proxy_pass http://{dead}; }} location /private/ {{ auth_request /auth; proxy_pass http://{blue}/; }}")
    assert nginx.get("/private/a", "/private/b", "/blue/a", "/local") == [500, 500, 200, 301]
    nginx.wait_lines(name, 4)
    found = seen(nginx, name)
    assert (found["requests"], found["error_rate"], found["local_error_rate"], found["local_errors"]) == (1, 0, 0.5, 3), found


def test_a_limit_of_nginx_is_its_own_though_the_log_has_no_addresses(logging, seen):
    nginx = logging("location /limited/ {{ limit_req zone=one; proxy_pass http://{blue}/; }}",
                    "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;")
    assert nginx.get(*["/limited/a"] * 4) == [200, 503, 503, 503]
    nginx.wait_lines("timed", 4)
    found = seen(nginx, "timed")
    assert (found["requests"], found["error_rate"], found["local_error_rate"]) == (1, 0, 0.75), found
    assert "it does not tell slots apart, so that all that nginx passed on is counted" in found["says"]


def test_a_slot_that_nginx_knows_by_a_hosts_name_is_that_slot(logging, seen):
    nginx = logging()
    nginx.get(*["/named/a"] * 3)
    nginx.wait_lines("flipback", 3)
    found = seen(nginx)
    assert (found["requests"], found["blue.success_rate"], found["elsewhere"]) == (3, 1, 0), found


def test_long_polls_that_their_users_leave_are_no_errors(logging, seen):
    nginx = logging()
    nginx.get("/blue/a")
    nginx.send(b"GET /green/hang HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\n\r\n", wait=1.2)
    nginx.wait_lines("flipback", 2)
    found = seen(nginx)
    assert (found["error_rate"], found["slow_rate"], found["green.error_rate"]) == (0.5, 0.5, 1), found
    found = seen(nginx, table='slow_paths = ["/green/hang"]')
    assert (found["error_rate"], found["aborted_rate"], found["slow_rate"], found["green.error_rate"]) == (0, 0.5, 0, 0), found


def test_several_logs_are_one_traffic_and_one_that_is_not_there_yet_is_said(logging, probe):
    nginx = logging("location /other/ {{ access_log {folder}/other.log flipback; proxy_pass http://{blue}/; }}")
    nginx.get(*["/blue/a"] * 3, *["/other/a"] * 2)
    nginx.wait_lines("flipback", 3)
    nginx.wait_lines("other", 2)
    table = f'path = ["{nginx.log("flipback")}", "{nginx.log("other")}", "{nginx.log("later")}"]'
    entry = is_now(probe("access_log", table), "pass", says=f"{nginx.log('later')} does not exist")
    assert entry["measurements"]["requests"] == 5
    table = f'path = ["{nginx.log("sooner")}", "{nginx.log("later")}"]'
    is_now(probe("access_log", table), "fail", "absent", says="does not exist")


# At a cutover.

RULES = """
[[rules]]
name = "live"
when = "traffic.live.error_rate over 10m > 99%"
[[rules]]
name = "live-count"
when = "count(traffic.live.error_rate over 10m) > 1000000"
[[rules]]
name = "all-count"
when = "count(traffic.error_rate over 10m) > 1000000"
[[rules]]
name = "all"
when = "traffic.error_rate over 10m > 99%"
"""


class Rules:
    def __init__(self, stack, agent):
        self.stack, self.agent = stack, agent

    def value(self, rule):
        return metrics(self.stack.agent_url).get(("flipback_rule_value", f'rule="{rule}"'), 0)

    def errors(self, of):
        return round(self.value(of) * self.value(f"{of}-count"))

    def wait(self, what, condition):
        wait_until(what, condition, 20, self.agent.child)


def users(stack, count, path="/api/v1/ping"):
    """So many at once; each waits for its answer."""

    def ask():
        try:
            urllib.request.urlopen(stack.front_url + path, timeout=20).read()
        except OSError:
            pass

    started = [threading.Thread(target=ask) for _ in range(count)]
    for user in started:
        user.start()
    return started


def test_what_the_old_slot_could_not_finish_is_not_the_live_ones_also_after_a_restart_and_a_reload(stack):
    for slot in ("blue", "green"):
        with open(stack.site(slot), "w", encoding="utf-8") as file:
            file.write(stack.site_text(slot).replace("proxy_pass http://api;", "proxy_pass http://api; proxy_read_timeout 3s;"))
    stack.cut_over("blue")
    file = stack.write_configuration(stack.configuration(mode="observe", extra=RULES))
    agent = Agent(stack, file).ready()
    agent.wait("deployment.baseline", live="blue")
    rules = Rules(stack, agent)
    stack.go_bad("blue", "latency 9")
    waiting = users(stack, 59)
    time.sleep(0.3)
    stack.cut_over("green")
    agent.wait("deployment.cutover", live="green")
    time.sleep(1.2)
    for user in users(stack, 20):
        user.join()
    for user in waiting:
        user.join()
    rules.wait("blue's errors", lambda: rules.errors("all") == 59)
    rules.wait("green's requests", lambda: rules.value("live-count") == 20)
    assert rules.value("live") == 0
    stack.go_bad("green", "errors 1")
    for user in users(stack, 10):
        user.join()
    rules.wait("green's errors", lambda: rules.errors("live") == 10)

    time.sleep(6)  # the state is kept, and what was read lies in the past
    before = len(agent.of("config.reloaded"))
    agent.child.signal(1)
    wait_until("the reload", lambda: len(agent.of("config.reloaded")) > before, child=agent.child)
    for user in users(stack, 5):
        user.join()
    rules.wait("what came before the reload, and after it", lambda: (rules.value("live-count"), rules.errors("live")) == (35, 15))

    time.sleep(1.5)
    agent.child.stop()
    again = Rules(stack, Agent(stack, file, name="again").ready())
    again.wait("what came before the restart", lambda: (again.value("live-count"), again.errors("live")) == (35, 15))
    assert again.errors("all") == 59 + 15
    assert os.path.exists(stack.access_log)


def test_errors_of_a_group_whose_servers_are_all_down_are_the_live_slots_though_nginx_logs_its_name(stack):
    twice = f"server 127.0.0.1:{stack.ports['green']} fail_timeout=60s; " * 2
    with open(stack.site("green"), "w", encoding="utf-8") as file:
        file.write(stack.site_text("green").replace(f"server 127.0.0.1:{stack.ports['green']};", twice))
    agent = Agent(stack, stack.write_configuration(stack.configuration(mode="observe", extra=RULES))).ready()
    agent.wait("deployment.baseline", live="blue")
    rules = Rules(stack, agent)
    stack.cut_over("green")
    agent.wait("deployment.cutover", live="green")
    time.sleep(2)  # what nginx runs now has been read, and is known to be what it runs
    stack.slots["green"].stop()
    for _ in range(20):
        for user in users(stack, 1):
            user.join()
    with open(stack.access_log, encoding="ascii") as file:
        assert file.read().count('"upstream":"api"') >= 15
    rules.wait("all of them", lambda: rules.errors("live") == 20)
    assert rules.errors("all") == 20


# A path that fails alone.

BY_PATH = """
[[rules]]
name = "path-errors"
when = "surely(traffic.error_rate_by_path over 5s > 50%)"
min_errors = 10
"""


def test_a_path_that_fails_while_all_others_do_well_is_told_by_its_name(stack, start_agent):
    agent = start_agent("observe", short_rules=False, extra=BY_PATH)
    agent.wait("deployment.baseline")
    ended = threading.Event()

    def ask():
        for n in range(10_000):
            if ended.wait(0.05):
                return
            for path in ["/api/v1/ping"] * 8 + [f"/api/v1/ping?n={n}", f"/items/{n}"]:
                try:
                    urllib.request.urlopen(stack.front_url + path, timeout=5).close()  # noqa: S310
                except urllib.error.HTTPError:
                    pass

    user = threading.Thread(target=ask)
    user.start()
    try:
        with open(stack.live_site, encoding="utf-8") as file:
            text = file.read()
        with open(stack.live_site, "w", encoding="utf-8") as file:
            file.write(text.replace("  location / {", f"  location /items/ {{ proxy_pass http://api; proxy_intercept_errors on; error_page 404 =500 @no; }}\n  location @no {{ return 500; }}\n  location / {{"))
        subprocess.run(stack.nginx_command("-s", "reload"), check=True, capture_output=True)
        breached = agent.wait("verdict.changed", rule="path-errors", to="breached")
    finally:
        ended.set()
        user.join()
    assert "of /items/* is 100%" in breached["says"] and "surely above 50%" in breached["says"], breached
