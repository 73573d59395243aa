"""What an operator asks of the running agent."""

import json
import os
import signal
import socket
import stat
import subprocess

import pytest

from conftest import BINARY, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break, nginx_is_whole


def ask(stack, *words):
    done = subprocess.run([BINARY, *words, "--socket", stack.path("flipback.sock")], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def typed(stack):
    """How the agent says to reach it."""
    return f"flipback --socket {stack.path('flipback.sock')}"


def ask_json(stack, *words):
    status, printed, complaints = ask(stack, *words, "--json")
    assert status == 0, complaints
    return json.loads(printed)


def test_a_vulnerable_release_is_rolled_back_on_an_operators_word_in_any_mode(stack, fast_agent):
    agent = fast_agent("observe")
    traffic = Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    status, printed, complaints = ask(stack, "rollback", "--reason", "CVE-2026-1: tokens leak")
    assert status == 0, complaints
    assert "blue" in printed and "is live, proven in" in printed
    decided = agent.wait("rollback.decided")
    assert decided["rule"] == "security" and decided["why"] == "CVE-2026-1: tokens leak" and f"(uid {os.getuid()})" in decided["by"]
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert stack.live() == "blue" and nginx_is_whole(stack) == (stack.site_text("blue"), [])
    assert traffic.stop().broken("fresh") == []
    assert ask_json(stack, "status")["deployment"]["latched"] is True
    status, _, complaints = ask(stack, "rollback", "--reason", "again")
    assert status == 1 and complaints == "the switch names blue already, and users reach it; --force does it all the same\n"
    assert len(agent.of("rollback.decided")) == 1


def test_an_operator_is_refused_a_sick_slot_unless_by_force(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    status, _, complaints = ask(stack, "rollback", "--reason", "too early")
    assert status == 1 and "no cutover has been seen" in complaints
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("blue", "sick")
    wait_until("blue's illness", lambda: agent.of("verdict.changed", rule="down:blue", to="pending"))
    status, _, complaints = ask(stack, "rollback", "--reason", "all is lost")
    assert status == 1 and complaints.startswith("blue is sick (") and complaints.endswith(f"; `{typed(stack)} rollback --force --reason TEXT` does it all the same\n")
    assert stack.live() == "green" and not agent.of("rollback.decided")
    ask(stack, "rollback", "--reason", "all is lost", "--force")
    assert agent.wait("rollback.decided")["why"] == "all is lost"


BOTH = """
[[rules]]
name = "both"
when = "traffic.error_rate over 2s > 5% and traffic.error_rate over 3s > 5%"
then = "rollback"
"""


def test_explain_shows_what_a_verdict_rests_on(stack, fast_agent):
    agent = fast_agent("observe", BOTH)
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="breached")
    agent.wait("verdict.changed", rule="both", to="breached")
    agent.wait("rollback.withheld", rule="both", guard="mode")
    status, printed, _ = ask(stack, "explain", "both")
    lines = printed.splitlines()
    assert lines.pop(1).startswith("withheld: mode is observe: nothing is changed"), printed
    assert status == 0 and lines[0].startswith("both: breached, true since 20") and lines[0].endswith("; then rollback")
    assert lines[1].split() == ["when", "and", "true"]
    assert lines[2].split()[-1] == "true" and "traffic.error_rate over 2s > 5%" in lines[2]
    assert " of " in lines[3] and "newest sample" in lines[3]
    found = ask_json(stack, "explain", "both")
    assert found["in_the_way"].startswith("withheld: mode is observe")
    assert [row["text"] for row in found["when"]][:2] == ["and", "traffic.error_rate over 2s > 5%"]
    assert ask(stack, "explain", "eror-rate")[::2] == (2, f"found no rule eror-rate; did you mean error-rate? `{typed(stack)} rules` lists all\n")
    assert ask(stack, "explain", "vector-search")[2] == "vector-search is off: no probe gives qdrant.search_seconds\n"
    rules = {rule["rule"]: rule for rule in ask_json(stack, "rules")["rules"]}
    assert rules["error-rate"]["verdict"] == "breached" and rules["outage"]["verdict"] == "off"
    status, printed, _ = ask(stack, "status")
    assert "live      green with" in printed and "breached  error-rate" in printed and "mode      observe" in printed
    assert "withheld  both: mode is observe" in printed


def test_the_socket_is_its_agents_alone_and_garbage_harms_nothing(stack, fast_agent):
    path = stack.path("flipback.sock")
    agent = fast_agent()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    other = stack.write_configuration(f'[agent]\nlisten = ""\nsocket = "{path}"\n[probes.a]\ntype = "tcp"\naddress = "127.0.0.1:9"\n', "second.toml")
    second = subprocess.run([BINARY, "--config", other], capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 2 and f"can't listen on {path}: another agent does" in second.stderr
    for garbage in (b"\n", b"[]\n", b'{"verb": 1}\n', b'{"verb": "dance"}\n', b"\xff" * 100_000, b"half a line"):
        with socket.socket(socket.AF_UNIX) as to:
            to.connect(path)
            to.settimeout(15)
            try:
                to.sendall(garbage)
                to.shutdown(socket.SHUT_WR)
                answer = to.recv(65536)
            except (ConnectionResetError, BrokenPipeError):  # more than is read
                answer = b""
        assert answer == b"" or json.loads(answer)["done"] is False
    assert ask(stack, "status")[0] == 0
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    assert ask(stack, "status")[0] == 0
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    status, _, complaints = ask(stack, "status")
    assert status == 2 and complaints == f"flipback: no agent listens on {path}: Connection refused\n"
    fast_agent()  # what a killed agent left is no obstacle
    wait_until("the next agent", lambda: ask(stack, "status")[0] == 0)


def test_a_place_where_no_socket_can_be_is_an_error_at_the_start(tmp_path):
    file = tmp_path / "flipback.toml"
    for path, says in ((f"{tmp_path}/nowhere/s", f"can't listen on {tmp_path}/nowhere/s: No such file or directory"),
                       ("/tmp/" + "x" * 120, "of 125 bytes; expected at most 107")):
        file.write_text(f'[agent]\nlisten = ""\nsocket = "{path}"\n[probes.a]\ntype = "tcp"\naddress = "127.0.0.1:9"\n')
        done = subprocess.run([BINARY, "--config", str(file)], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2 and says in done.stderr


def test_while_an_operator_holds_nothing_acts_across_a_restart_and_the_latch_opens_by_word(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    assert ask(stack, "hold", "--for", "1h", "--reason", "a drill")[0] == 0
    cut_over_and_break(stack, agent)
    blocked = agent.wait("rollback.blocked", guard="hold")
    assert "held by " in blocked["says"] and f"UTC: a drill; `{typed(stack)} unhold`" in blocked["says"]
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    agent = fast_agent()
    wait_until("the next agent", lambda: ask(stack, "status")[0] == 0)
    assert "a drill" in ask_json(stack, "status")["deployment"]["held"]
    assert stack.live() == "green"
    assert ask(stack, "unhold")[0] == 0 and ask(stack, "unhold")[2] == "nothing is held\n"
    wait_until("the rollback", lambda: agent.of("rollback.closed"), 40)
    assert stack.live() == "blue"
    assert ask(stack, "unlatch")[0] == 0 and ask(stack, "unlatch")[2].startswith("there is nothing to open: the latch is open")
    assert not ask_json(stack, "status")["deployment"]["latched"]


def test_a_rule_may_hold_as_one_on_a_corrupt_database_does(stack, fast_agent):
    rule = '[[rules]]\nname = "corrupt"\nwhen = "live.up == 0"\nhold = true\n'
    agent = fast_agent(extra=rule)
    agent.wait("deployment.baseline")
    stack.go_bad("blue", "sick")
    held = agent.wait("rollback.held")
    assert held["by"] == "the rule corrupt" and "live.up is 0" in held["says"]
    assert ask_json(stack, "status")["deployment"]["held"].startswith("held by the rule corrupt until ")


def test_what_an_operator_gives_as_the_reason_forges_no_line_and_obeys_no_terminal(stack, fast_agent):
    agent = fast_agent("observe")
    reason = "x\x1b[2J\n2026-11-29T05:00:00.000Z critical rollback.closed: a line of nobody \u202e\u009b2J"
    assert ask(stack, "hold", "--for", "1h", "--reason", reason)[0] == 0
    shown = "x\\x1b[2J\\n2026-11-29T05:00:00.000Z critical rollback.closed: a line of nobody \\u202e\\u009b2J"
    [line] = [line for line in ask(stack, "status")[1].splitlines() if line.startswith("hold ")]
    assert line.endswith(shown)
    assert ask_json(stack, "status")["deployment"]["held"].endswith(reason)
    assert agent.wait("rollback.held")["says"].endswith(reason)


def test_a_reason_must_say_something_and_no_more_than_can_be_told_again_whatever_its_bytes(stack, fast_agent):
    fast_agent("observe")
    for verb in (("hold", "--for", "1h"), ("rollback", "--force")):
        for blank in ("", " \t"):
            assert ask(stack, *verb, "--reason", blank) == (2, "", "flipback: found no word in --reason, expected why: it is recorded, with your name\n")
        assert ask(stack, *verb, "--reason", "x" * 100_000)[::2] == (2, "flipback: found --reason of 100000 bytes, expected at most 4096\n")
    assert "held" in ask_json(stack, "status")["deployment"] and not ask_json(stack, "status")["deployment"]["held"]
    assert ask(stack, "hold", "--for", "1h", "--reason", b"f\xfcr die Migration")[0] == 0
    assert ask_json(stack, "status")["deployment"]["held"].endswith(": f\ufffdr die Migration")


@pytest.mark.parametrize(("words", "says"), [
    (("hold", "--reason", "x", "--for", "soon"), 'found --for "soon", expected a duration such as 30m or 2h, to 7d'),
    (("hold", "--reason", "x", "--for", "0s"), 'found --for "0s", expected more than that, such as 30m'),
    (("hold", "--reason", "x", "--for", "8d"), 'found --for "8d", expected at most 7d: type `flipback'),
    (("window", "open", "--stable", "blu"), 'found --stable "blu", which is no slot, expected blue or green'),
    (("explain", "eror-rate"), "found no rule eror-rate; did you mean error-rate? `flipback"),
    (("approve", "eror-rate"), "found no rule eror-rate; did you mean error-rate? `flipback"),
    (("hold", "--for", "2h"), "hold: --reason is required; `flipback hold --help` says what is expected"),
    (("window", "open", "blue"), "window open: The following argument was not expected: blue; `flipback window open --help`"),
    (("approve", "a", "b"), "approve: The following argument was not expected: b; `flipback approve --help`"),
])
def test_a_word_that_can_not_be_meant_is_exit_status_2_and_what_is_expected(stack, fast_agent, words, says):
    fast_agent("observe")
    status, printed, complaints = ask(stack, *words)
    assert (status, printed) == (2, "") and says in complaints, complaints
    assert len(complaints.splitlines()) == 1


@pytest.mark.parametrize(("words", "says"), [
    (("--check", "status"), "found --check beside status, expected one of the two"),
    (("status", "--check"), "found --check beside status, expected one of the two"),
    (("--check", "validate", "FILE"), "found --check beside validate, expected one of the two"),
    (("--check", "version"), "found --check beside version, expected one of the two"),
    (("--only", "api"), "found --only without --check, which alone takes it: type `flipback --check --only"),
    (("--skip", "api", "status"), "found --skip without --check, which alone takes it"),
    (("--slot", "green"), "found --slot without --check, which alone takes it: type `flipback --check --slot"),
    (("--wait", "2m"), "found --wait without --check"),
    (("--format", "json"), "found --format without --check"),
    (("--env-file", ".env"), "found --env-file without --check or validate, which alone take it"),
    (("--env-file", ".env", "status"), "found --env-file without --check or validate, which alone take it"),
    (("--config", "FILE", "validate", "FILE"), "found two configurations, FILE and FILE, expected one"),
    (("--config", "FILE", "replay", "FILE"), "found --config beside replay, which reads none: --rules names"),
    (("--config", "FILE", "version"), "found --config beside version, which reads none"),
])
def test_options_that_mean_nothing_beside_each_other_are_refused(tmp_path, words, says):
    file = str(tmp_path / "flipback.toml")
    (tmp_path / "flipback.toml").write_text('[probes.a]\ntype = "tcp"\naddress = "127.0.0.1:9"\n')
    done = subprocess.run([BINARY, *(file if word == "FILE" else word for word in words)], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (2, "") and f"flipback: {says.replace('FILE and FILE', f'{file} and {file}')}" in done.stderr, done.stderr


def test_the_socket_is_named_before_the_verb_after_it_or_between_its_words(tmp_path):
    nowhere = ["--socket", str(tmp_path / "s")]
    for words in ([*nowhere, "status"], ["status", *nowhere], [*nowhere, "window", "open"], ["window", *nowhere, "open"], ["window", "open", *nowhere],
                  ["window", *nowhere, "close"], ["explain", *nowhere, "down"]):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (2, f"flipback: no agent listens on {tmp_path}/s: No such file or directory\n"), words
    for words in (nowhere, [*nowhere, "validate"]):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2 and "--socket without a verb" in done.stderr


def test_a_socket_that_somebody_removes_is_found_again_and_told(stack, fast_agent):
    agent = fast_agent("observe")
    path = stack.path("flipback.sock")
    os.unlink(path)
    assert agent.wait("agent.socket_made_again")["says"] == f"{path} was removed, and is made again"
    assert ask(stack, "status")[0] == 0
