"""A live file that a person has edited is no slot's: what is said then, and what an operator can do."""

import os
import subprocess

import pytest

from conftest import BINARY, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break, nginx_is_whole
from test_verbs import ask, ask_json, typed


def write_live(stack, text, reload=False):
    with open(stack.live_site, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    if reload:
        subprocess.run(stack.nginx_command("-s", "reload"), check=True, capture_output=True)


def copy(stack, slot):
    return f"`cp {stack.site(slot)} {stack.live_site}` makes it {slot}'s"


def status_lines(stack):
    return dict(line.split(None, 1) for line in ask(stack, "status")[1].splitlines())


@pytest.mark.parametrize(("edit", "says"), [
    (lambda text: "# certbot was here\n" + text, 'line 1 is "# certbot was here", expected '),
    (lambda text: text.rstrip("\n"), "only the newline at its end is missing"),
    (lambda text: text.replace("\n", "\r\n"), "only its line ends differ: CRLF, expected LF"),
])
def test_an_edited_live_file_is_said_once_with_its_difference_and_what_to_type(stack, fast_agent, edit, says):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    write_live(stack, edit(stack.site_text("green")))
    told = agent.wait("deployment.switch_names_no_slot")
    assert told["severity"] == "warning" and told["live"] == told["users"] == "green"
    for part in (f"{stack.live_site} is nearest to green's {stack.site('green')}: {says}", copy(stack, "green"), "users reach green",
                 f"`{typed(stack)} rollback --reason TEXT` goes back to blue"):
        assert part in told["says"], told["says"]
    assert "\n" not in told["says"] and "\r" not in told["says"]
    deployment = ask_json(stack, "status")["deployment"]
    assert (deployment["live"], deployment["intent"], deployment["users"], deployment["effect"]) == ("green", "", "green", "agreed")
    lines = status_lines(stack)
    assert lines["live"].startswith("green") and lines["switch"].startswith("names no slot: ") and says in lines["switch"]
    wait_until("Ready's note", lambda: any(says in note for note in ask_json(stack, "status")["deployment"]["notes"]))
    printed = subprocess.run([BINARY, "validate", stack.path("flipback.toml")], capture_output=True, text=True, check=False).stdout
    assert any(line.startswith("rollback: note: the switch names no slot") and says in line for line in printed.splitlines()), printed
    subprocess.run(["cp", stack.site("green"), stack.live_site], check=True)  # as it says
    wait_until("green again", lambda: ask_json(stack, "status")["deployment"]["intent"] == "green")
    assert len(agent.of("deployment.switch_names_no_slot")) == 1 and len(agent.of("deployment.cutover")) == 1


def test_a_breach_asks_and_a_person_rolls_back_from_an_edited_file(stack, fast_agent):
    agent = fast_agent()
    traffic = Traffic(stack)
    cut_over_and_break(stack, agent)
    write_live(stack, "# mine\n" + stack.site_text("green"))
    asked = agent.wait("rollback.asked", guard="intent")
    assert "the switch names no slot" in asked["says"] and f"`{typed(stack)} approve error-rate` rolls back to blue" in asked["says"]
    status, printed, complaints = ask(stack, "rollback", "--reason", "it is ill")
    assert status == 0 and "came from blue, as nginx's access log says" in printed, complaints
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert stack.live() == "blue" and nginx_is_whole(stack) == (stack.site_text("blue"), [])
    assert traffic.stop().broken("fresh") == []


def test_users_whom_an_edited_file_moves_are_followed_and_a_window_opens_on_them(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    write_live(stack, "# mine\n" + stack.site_text("green"), reload=True)
    assert "users reach green" in agent.wait("deployment.moved")["says"]
    deployment = ask_json(stack, "status")["deployment"]
    assert (deployment["live"], deployment["users"], deployment["effect"]) == ("blue", "green", "moved")
    assert "users reach green" in status_lines(stack)["live"]
    assert not agent.of("deployment.cutover")
    status, printed, complaints = ask(stack, "window", "open", "--stable", "blue")
    assert status == 0 and "with blue" in printed and "until it does, a breach asks" in printed, complaints
    assert ask_json(stack, "status")["deployment"]["live"] == "green"
    stack.go_bad("green", "errors 0.5")
    agent.wait("rollback.asked", guard="intent", seconds=60)
    assert ask(stack, "approve")[0] == 0
    assert stack.live() == "blue" and nginx_is_whole(stack) == (stack.site_text("blue"), [])


def test_a_rollback_takes_users_back_whom_an_edited_file_moved(stack, fast_agent):
    agent = fast_agent("observe")
    Traffic(stack)
    agent.wait("deployment.baseline")
    write_live(stack, "# mine\n" + stack.site_text("green"), reload=True)
    agent.wait("deployment.moved")
    status, _, complaints = ask(stack, "rollback", "--reason", "that was a mistake")
    assert status == 0, complaints
    assert stack.live() == "blue" and nginx_is_whole(stack) == (stack.site_text("blue"), [])


def test_an_agent_that_starts_on_an_edited_file_goes_on_where_users_are_as_before(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    wait_until("the cutover on disk", lambda: not ask_json(stack, "status")["deployment"]["unstored"])
    agent.child.stop()
    write_live(stack, "# mine\n" + stack.site_text("green"))
    os.unlink(agent.child.log)
    agent = fast_agent()
    assert "still live" in agent.wait("deployment.baseline")["says"]
    deployment = ask_json(stack, "status")["deployment"]
    assert (deployment["live"], deployment["stable"], deployment["window_open"]) == ("green", "blue", True)
