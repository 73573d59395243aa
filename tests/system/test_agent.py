"""The agent as a service and as a command."""

import json
import os
import signal
import subprocess
import time

from conftest import BINARY, Agent, get, metrics
from processes import free_port, wait_until
from test_verbs import ask, ask_json


def run(*arguments, env=None, timeout=30):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=timeout, check=False, env=env)


def check(stack, text, *arguments):
    path = stack.write_configuration(text, "flipback-check.toml")
    return run("--check", "--config", path, *arguments)


def http(name, url, more=""):
    return f'[probes.{name}]\ntype = "http"\nurl = "{url}"\n{more}\n'


def test_check_passes_with_one_line_a_probe_in_the_files_order(stack):
    text = http("zebra", stack.slot_url("green") + "/health", 'expect = { status = 200, "/status" = "healthy" }') + http("api", stack.slot_url("blue") + "/health")
    done = check(stack, text)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["✓", "zebra"], ["✓", "api"]]
    assert lines[2].startswith("2 passed, 0 failed, 0 unknown in ")


def test_check_says_what_fails_and_exits_1(stack):
    stack.go_bad("blue", "sick")
    done = check(stack, http("api", stack.slot_url("blue") + "/health"))
    assert done.returncode == 1
    assert "✗ api" in done.stdout and "503" in done.stdout


def test_check_exits_3_where_nothing_fails_but_something_is_unknown(stack):
    import socket
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        text = f'[agent]\nname_servers = ["127.0.0.1:{deaf.getsockname()[1]}"]\n' + http("named", "http://service.test/", 'timeout = "300ms"')
        done = check(stack, text)
    assert done.returncode == 3, done.stdout
    assert "? named" in done.stdout


def test_check_exits_2_on_a_bad_configuration_and_names_the_place(stack):
    done = check(stack, '[probes.api]\ntype = "http"\nurl = "http://127.0.0.1/"\nevry = "1s"\n')
    assert done.returncode == 2
    assert 'flipback-check.toml:4:1: probes.api.evry: is unknown here; did you mean "every"?' in done.stderr
    assert done.stdout == ""


