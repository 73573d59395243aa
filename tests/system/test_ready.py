"""Whether a rollback could be carried out, said by the verbs that need no agent."""

import fcntl
import http.client
import json
import os
import re
import subprocess
import time

import pytest

from conftest import BINARY, Agent
from processes import free_port, wait_until
from test_rollback import nginx_is_whole
from test_verbs import ask_json


def run(*words):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def of_rollback(printed):
    return [line for line in printed.splitlines() if line.startswith("rollback:")]


def entry_of_rollback(path, *words):
    status, printed, complaints = run("--check", "--format", "json", "--config", path, "--only", "rollback", *words)
    entries = json.loads(printed)["probes"]
    assert [e["name"] for e in entries] == ["rollback"], complaints
    return status, entries[0]


def test_where_all_is_ready_validate_and_check_say_so_and_leave_no_trace(stack):
    path = stack.write_configuration(stack.configuration())
    before = {where: sorted(os.listdir(where)) for where in (stack.folder, os.path.dirname(stack.live_site))}
    whole = nginx_is_whole(stack)
    status, printed, _ = run("validate", path)
    assert status == 0 and of_rollback(printed) == ["rollback: ready"], printed
    status, entry = entry_of_rollback(path)
    assert (status, entry["outcome"], entry["says"]) == (0, "pass", "ready")
    assert {where: sorted(os.listdir(where)) for where in before} == before
    assert nginx_is_whole(stack) == whole


def test_what_is_in_the_way_is_said_with_what_to_type(stack):
    text = stack.configuration()
    path = stack.write_configuration(text.replace(stack.site("green"), stack.site("green") + "-lost"))
    status, printed, _ = run("validate", path)
    assert status == 0, "a configuration can be good where nginx is not at hand"
    assert any(line.startswith("rollback: not ready: ") and "make it, or name the right one" in line for line in of_rollback(printed)), printed
    status, entry = entry_of_rollback(path)
    assert (status, entry["outcome"]) == (1, "fail") and "make it, or name the right one" in entry["says"], entry


def test_the_line_is_the_last_and_can_be_skipped(stack):
    path = stack.write_configuration(stack.configuration())
    printed = run("--check", "--config", path)[1]
    assert printed.splitlines()[-2].startswith("✓ rollback"), printed
    assert "rollback" not in run("--check", "--config", path, "--skip", "rollback")[1]


def test_an_agent_that_runs_is_in_nobodys_way(stack, start_agent):
    agent = start_agent()
    agent.wait("deployment.baseline")
    path = stack.path("flipback.toml")
    assert of_rollback(run("validate", path)[1]) == ["rollback: ready"]
    assert entry_of_rollback(path)[1]["outcome"] == "pass"


def test_an_agent_that_came_second_acts_once_the_first_has_ended(stack, start_agent):
    folder, name = os.path.split(stack.live_site)
    with open(os.path.join(folder, f".{name}.flipback-lock"), "w", encoding="ascii") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        agent = start_agent()
        assert "another agent acts" in agent.wait("deployment.not_ready", blocking=True)["says"]
    os.utime(stack.site("green"))  # or within a minute
    wait_until("that nothing is in the way", lambda: not any(each["blocking"] for each in ask_json(stack, "status")["deployment"]["not_ready"]), seconds=5,
               child=agent.child)


def test_a_new_file_that_an_include_takes_in_is_looked_at_at_once(stack, start_agent):
    agent = start_agent()
    agent.wait("deployment.baseline")
    wait_until("ready", lambda: not ask_json(stack, "status")["deployment"]["not_ready"], seconds=5, child=agent.child)
    extra = os.path.join(os.path.dirname(stack.live_site), "zz-broken")
    with open(extra, "w", encoding="ascii") as file:
        file.write("no_such_directive on;\n")
    try:
        assert "no_such_directive" in agent.wait("deployment.not_ready", seconds=5, blocking=True)["says"]
    finally:
        os.unlink(extra)


