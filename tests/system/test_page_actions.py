"""What a person does on the page with the window, the latch and an incident, in a real browser: what the dialog says, what the agent did then, and what it refuses."""

import signal

import pytest
from browser import DESKTOP, PHONE
from conftest import Agent, Traffic
from contrast import TOO_FAINT
from processes import wait_until
from test_notify import of_incident, receiver, target  # noqa: F401
from test_page import TOKEN, browser, can_act, chromium  # noqa: F401
from test_rollback import cut_over_and_break
from test_verbs import ask, ask_json


@pytest.fixture
def dialog(browser):  # noqa: F811
    return Dialog(browser)


class Dialog:
    def __init__(self, of):
        self.browser = of

    def open(self, action):
        """What it says, once the button was pressed."""
        self.browser.press(f"[data-action={action}]")
        return self.browser.text("dialog")

    def confirm(self):
        self.browser.press("dialog button[type=submit]")

    def is_open(self):
        return self.browser.run("return document.getElementById('dialog').open")

    def refused(self, says):
        """The agent's sentence stands in the dialog, which stays open; then it is left."""
        self.browser.expected.append("409")
        self.confirm()
        self.browser.until(f"that {says}", lambda: says in self.browser.run("return document.querySelector('dialog .problem').innerText"))
        assert self.is_open()
        self.browser.key("ESCAPE")

    def confirmed(self, says):
        """The dialog is gone, and the page says what the agent did."""
        self.confirm()
        self.browser.until(f"that {says}", lambda: says in self.browser.text("done"))
        assert not self.is_open()

    def escape_changes_nothing(self, action, path):
        """Nothing is even asked of the agent: what is asked after it is seen alone."""
        self.open(action)
        for field in self.browser.all("dialog input[required]"):
            field.send_keys("typed, and left")
        before = len(self.browser.heard()[1])
        assert self.is_open()
        self.browser.key("ESCAPE")
        self.browser.until("it to be closed", lambda: not self.is_open())
        self.browser.run("return fetch('/api/v1/session').then((answer) => answer.status)")
        asked = [url.rpartition("/api/v1/")[2] for url in self.browser.heard()[1][before:]]
        assert "session" in asked and path not in asked


def deployment(stack):
    return ask_json(stack, "status")["deployment"]


def with_green_live(stack, agent):
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")


def test_the_window_is_closed_and_opened_on_the_page(stack, fast_agent, browser, dialog):  # noqa: F811
    agent = can_act(fast_agent)
    with_green_live(stack, agent)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN, "alice")

    dialog.escape_changes_nothing("window-close", "window/close")
    assert deployment(stack)["window_open"] and agent.of("deployment.window_ended") == []
    shown = dialog.open("window-close")
    assert "green with v1.1.0 stays until the next cutover" in shown and "a breach is not rolled back by itself" in shown
    dialog.confirmed("the rollback window is closed: rules alert only")
    assert agent.wait("deployment.window_ended")["by"].startswith("alice (HTTP API")
    assert not deployment(stack)["window_open"]
    browser.until("that it is closed", lambda: browser.fact("Window") == "closed: rules only tell")
    browser.until("no button for what is done", lambda: not browser.all("[data-action=window-close]"))

    dialog.escape_changes_nothing("window-open", "window/open")
    assert not deployment(stack)["window_open"] and agent.of("deployment.window_opened") == []
    shown = dialog.open("window-open")
    assert "green with v1.1.0 is held against the rules that roll back" in shown and "the latch opens" in shown
    assert browser.run("return [...document.querySelectorAll('dialog [name=stable] option')].map((one) => one.value)") == ["blue"]
    dialog.confirmed("the rollback window is open for 15m, with blue with v1.0.0 to go back to")
    assert agent.wait("deployment.window_opened")["by"].startswith("alice (HTTP API")
    assert deployment(stack)["window_open"] and deployment(stack)["stable"] == "blue"
    browser.until("its clock", lambda: browser.fact("Window").startswith("14:5"))


def test_another_slot_is_put_live_on_the_page(stack, fast_agent, browser, dialog):  # noqa: F811
    agent = can_act(fast_agent)
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN, "alice")

    dialog.escape_changes_nothing("flip", "flip")
    assert agent.of("flip.decided") == []
    shown = dialog.open("flip")
    assert "Users on blue with v1.0.0 go there with one reload of nginx" in shown and "the rollback window opens" in shown
    assert browser.run("return [...document.querySelectorAll('dialog [name=slot] option')].map((one) => one.value)") == ["green"]
    stack.go_bad("green", "sick")
    dialog.refused("green is sick")
    assert stack.live() == "blue" and agent.of("flip.decided") == []
    stack.mend("green")
    dialog.open("flip")
    dialog.confirmed("green with v1.1.0 is live, proven in")
    assert agent.wait("flip.decided")["by"].startswith("alice (HTTP API") and stack.live() == "green"
    browser.until("green", lambda: browser.text("sentence").startswith("green"))


def test_what_was_done_meanwhile_is_refused_in_the_dialog(stack, fast_agent, browser, dialog):  # noqa: F811
    agent = can_act(fast_agent)
    with_green_live(stack, agent)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    dialog.open("window-close")
    assert ask(stack, "window", "close")[0] == 0
    dialog.refused("the rollback window is closed")
    assert len(agent.of("deployment.window_ended")) == 1

    dialog.open("window-open")
    stack.cut_over("blue")
    agent.wait("deployment.cutover", live="blue")
    browser.until("blue", lambda: browser.text("sentence").startswith("blue"))
    dialog.confirm()
    browser.until("that it is no longer so", lambda: "Another slot or release is live" in browser.text("dialog"))
    assert agent.of("deployment.window_opened") == []