def test_check_as_json_is_one_document(stack):
    done = check(stack, http("api", stack.slot_url("blue") + "/health", 'identity = "/version"') + http("gone", f"http://127.0.0.1:{free_port()}/"), "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["passed"], found["failed"], found["unknown"]) == (1, 1, 0)
    assert [p["name"] for p in found["probes"]] == ["api", "gone"]
    assert found["probes"][1]["reason"] == "refused"
    assert "v1.0.0" in found["probes"][0]["says"]


def test_check_selects_by_name_and_refuses_what_selects_nothing(stack):
    text = http("api", stack.slot_url("blue") + "/health") + http("gone", f"http://127.0.0.1:{free_port()}/", 'tags = ["external"]')
    assert check(stack, text, "--only", "api").returncode == 0
    assert check(stack, text, "--skip", "external").returncode == 0
    wrong = check(stack, text, "--only", "apo")
    assert wrong.returncode == 2 and "did you mean api" in wrong.stderr


def test_check_is_complete_though_a_probe_hangs_and_ctrl_c_comes(stack):
    stack.slots["green"].signal(signal.SIGSTOP)
    path = stack.write_configuration(http("api", stack.slot_url("blue") + "/health") + http("hung", stack.slot_url("green") + "/health", 'every = "60s"\ntimeout = "50s"'), "flipback-check.toml")
    process = subprocess.Popen([BINARY, "--check", "--format", "json", "--config", path], stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=5)
    stack.slots["green"].signal(signal.SIGCONT)
    found = json.loads(out)
    assert [p["outcome"] for p in found["probes"]] == ["pass", "unknown"]
    assert process.returncode == 3


def test_validate_reports_every_error_at_once(stack):
    path = stack.write_configuration('[agent]\nlisten = "nowhere"\n[probes.a]\ntype = "htp"\n', "flipback-bad.toml")
    done = run("validate", path)
    assert done.returncode == 2
    assert ":2:" in done.stderr and ":4:" in done.stderr and "http" in done.stderr


def test_a_wrong_command_line_exits_2_and_help_exits_0():
    assert run("--no-such-option").returncode == 2
    assert run("-h").returncode == 0
    assert run("version").stdout.startswith("flipback ")


def test_the_runbooks_variables_are_enough(stack):
    env = {"PATH": os.environ["PATH"], "API_URL": stack.slot_url("blue"), "REDIS_URL": f"redis://127.0.0.1:{stack.ports['redis']}", "REDIS_PASSWORD": "secret",
           "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(stack.ports["postgres"]), "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "secret",
           "POSTGRES_DB": "postgres"}
    done = run("--check", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[:4]] == ["postgres", "redis", "api", "api-detailed"]
    nothing = run("--check", env={"PATH": os.environ["PATH"]})
    assert nothing.returncode == 2 and "POSTGRES_HOST" in nothing.stderr


def test_a_wrong_password_is_unauthorised_backs_off_and_is_shown_nowhere(stack, start_agent):
    path = stack.write_configuration(stack.configuration().replace('password = "secret"', 'password = "hunter2-wrong"'))
    agent = Agent(stack, path).ready()
    assert agent.wait("probe.changed", probe="redis")["reason"] == "unauthorised"
    assert agent.wait("probe.changed", probe="postgres")["reason"] == "unauthorised"
    page = get(stack.agent_url + "/metrics")[2] + get(stack.agent_url + "/healthz")[2]
    assert "hunter2" not in page + agent.child.output()
    checked = run("--check", "--format", "json", "--config", path)
    assert "hunter2" not in checked.stdout + checked.stderr


def test_metrics_and_health_are_served_on_loopback(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    wait_until("a probe's metric", lambda: metrics(stack.agent_url).get(("flipback_probe_up", 'probe="api"')) == 1)
    wait_until("the live slot", lambda: metrics(stack.agent_url).get(("flipback_deployment_live", 'slot="blue"')) == 1)
    status, headers, body = get(stack.agent_url + "/healthz")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert json.loads(body)["deployment"]["live"] == "blue"
    assert get(stack.agent_url + "/nope")[0] == 404


def test_garbage_on_its_port_harms_nobody(stack, fast_agent):
    import socket
    fast_agent()
    for garbage in (b"\x00\xff" * 1000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000 + b"\r\n", b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", stack.ports["agent"])) as connection:
            connection.settimeout(3)
            try:
                connection.sendall(garbage)
                connection.recv(1000)
            except OSError:
                pass
    assert get(stack.agent_url + "/healthz")[0] == 200


def test_a_bad_file_on_reload_keeps_the_old_configuration(stack, fast_agent):
    agent = fast_agent()
    path = stack.path("flipback.toml")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    stack.write_configuration(good + "\n[nonsense]\n")
    agent.child.signal(signal.SIGHUP)
    assert "nonsense" in agent.wait("config.rejected")["says"]
    assert get(stack.agent_url + "/healthz")[0] == 200
    assert any(line.startswith("config    refused at ") and "nonsense" in line for line in ask(stack, "status")[1].splitlines())
    stack.write_configuration("")
    agent.child.signal(signal.SIGHUP)
    wait_until("the empty file to be refused", lambda: any("nothing would be watched" in event["says"] for event in agent.of("config.rejected")), child=agent.child)
    stack.write_configuration(good + http("another", stack.slot_url("blue") + "/health"))
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    wait_until("the new probe", lambda: ("flipback_probe_up", 'probe="another"') in metrics(stack.agent_url))
    assert ask_json(stack, "status")["rejected"] == ""


def test_term_ends_it_within_two_seconds_though_everything_hangs(stack, fast_agent):
    agent = fast_agent()
    for child in (stack.postgres, stack.redis, stack.slots["green"]):
        child.signal(signal.SIGSTOP)
    time.sleep(1.2)
    began = time.monotonic()
    agent.child.signal(signal.SIGTERM)
    assert agent.child.process.wait(5) == 0
    assert time.monotonic() - began < 2
    for child in (stack.postgres, stack.redis, stack.slots["green"]):
        child.signal(signal.SIGCONT)


def test_systemd_is_told_ready_and_stopping(stack):
    import socket
    path = stack.path("flipback-notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        told.settimeout(5)
        configuration = stack.write_configuration('[agent]\nlisten = ""\n' + http("api", stack.slot_url("blue") + "/health"), "flipback-notify.toml")
        process = subprocess.Popen([BINARY, "--config", configuration], env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="400000"), stderr=subprocess.DEVNULL)
        messages = [told.recv(1000).decode() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        told.settimeout(0.2)
        try:
            while True:
                messages.append(told.recv(1000).decode())
        except TimeoutError:
            pass
    assert any(m.startswith("READY=1") for m in messages)
    assert "WATCHDOG=1" in messages
    assert messages[-1].startswith("STOPPING=1")


def test_a_second_agent_on_the_same_state_refuses(stack, fast_agent):
    fast_agent()
    text = open(stack.path("flipback.toml"), encoding="utf-8").read().replace(f"127.0.0.1:{stack.ports['agent']}", f"127.0.0.1:{free_port()}")
    done = run("--config", stack.write_configuration(text, "flipback-second.toml"))
    assert done.returncode == 2 and "another agent is running" in done.stderr


def test_what_was_logged_before_the_start_is_caught_up_with(stack):
    from conftest import Traffic
    Traffic(stack)
    wait_until("three seconds of users", lambda: open(stack.access_log, encoding="utf-8").read().count("/ping") > 180)
    rule = '[[rules]]\nname = "past"\nwhen = "count(traffic.error_rate over 1m) > 100"\n'
    agent = Agent(stack, stack.write_configuration(stack.configuration(extra=rule))).ready()
    assert agent.wait("verdict.changed", seconds=5, rule="past", to="breached")["value"] > 150  # a second's own are 60