def test_an_agent_that_only_observes_keeps_nobody_out(stack, start_agent):
    text = stack.configuration().replace('mode = "act"', 'mode = "observe"')
    for key, own in (("state", stack.path("observing.db")), ("socket", stack.path("observing.sock")), ("listen", "")):
        text = re.sub(rf'(?m)^{key} = ".*"$', f'{key} = "{own}"', text)
    path = stack.path("observing.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    observing = Agent(stack, path, "observing").ready()
    observing.wait("deployment.baseline")
    agent = start_agent()
    agent.wait("deployment.baseline")
    time.sleep(1)
    assert not agent.of("deployment.not_ready", blocking=True)
    status, _, complaints = run("rollback", "--force", "--reason", "it is bad", "--socket", stack.path("observing.sock"))
    assert status == 1 and "another agent acts" in complaints  # the one that acts does keep the other out


def test_a_front_door_on_a_port_where_nothing_listens_is_said_at_the_start(stack):
    text = re.sub(r'front_door = \{ url = "[^"]*"', f'front_door = {{ url = "http://127.0.0.1:{free_port()}/health"', stack.configuration())
    path = stack.write_configuration(text)
    printed = run("validate", path)[1]
    assert any(line.startswith("rollback: lacking: the front door http://127.0.0.1:") and "was refused" in line for line in of_rollback(printed)), printed
    agent = Agent(stack, path).ready()
    assert "does not answer" in agent.wait("deployment.not_ready", blocking=False)["says"]


def status_of(stack, path):
    """Without following a redirect."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports["front"], timeout=5)
    connection.request("GET", path)
    return connection.getresponse().status


FRONT_DOOR = r"(?m)^front_door = .*$"


@pytest.mark.parametrize(("location", "found"), [
    ("return 301 https://api.example.com$request_uri;", "answered 301, to https://api.example.com/door"),
    ("return 302 /login;", "answered 302, to "),
    ("deny all;", "answered 403"),
    ('auth_basic "x"; auth_basic_user_file /dev/null;', "answered 401"),
])
def test_a_front_door_that_nginx_answers_itself_is_said_at_the_start(stack, location, found):
    for slot in ("blue", "green"):
        text = stack.site_text(slot)
        with open(stack.site(slot), "w", encoding="utf-8") as file:
            file.write(text.replace("server {", "server { location = /door { " + location + " }", 1))
    stack.cut_over("blue")
    # The API, which the old workers still ask for a while, says 404 of it.
    wait_until("the new workers alone", lambda: all(status_of(stack, "/door") != 404 for _ in range(50)))
    text = re.sub(FRONT_DOOR, f'front_door = {{ url = "{stack.front_url}/door" }}', stack.configuration())
    path = stack.write_configuration(text)
    says = f"the front door {stack.front_url}/door {found}"
    [lacking] = of_rollback(run("validate", path)[1])[1:]
    assert lacking.startswith(f"rollback: lacking: {says}") and "set front_door url, and host, to what the API answers" in lacking, lacking
    status, entry = entry_of_rollback(path)
    assert status == 0 and says in entry["says"]
    assert says in Agent(stack, path).ready().wait("deployment.not_ready", blocking=False)["says"]


@pytest.mark.parametrize(("identity", "found"), [("header:X-Nothing", "no header X-Nothing"), ("/nothing", "no /nothing, but /status, /version")])
def test_an_identity_that_no_answer_has_is_said_at_the_start(stack, identity, found):
    text = re.sub(FRONT_DOOR, f'front_door = {{ url = "{stack.front_url}/health", identity = "{identity}" }}', stack.configuration())
    path = stack.write_configuration(text)
    says = f"without what front_door identity names: it has {found}"
    [lacking] = of_rollback(run("validate", path)[1])[1:]
    assert says in lacking and "set front_door identity to what the answer has" in lacking, lacking
    assert says in Agent(stack, path).ready().wait("deployment.not_ready", blocking=False)["says"]
