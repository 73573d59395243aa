"""What must never happen: a flip because of what a release before did, over a person's word, or because of what a stranger sends."""

import contextlib
import os
import re
import signal
import socket
import threading
import time
import urllib.parse

import pytest
from conftest import FAST, Agent, Traffic
from processes import free_port, wait_until
from test_rollback import cut_over_and_break, nginx_is_whole
from test_verbs import ask, ask_json


def live_file(stack):
    with open(stack.live_site, encoding="utf-8") as file:
        return file.read()


def start(stack, text):
    return Agent(stack, stack.write_configuration(text)).ready()


def with_window(text, window):
    assert 'window = "15m"' in text
    return text.replace('window = "15m"', f'window = "{window}"')


def stays(stack, agent, slot, seconds=4, decided=0):
    """Nothing more acts for so long, and users reach this slot all the while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert len(agent.of("rollback.decided")) == decided
        assert live_file(stack) == stack.site_text(slot)
        time.sleep(0.1)
    assert stack.live() == slot
    assert nginx_is_whole(stack)[1] == []


def cut_over_by_hand(stack, agent, slot):
    """As the runbook does it, and seen."""
    before = len(agent.of("deployment.cutover", live=slot))
    stack.cut_over(slot)
    wait_until(f"the cutover to {slot}", lambda: len(agent.of("deployment.cutover", live=slot)) > before, child=agent.child)


# What the release before did is no reason to leave this one.


def test_a_cutover_that_brings_the_fix_is_not_rolled_back_for_the_errors_before_it(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    stack.go_bad("blue", "errors 0.5")
    agent.wait("rollback.withheld", rule="error-rate")
    cut_over_by_hand(stack, agent, "green")
    stays(stack, agent, "green")


def test_a_rollback_by_hand_after_the_window_is_not_turned_back(stack):
    agent = start(stack, with_window(stack.configuration(short_rules=False, extra=FAST), "3s"))
    Traffic(stack)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    agent.wait("deployment.window", open=False)
    stack.go_bad("green", "errors 0.5")
    agent.wait("rollback.withheld", rule="error-rate", guard="window")
    cut_over_by_hand(stack, agent, "blue")
    stays(stack, agent, "blue")


@pytest.mark.parametrize("bad, fix", [("blue", "green"), ("green", "blue")])
def test_the_built_in_burn_that_was_breached_before_a_cutover_does_not_act_after_it(stack, bad, fix):
    if bad == "green":
        stack.cut_over("green")
        wait_until("green", lambda: stack.live() == "green")
        time.sleep(0.5)  # no old worker answers any more
    stack.go_bad(bad, "errors 0.9")
    Traffic(stack)
    agent = start(stack, stack.configuration(short_rules=False))
    agent.wait("verdict.changed", rule="error-burn", to="breached", seconds=60)
    agent.wait("rollback.withheld", rule="error-burn")
    cut_over_by_hand(stack, agent, fix)
    stays(stack, agent, fix)


def test_the_built_in_burn_that_was_breached_after_the_window_does_not_turn_a_rollback_by_hand_back(stack):
    agent = start(stack, with_window(stack.configuration(short_rules=False), "3s"))
    Traffic(stack)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    agent.wait("deployment.window", open=False)
    stack.go_bad("green", "errors 1")
    agent.wait("rollback.withheld", rule="error-burn", guard="window", seconds=60)
    cut_over_by_hand(stack, agent, "blue")
    stays(stack, agent, "blue")


def test_a_rollback_by_hand_after_one_that_was_undone_is_not_turned_back(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent, "errors 0")
    with open(stack.site("blue"), "a", encoding="utf-8") as file:
        file.write("this is no directive;\n")
    stack.go_bad("green", "errors 0.5")
    assert agent.wait("rollback.closed")["outcome"] == "undone"
    assert stack.live() == "green"
    with open(stack.site("blue"), "w", encoding="utf-8") as file:
        file.write(stack.site_text("blue"))
    agent.events.clear()
    cut_over_by_hand(stack, agent, "blue")
    stays(stack, agent, "blue")


def test_a_rollback_by_hand_while_a_hold_ends_is_not_turned_back(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    assert ask(stack, "hold", "--for", "1h", "--reason", "I do it by hand")[0] == 0
    cut_over_and_break(stack, agent)
    agent.wait("rollback.blocked", guard="hold")
    old = stack.accepting_workers()
    stack.cut_over("blue")
    wait_until("the new workers alone", lambda: not old & stack.accepting_workers())
    assert ask(stack, "unhold")[0] == 0
    # Either it has seen users come back, or it has decided the same and proves what the switch names already; green is not put back.
    wait_until("blue", lambda: agent.of("deployment.cutover", live="blue") or agent.of("rollback.closed", reached="blue"), child=agent.child)
    stays(stack, agent, "blue", decided=len(agent.of("rollback.closed", reached="blue")))


def test_a_breach_since_the_cutover_still_acts_after_a_reload(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    assert ask(stack, "hold", "--for", "1h", "--reason", "wait")[0] == 0
    cut_over_and_break(stack, agent)
    agent.wait("rollback.blocked", guard="hold")
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    time.sleep(1.5)
    assert ask(stack, "unhold")[0] == 0
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert stack.live() == "blue"


# What is decided rests on now: whatever happens while the stable slot is still being asked is heard.


class Flag:
    """A port that is open or not, for a rule that ends from one moment to the next."""

    def __init__(self):
        self.port = free_port()
        self.listening = None

    def raise_(self):
        self.listening = socket.create_server(("127.0.0.1", self.port))

    def lower(self):
        self.listening.close()
        self.listening = None

    def rule(self):
        return f"""