def test_the_latch_is_opened_on_the_page_after_a_rollback(stack, fast_agent, browser, dialog):  # noqa: F811
    agent = can_act(fast_agent)
    traffic = Traffic(stack)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN, "alice")
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")

    dialog.escape_changes_nothing("unlatch", "unlatch")
    assert deployment(stack)["latched"] and agent.of("rollback.unlatched") == []
    shown = dialog.open("unlatch")
    assert "green with v1.1.0 may be rolled back again" in shown and "no longer remembered as rolled back" in shown
    browser.key("ESCAPE")

    stack.go_bad("blue", "errors 0.5")
    wait_until("blue to be ill, too", lambda: len(agent.of("verdict.changed", rule="error-rate", to="breached")) == 2)
    dialog.open("unlatch")
    dialog.refused("error-rate is breached: what is live may be rolled back at once")
    assert deployment(stack)["latched"] and agent.of("rollback.unlatched") == []
    dialog.open("unlatch")
    browser.press("dialog [name=yes]")
    dialog.confirmed("the latch is open")
    assert agent.wait("rollback.unlatched")["by"].startswith("alice (HTTP API")
    assert not deployment(stack)["latched"]
    browser.until("that it is open", lambda: browser.fact("Latch") == "open")
    assert browser.all("[data-action=unlatch]") == []
    traffic.stop()


def test_an_incident_that_people_were_told_of_is_acknowledged_on_the_page(stack, fast_agent, browser, dialog, receiver):  # noqa: F811
    to = receiver()
    agent = can_act(fast_agent, "observe", extra=target(to))
    Traffic(stack)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN, "alice")
    cut_over_and_break(stack, agent)
    wait_until("it to be told", lambda: of_incident(to), 60)
    incident = agent.of("incident.began")[0]["incident"]

    dialog.escape_changes_nothing("ack", "ack")
    assert agent.of("incident.acknowledged") == []
    assert f"Others are told that you look at {incident}. Nothing else changes." in dialog.open("ack")
    dialog.confirm()
    assert dialog.is_open() and browser.run("return document.querySelector('dialog [name=reason]').matches(':invalid')")
    browser.type_into("reason", "I look at it")
    dialog.confirmed("it does not escalate")
    acknowledged = agent.wait("incident.acknowledged")
    assert acknowledged["says"].startswith("alice (HTTP API") and acknowledged["says"].endswith("has acknowledged it: I look at it")
    wait_until("that to be told", lambda: "I look at it" in of_incident(to)[-1]["acknowledged"])
    browser.until("who looks at it", lambda: "I look at it" in browser.text("current-incident"))

    dialog.open("ack")
    browser.type_into("reason", "once more")
    dialog.refused("there is nothing to acknowledge")
    assert len(agent.of("incident.acknowledged")) == 1


OPENED = "document.querySelector('#incidents .opened')"


def opened_incident(browser):  # noqa: F811
    browser.press("#incidents summary")
    browser.until("the chart", lambda: browser.all("#incidents .signal canvas"))


def drawn(browser):  # noqa: F811
    """Of each chart in the opened incident: its heading → its canvas's width, how many of its pixels have the curve's colour and the limit's, and its marks."""
    return browser.run(f"""
        const parse = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim().match(/[0-9a-f]{{2}}/g).map((part) => parseInt(part, 16));
        return Object.fromEntries([...{OPENED}.querySelectorAll(".signal")].map((signal) => {{
          const canvas = signal.querySelector("canvas");
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const count = (colour) => pixels.filter((_, index) => index % 4 === 0 && pixels[index + 3] > 99 && colour.every((part, of) => Math.abs(pixels[index + of] - part) < 9)).length;
          return [signal.querySelector("h3").innerText, [canvas.clientWidth, count(parse("--curve")), count(parse("--limit")), signal.querySelector(".marks").innerText]];
        }}))
    """)


def test_an_opened_incident_shows_what_users_met_with_and_how_the_rule_went(stack, fast_agent, browser):  # noqa: F811
    agent = can_act(fast_agent)
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")
    agent.wait("incident.ended")
    agent.child.signal(signal.SIGTERM)
    agent.child.process.wait()
    Agent(stack, stack.path("flipback.toml"), "flipback-again").ready().wait("deployment.helped")
    on_record = ask_json(stack, "incidents", "last")
    assert "error-rate" in on_record["signals"] and on_record["helped"]
    for size in (DESKTOP, PHONE):
        for scheme in ("light", "dark"):
            browser.is_like(size, scheme)
            browser.open(stack.agent_url)
            opened_incident(browser)
            lines = browser.run(f"return Object.fromEntries([...{OPENED}.querySelectorAll('.fact')].map((one) => [...one.children].map((part) => part.innerText)))")
            assert " requests failed, P95 " in lines["Users"] and f" of {on_record['users']['requests']:.0f} " in lines["Users"]
            assert lines["Helped"] == on_record["helped"]
            width, curve, limit, marks = drawn(browser)["error-rate, limit 5%"]
            assert width > 250 and curve >= 9 and limit > 100, (width, curve, limit)
            assert [mark.rpartition(" ")[0] for mark in marks.split(" · ")] == ["cutover", "breached", "rollback", "rolled back"]
            assert browser.run("return document.documentElement.scrollWidth") <= size[0]
            assert browser.run(TOO_FAINT) == []
            beyond = browser.run(f"""
                const right = {OPENED}.getBoundingClientRect().right;
                return [...{OPENED}.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > right + 1).map((one) => one.outerHTML.slice(0, 100));
            """)
            assert beyond == []
    browser.is_like((320, 568))
    assert browser.run("return document.documentElement.scrollWidth") <= 320
