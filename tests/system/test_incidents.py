"""What happened, as a person reads it: incidents and the operations' log, with the agent and without."""

import json
import os
import signal
import stat
import subprocess
from xml.etree import ElementTree

from conftest import BINARY, Agent, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask, ask_json, typed


def without_agent(stack, *words):
    done = subprocess.run([BINARY, *words, "--config", stack.path("flipback.toml")], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_rollback_is_one_incident_that_says_all_of_it_also_when_the_agent_is_down(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed")
    ended = agent.wait("incident.ended", 60)
    began = agent.of("incident.began")[0]
    identity = began["incident"]
    assert ended["outcome"] == "rolled back" and closed["incident"] == identity
    assert all(event["incident"] == identity for event in agent.of("rollback.step"))
    assert "incident" not in agent.of("deployment.baseline")[0]
    status, shown, complaints = ask(stack, "incidents", "last")
    assert status == 0, complaints
    print(shown)
    lines = shown.splitlines()
    assert any(line.startswith("users") and "of" in line and "requests failed" in line and " UTC" in line for line in lines)
    assert len(lines) <= 26 and all(len(line) < 400 for line in lines)
    assert lines[0].startswith(f"incident  {identity}: rolled back, over after ")
    assert "blue with v1.0.0 is live, proven in" in lines[1]
    assert any(line.startswith("rule") and "error-rate" in line and "the limit is" in line for line in lines)
    assert sum("ms " in line and ":" in line for line in lines) >= 4
    assert f"`{typed(stack)} status`" in shown and f"`{typed(stack)} hold --for 2h --reason TEXT`" in shown and "--socket --socket" not in shown
    everything = ask_json(stack, "incidents", identity[:11])
    assert everything["incident"] == identity and everything["rule"] == "error-rate" and everything["outcome"] == "rolled back"
    assert [event["kind"] for event in everything["events"]][0] == "incident.began" and everything["events"][-1]["kind"] == "incident.ended"
    assert {"rollback.decided", "rollback.step", "rollback.closed"} <= {event["kind"] for event in everything["events"]}
    assert everything["next"]["type"] == f"{typed(stack)} status"
    listed = ask(stack, "incidents")[1]
    assert listed.startswith(f"{identity}  error-rate ") and "rolled back" in listed
    markdown = ask(stack, "incidents", identity, "--markdown")[1]
    assert markdown.startswith(f"# Incident {identity}\n") and markdown.count("\n| ") > 6
    assert everything["users_at_breach"]["errors"] > 0 and everything["users_at_breach"]["requests"] >= everything["users_at_breach"]["errors"]
    errors = everything["signals"]["error-rate"]
    assert errors["threshold"] == 0.05 and max(value or 0 for _, value in errors["points"]) > 0.05
    assert [at for at, _ in errors["points"]] == sorted({at for at, _ in errors["points"]})
    picture = ask(stack, "incidents", identity, "--svg")[1]
    drawn = ElementTree.fromstring(picture)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and identity in picture
    words = " ".join(text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text"))
    assert "error-rate" in words and "5%" in words and "breached" in words and "decided" in words and "rolled back" in words
    assert ask(stack, "incidents", "--svg")[0] == 2
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    status, shown_again, notes = without_agent(stack, "incidents", "last")
    assert status == 0 and shown_again == shown
    assert "note: " in notes and "flipback.history.db says" in notes
    assert json.loads(without_agent(stack, "incidents", "last", "--json")[1]) == everything


def test_two_minutes_later_it_is_told_whether_the_rollback_helped(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed")
    helped = agent.wait("deployment.helped", 150)
    assert helped["outcome"] == "helped" and helped["severity"] == "info" and helped["incident"] == closed["incident"]
    assert helped["errors_before"] > 0 and helped["errors_after"] == 0 and helped["requests_after"] > 100
    shown = ask(stack, "incidents", "last")[1]
    assert any(line.startswith("helped    the rollback helped: in the 2m after it 0% of ") for line in shown.splitlines()), shown
    assert helped["says"] in ask(stack, "log")[1]
    assert helped["says"] in ask(stack, "incidents", "last", "--markdown")[1]


def test_operations_are_a_line_each_in_a_file_and_in_a_verb(stack, fast_agent):
    agent = fast_agent("ask")
    agent.wait("deployment.baseline")
    assert ask(stack, "hold", "--for", "1h", "--reason", "a sale\nwith two lines")[0] == 0
    assert ask(stack, "unhold")[0] == 0
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    told = ask(stack, "log")[1]
    path = stack.path("flipback.ops.log")
    wait_until("the file to say so, too", lambda: open(path, encoding="utf-8").read() == told)
    kinds = [line.split()[2].rstrip(":") for line in told.splitlines()]
    assert ["agent.ready", "deployment.baseline", "rollback.held", "rollback.freed", "deployment.cutover"] == \
        [kind for kind in kinds if kind in ("agent.ready", "deployment.baseline", "rollback.held", "rollback.freed", "deployment.cutover")]
    assert "a sale\\nwith two lines" in told
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert [event["kind"] for event in ask_json(stack, "log")["operations"]] == kinds
    agent.child.stop()
    after = without_agent(stack, "log")[1].splitlines()
    assert after[:len(kinds)] == told.splitlines() and " agent.stopping: " in after[-1]


def test_an_incident_goes_on_across_a_kill(stack, fast_agent):
    agent = fast_agent("observe")
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="breached")
    identity = agent.of("incident.began")[0]["incident"]
    wait_until("it to be on disk", lambda: ask_json(stack, "incidents", "last")["breached"])
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    again = Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    again.wait("verdict.changed", rule="error-rate", to="breached")
    assert again.of("verdict.changed", rule="error-rate", to="breached")[0]["incident"] == identity and again.of("incident.began") == []
    stack.mend("green")
    assert again.wait("incident.ended", 60)["incident"] == identity
    shown = ask(stack, "incidents", "last")[1]
    assert "nothing was done" in shown, shown


def test_what_can_not_be_meant_is_said(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    assert ask(stack, "incidents") == (0, "no incident is on record\n", "")
    status, _, complaints = ask(stack, "incidents", "2026")
    assert status == 2 and complaints == "no incident is on record\n"
    status, _, complaints = ask(stack, "incidents", "last", "--json")
    assert status == 2 and "no incident is on record" in complaints


def test_a_disk_that_takes_nothing_holds_no_rollback_up_and_is_said(stack, fast_agent):
    os.mkdir(stack.path("flipback.history.db"))
    agent = fast_agent()
    assert "flipback.history.db" in agent.wait("history.failed")["says"]
    Traffic(stack)
    cut_over_and_break(stack, agent)
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    agent.wait("incident.ended", 60)
    identity = agent.of("incident.began")[0]["incident"]
    listed = ask(stack, "incidents")[1].splitlines()
    assert listed[0].startswith("not on record, and gone with the agent") and listed[1].startswith(identity), listed
    assert ask_json(stack, "incidents", "last")["incident"] == identity and "rolled back" in ask(stack, "log")[1]
    os.rmdir(stack.path("flipback.history.db"))
    agent.wait("history.kept")
    assert ask_json(stack, "incidents", "last")["outcome"] == "rolled back"


def test_a_configuration_that_is_broken_leads_to_no_other_agent_and_no_file_is_no_record(stack, tmp_path):
    broken = tmp_path / "broken.toml"
    for text in ("nonsense", "[agent]\nsocket = 7\n"):
        broken.write_text(text)
        for words in (("status",), ("rollback", "--reason", "x"), ("incidents",)):
            done = subprocess.run([BINARY, *words, "--config", broken], capture_output=True, text=True, timeout=20, check=False)
            assert done.returncode == 2 and "which agent is meant can't be told" in done.stderr, done
    broken.write_text(f'[agent]\nsocket = "{tmp_path}/none"\nstate = "{tmp_path}/flipback.db"\n')
    done = subprocess.run([BINARY, "incidents", "--config", broken], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and f"there is no {tmp_path}/flipback.history.db" in done.stderr and done.stdout == ""
    os.mkfifo(tmp_path / "flipback.history.db")
    done = subprocess.run([BINARY, "incidents", "--config", broken], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "is no regular file" in done.stderr


def test_what_is_not_on_record_is_said_in_status_and_beside_what_is(stack, fast_agent):
    os.mkfifo(stack.path("flipback.history.db"))
    agent = fast_agent("observe")
    agent.wait("history.failed")
    assert "is no regular file" in ask(stack, "status")[1]
    assert ask(stack, "hold", "--for", "1h", "--reason", "a sale")[0] == 0
    wait_until("the text file, which waits for nobody", lambda: "rollback.held" in open(stack.path("flipback.ops.log"), encoding="utf-8").read())
    os.unlink(stack.path("flipback.history.db"))
    agent.wait("history.kept")
    assert "rollback.held" in ask(stack, "log")[1]
    with open(stack.path("flipback.history.db"), "wb") as file:
        file.write(b"x" * 20000)
    assert ask(stack, "unhold")[0] == 0
    assert "it is kept as" in agent.wait("history.lost")["says"]


def test_what_can_not_be_written_was_not_done(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    for words in (("status",), ("log",), ("rules",)):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([BINARY, *words, "--socket", stack.path("flipback.sock")], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        assert done.returncode == 2 and "can't write to standard output" in done.stderr
