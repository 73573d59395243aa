"""People are told of what happens: once, in one letter a transition, whatever becomes of the agent, and of the place where they are told.

The place is a stand-in for a webhook's receiver, an HTTP server of whoever is told: it writes down what it is sent and answers as it is told to.
"""

import http.server
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from conftest import Agent, Traffic
from processes import free_port, wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask, ask_json


class Receiver:
    """Answers each POST with the next of `answers`, and with 200 past their end: a status, (status, headers), or "hang"."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.got = []  # (answered with, id, the letter)
        self.hung = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                letter = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                receiver.got.append((status, self.headers["Idempotency-Key"], letter))
                if status == "hang":
                    receiver.hung.wait(120)
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook/T0P-S3CRET-PATH"

    def letters(self, subject=None):
        return [letter for status, _, letter in self.got if status == 200 and subject in (None, letter["subject"])]

    def close(self):
        self.hung.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = []

    def start(*answers):
        made.append(Receiver(*answers))
        return made[-1]

    yield start
    for one in made:
        one.close()


def target(to, **keys):
    more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in keys.items())
    return f'\n[targets.oncall]\ntype = "webhook"\nurl = "{to.url}"\n{more}'


def of_incident(to):
    return to.letters("incident")


def test_a_rollback_is_told_with_its_number_its_deed_its_proof_and_what_to_type(stack, fast_agent, receiver):
    to = receiver()
    agent = fast_agent(extra=target(to))
    Traffic(stack)
    cut_over_and_break(stack, agent)
    ended = agent.wait("incident.ended", 60)
    wait_until("its end to be told", lambda: any(letter["stage"] == "ended" for letter in of_incident(to)))
    time.sleep(3)
    told = of_incident(to)
    assert len(told) <= 2, told  # the breach and its end; or both in one
    last = told[-1]
    assert last["matter"] == ended["incident"] and last["stage"] == "ended"
    assert "error-rate" in last["title"] and "rolled back" in last["title"] and "the limit is" in last["title"]
    assert "blue with v1.0.0 is live, proven in" in last["stands"]
    assert "flipback" in last["type"] and "status`" in last["type"]
    assert last["live"] == "blue" and len(last["news"]) >= 5
    cutovers = to.letters("cutover")
    assert [(letter["live"], letter["by_flipback"]) for letter in cutovers] == [("green", False), ("blue", True)]
    assert len({identity for _, identity, _ in to.got}) == len(to.got)
    shown = ask(stack, "notifications")[1]
    print(shown)
    assert shown.startswith("ok        oncall (webhook, level 1), last ") and "delivered" in shown
    assert "oncall" in ask_json(stack, "incidents", "last")["told"]
    assert to.url not in shown and "T0P-S3CRET-PATH" not in json.dumps(agent.update()) + shown
    assert "untold" not in ask(stack, "status")[1]
    assert stat.S_IMODE(os.stat(stack.path("flipback.outbox.db")).st_mode) == 0o600


def test_killed_between_decision_and_delivery_it_is_told_once(stack, fast_agent, receiver):
    to = receiver("hang")
    agent = fast_agent("observe", extra=target(to, about=["incidents"]))
    Traffic(stack)
    cut_over_and_break(stack, agent)
    wait_until("it to be under way", lambda: to.got, 60)
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    before = to.got[0][1]
    Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    wait_until("it to be told", lambda: of_incident(to), 30)
    time.sleep(5)
    delivered = [identity for status, identity, _ in to.got if status == 200]
    assert delivered[0] == before and len(set(delivered)) == len(delivered)
    assert [letter["stage"] for letter in of_incident(to)].count("begun") == 1
    stack.mend("green")


def test_killed_before_the_first_attempt_it_is_told_once(stack, fast_agent, receiver):
    to = receiver()
    agent = fast_agent("observe", extra=target(to, about=["incidents"]))
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="breached", seconds=60)
    agent.child.signal(signal.SIGKILL)  # within the second in which what follows is gathered
    agent.child.process.wait()
    Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    wait_until("it to be told", lambda: of_incident(to), 30)
    time.sleep(4)
    assert [letter["stage"] for letter in of_incident(to)].count("begun") == 1
    stack.mend("green")


@pytest.mark.parametrize("answers", [(500, 503), ((429, {"Retry-After": "3"}),), ("hang",)], ids=["500", "429", "hangs"])
def test_a_place_that_fails_is_told_in_the_end_and_once(stack, fast_agent, receiver, answers):
    to = receiver(*answers)
    agent = fast_agent("observe", extra=target(to, about=["cutovers"]))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    failed = agent.wait("notify.failed", 60)
    assert failed["target"] == "oncall" and "T0P-S3CRET-PATH" not in failed["says"]
    assert "untold" in ask(stack, "status")[1] and "oncall (webhook) can't be told" in ask_json(stack, "status")["untold"]
    began = time.monotonic()
    agent.wait("notify.mended", 60)
    if answers[0] == (429, {"Retry-After": "3"}):
        assert 1 < time.monotonic() - began < 5  # as it said, and not after 5 s
    wait_until("it to be told", lambda: to.letters("cutover"))
    time.sleep(6)
    assert len(to.letters("cutover")) == 1 and len(to.got) == len(answers) + 1
    assert "untold" not in ask(stack, "status")[1]


def test_a_place_that_refuses_is_said_and_the_letter_is_given_up(stack, fast_agent, receiver):
    to = receiver(404)
    agent = fast_agent("observe", extra=target(to, about=["cutovers"]))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    given_up = agent.wait("notify.given_up", 60)
    assert "404" in given_up["says"] and "users now reach green" in given_up["says"]
    assert "given up  oncall" in ask(stack, "notifications")[1]


def test_nobody_to_tell_is_said_aloud(stack, fast_agent):
    fast_agent()
    assert "untold    nobody is told: there is no [targets.NAME] in the configuration" in ask(stack, "status")[1]
    assert "nobody is told" in ask_json(stack, "status")["untold"]
    assert ask(stack, "notifications")[1].startswith("nobody is told")
    status, _, complaint = ask(stack, "notify", "test")
    assert status == 1 and "nobody is told" in complaint


def test_a_trial_says_what_became_of_it(stack, fast_agent, receiver):
    well, ill = receiver(), receiver(401)
    agent = fast_agent(extra=target(well) + f'\n[targets.other]\ntype = "webhook"\nurl = "{ill.url}"\n')
    agent.wait("deployment.baseline")
    status, shown, complaints = ask(stack, "notify", "test")
    assert status == 1 and "delivered oncall (webhook)" in complaints and "failed    other (webhook): " in complaints and "401" in complaints
    assert well.letters("trial") and not shown
    status, shown, _ = ask(stack, "notify", "test", "oncall")
    assert status == 0 and shown == "delivered oncall (webhook)\n"
    status, _, complaint = ask(stack, "notify", "test", "oncal")
    assert status == 2 and "did you mean oncall?" in complaint


def test_an_acknowledgement_is_told_and_recorded(stack, fast_agent, receiver):
    to = receiver()
    agent = fast_agent("observe", extra=target(to))
    status, _, complaint = ask(stack, "ack", "--reason", "I look")
    assert status == 1 and "nothing to acknowledge" in complaint
    Traffic(stack)
    cut_over_and_break(stack, agent)
    wait_until("it to be told", lambda: of_incident(to), 60)
    status, _, complaint = ask(stack, "ack", "--reason", " ")
    assert status == 2 and "--reason" in complaint
    status, said, _ = ask(stack, "ack", "--reason", "I look at it")
    assert status == 0 and said.startswith("incident ")
    wait_until("that to be told", lambda: "I look at it" in of_incident(to)[-1]["acknowledged"])
    assert "I look at it" in ask(stack, "incidents", "last")[1] and "I look at it" in ask(stack, "log")[1]
    assert ask(stack, "ack", "--reason", "once more")[0] == 1
    stack.mend("green")


def test_a_reload_takes_other_targets(stack, fast_agent, receiver):
    first, second = receiver(*["hang"] * 9), receiver()
    agent = fast_agent("observe", extra=target(first, about=["cutovers"]))
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    wait_until("it to be under way", lambda: first.got)
    path = stack.path("flipback.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(first.url, second.url))
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    wait_until("it to be told there", lambda: second.letters("cutover"), 4)
    assert agent.of("notify.failed") == []  # what was cut off by the reload says nothing of a target
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace('type = "webhook"', 'type = "webhok"'))
    agent.child.signal(signal.SIGHUP)
    assert 'did you mean \\"webhook\\"?' in json.dumps(agent.wait("config.rejected")["says"])


def test_a_disk_that_takes_nothing_holds_no_letter_up(stack, fast_agent, receiver):
    to = receiver()
    agent = fast_agent("observe", extra=target(to, about=["cutovers"]))
    agent.wait("deployment.baseline")
    file = stack.path("flipback.outbox.db")
    wait_until("the outbox to be there", lambda: os.path.exists(file))
    os.remove(file)
    os.mkdir(file)  # nothing can be written there, by root either
    stack.cut_over("green")
    wait_until("it to be told", lambda: to.letters("cutover"))
    assert "does not outlast a restart" in agent.wait("notify.unsaved")["says"]
    os.rmdir(file)
    wait_until("it to be written after all", lambda: os.path.isfile(file) and subprocess.run(
        ["grep", "-c", "delivered", file], capture_output=True, check=False).stdout.strip() not in (b"", b"0"), 20)


def test_without_a_deployment_a_restart_goes_on_with_the_alerts_that_it_told(stack, receiver, tmp_path):
    to = receiver()
    port = free_port()
    path = tmp_path / "watching.toml"
    path.write_text(f"""
[agent]
listen = ""
state = "{tmp_path}/flipback.db"
socket = "{tmp_path}/s"
log_format = "json"

[probes.dead]
type = "tcp"
address = "127.0.0.1:{port}"
every = "1s"

[[rules]]
name = "dead"
when = "dead.up == 0"
then = "alert"
severity = "critical"
{target(to, about=["alerts"])}""")
    agent = Agent(stack, str(path), "watching").ready()
    wait_until("it to be told", lambda: to.letters("alerts"), 30)
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    Agent(stack, str(path), "watching-again").ready()
    with socket.create_server(("127.0.0.1", port), backlog=200):
        wait_until("its end", lambda: to.letters("alerts")[-1]["stage"] == "ended", 60)
    assert len({letter["matter"] for letter in to.letters("alerts")}) == 1
    # One that was answered as the agent died, before it could write so, comes again under the identity that it had.
    stages = list({identity: letter["stage"] for status, identity, letter in to.got if status == 200 and letter["subject"] == "alerts"}.values())
    assert stages[0] == "begun" and stages.count("begun") == stages.count("ended") == 1