[probes.flag]
type = "tcp"
address = "127.0.0.1:{self.port}"
every = "100ms"
timeout = "90ms"

[[rules]]
name = "flagged"
when = "flag.up == 0 and traffic.error_rate over 2s > 5%"
after = "2s"
then = "rollback"

[[rules]]
name = "error-rate"
enabled = false

[[rules]]
name = "outage"
enabled = false
"""


def connections_to(port):
    """Which ports of ours are connected to this one."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return {row[1] for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "01"}


def wait_for_a_slow_question(stack, slot, agent):
    """Until somebody has waited for a quarter of a second for this slot, which nobody reaches through nginx."""
    since = {}

    def long_asked():
        now = time.monotonic()
        open_now = connections_to(stack.ports[slot])
        for gone in set(since) - open_now:
            del since[gone]
        return any(now - since.setdefault(one, now) > 0.25 for one in open_now)

    wait_until(f"a question to {slot}", long_asked, child=agent.child)


def test_a_hold_that_is_confirmed_while_blame_is_asked_holds(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    stack.go_bad("blue", "latency 0.8")
    stack.go_bad("green", "errors 0.5")
    wait_for_a_slow_question(stack, "blue", agent)
    assert ask(stack, "hold", "--for", "1h", "--reason", "I am on it")[0] == 0
    assert agent.of("rollback.decided") == [], "the hold came too late: nothing was tested"
    stays(stack, agent, "green")
    assert agent.wait("rollback.blocked", guard="hold")
    stack.mend("blue")
    assert ask(stack, "unhold")[0] == 0
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"


def test_a_hold_that_is_confirmed_at_any_moment_of_a_slow_health_check_holds(stack, fast_agent):
    in_time = 0
    for late in (0.3, 0.6, 0.9, 1.2):
        stack.mend("green")
        stack.mend("blue")
        stack.cut_over("blue")
        wait_until("blue", lambda: stack.live() == "blue")
        stack.forget_agents()
        os.truncate(stack.access_log, 0)
        agent = fast_agent()
        traffic = Traffic(stack)
        agent.wait("deployment.baseline")
        cut_over_by_hand(stack, agent, "green")
        stack.go_bad("blue", "late-health 0.8")
        stack.go_bad("green", "errors 0.5")
        agent.wait("verdict.changed", rule="error-rate", to="breached")
        time.sleep(late)
        assert ask(stack, "hold", "--for", "1h", "--reason", "I am on it")[0] == 0
        if not agent.of("rollback.decided"):
            in_time += 1
            stays(stack, agent, "green", 3)
        agent.child.stop()
        traffic.child.stop()
    assert in_time > 0, "every hold came too late: nothing was tested"


def test_a_breach_that_ends_while_blame_is_asked_flips_nothing(stack, start_agent):
    flag = Flag()
    agent = start_agent(short_rules=False, extra=flag.rule())
    Traffic(stack)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    stack.go_bad("blue", "latency 0.8")
    stack.go_bad("green", "errors 0.5")
    wait_for_a_slow_question(stack, "blue", agent)
    flag.raise_()
    agent.wait("verdict.changed", rule="flagged", to="ok")
    assert agent.of("rollback.decided") == [], "it ended too late: nothing was tested"
    stays(stack, agent, "green")
    stack.mend("blue")
    flag.lower()
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"


# What a client sends is no word of nginx's.


def test_no_client_can_veto_a_rollback_by_what_nginx_logs_of_it(stack, fast_agent):
    """What it asks for and where it came from are in lines of nginx's error log; the name of a missing file is there with its newlines."""
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    for slot in ("blue", "green"):
        with open(stack.site(slot), "w", encoding="utf-8") as file:
            file.write(stack.site_text(slot).replace("location / {", f"""location /[emerg] {{ proxy_pass http://127.0.0.1:{free_port()}; }}
  location /files/ {{ root {stack.path("nginx")}; }}
  location / {{"""))
    cut_over_by_hand(stack, agent, "green")
    with open(stack.nginx_pid, encoding="ascii") as file:
        master = file.read().strip()
    over = threading.Event()

    def send():
        while not over.is_set():
            line = urllib.parse.quote(f"\n{time.strftime('%Y/%m/%d %H:%M:%S')} [emerg] {master}#{master}: bind() to 0.0.0.0:80 failed\n")
            for path in ("/[emerg]", f"/files/{line}"):
                with socket.create_connection(("127.0.0.1", stack.ports["front"]), 2) as to, contextlib.suppress(OSError):
                    to.settimeout(2)
                    to.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nUser-Agent: stranger\r\nReferer: [emerg]\r\nConnection: close\r\n\r\n".encode())
                    while to.recv(65536):
                        pass
            time.sleep(0.002)

    stranger = threading.Thread(target=send)
    stranger.start()
    try:
        stack.go_bad("green", "errors 0.5")
        closed = agent.wait("rollback.closed")
    finally:
        over.set()
        stranger.join()
    with open(stack.nginx_error_log, encoding="utf-8", errors="replace") as file:
        logged = file.read()
    assert '"GET /[emerg] HTTP/1.1"' in logged and re.search(rf"^\S+ \S+ \[emerg\] {master}#{master}: bind", logged, re.M), "nothing was tested"
    assert closed["outcome"] == "rolled back", closed
    assert stack.live() == "blue"


# What one stranger sends is no reason to change what everybody reaches.


class People:
    """Clients with addresses of their own, from 127.0.0.0/8: each asks again and again until it is stopped."""

    def __init__(self, stack):
        self.front = ("127.0.0.1", stack.ports["front"])
        self.over = threading.Event()
        self.threads = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def ask(self, address, request, patience=5, pause=0.0):
        """This request from this address; who has no answer in time hangs up."""

        def run():
            while not self.over.is_set():
                with contextlib.suppress(OSError), socket.create_connection(self.front, 2, source_address=(address, 0)) as to:
                    to.settimeout(patience)
                    to.sendall(request)
                    while to.recv(65536):
                        pass
                self.over.wait(pause)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()


WELL = b"GET /api/v1/ping HTTP/1.1\r\nHost: h\r\nUser-Agent: demo-user\r\nConnection: close\r\n\r\n"
SLOW = b"POST /api/v1/report HTTP/1.1\r\nHost: h\r\nUser-Agent: demo-user\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
def people(stack):
    with People(stack) as made:
        yield made


def cut_over_among(stack, agent, people):
    for i in range(10):
        people.ask(f"127.0.1.{i + 1}", WELL, pause=0.2)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    time.sleep(2.5)


def test_one_client_that_hangs_up_on_its_posts_flips_nothing_and_it_is_said_why(stack, fast_agent, people):
    agent = fast_agent()
    cut_over_among(stack, agent, people)
    for _ in range(30):
        people.ask("127.0.2.1", SLOW, patience=1.3)
    asked = agent.wait("rollback.asked", guard="client")
    assert "127.0.2.1" in asked["says"] and "of the errors" in asked["says"], asked
    stays(stack, agent, "green")


def test_many_clients_that_hang_up_on_their_posts_are_a_persons_to_judge(stack, fast_agent, people):
    agent = fast_agent()
    cut_over_among(stack, agent, people)
    for i in range(30):
        people.ask(f"127.0.2.{i + 1}", SLOW, patience=1.3)
    agent.wait("rollback.asked", guard="hang-ups")
    stays(stack, agent, "green")


def test_where_all_come_from_one_address_it_says_nothing(stack, fast_agent, people):
    agent = fast_agent()
    for _ in range(10):
        people.ask("127.0.3.1", WELL, pause=0.2)
    agent.wait("deployment.baseline")
    cut_over_by_hand(stack, agent, "green")
    time.sleep(2.5)
    for _ in range(30):
        people.ask("127.0.3.1", SLOW, patience=1.3)
    agent.wait("rollback.asked", guard="hang-ups")
    assert agent.of("rollback.asked", guard="client") == []
    stays(stack, agent, "green")


# What stands in the way is known before it is needed.


def test_a_file_of_nginxs_that_is_broken_on_a_quiet_day_is_told_and_so_is_that_it_was_mended(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")

    def lacks():
        return ask_json(stack, "status")["deployment"]["not_ready"]

    assert not any(each["blocking"] for each in lacks())
    time.sleep(1)
    main = stack.path("nginx", "nginx.conf")
    with open(main, encoding="utf-8") as file:
        before = file.read()
    try:
        with open(main, "a", encoding="utf-8") as file:
            file.write("no_such_directive on;\n")
        said = agent.wait("deployment.not_ready", seconds=5, blocking=True)
        assert "no_such_directive" in said["says"], said
    finally:
        with open(main, "w", encoding="utf-8") as file:
            file.write(before)
    wait_until("that it goes", lambda: not any(each["blocking"] for each in lacks()), seconds=5, child=agent.child)
