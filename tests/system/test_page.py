"""The agent's page in a real browser, against a real deployment: what a person sees, and what he can and can't do there."""

import http.server
import json
import re
import signal
import threading
import urllib.request

import pytest
from browser import DESKTOP, PHONE, Browser
from conftest import Agent, Traffic
from contrast import TOO_FAINT
from processes import program
from test_notify import receiver, target  # noqa: F401
from test_rollback import cut_over_and_break
from test_verbs import ask_json

TOKEN = "a-token-of-more-than-16-bytes"
WITH_TOKEN = f'token = "{TOKEN}"\n'


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Browser(str(tmp_path_factory.mktemp("browser"))) as browser:
        yield browser


@pytest.fixture
def browser(chromium, stack):
    """Whatever a test does: nothing is asked of anybody but the agent, and the console is told nothing that the test did not expect."""
    chromium.is_like()
    chromium.expected = []
    chromium.heard()
    chromium.complaints.clear()
    chromium.asked.clear()
    yield chromium
    complaints, asked = chromium.heard()
    chromium.run("sessionStorage.clear()")
    chromium.driver.get("about:blank")
    assert [c for c in complaints if not any(word in c for word in chromium.expected)] == []
    own = (stack.agent_url + "/", "data:", "about:")
    assert [url for url in asked if not url.startswith(own)] == []


def can_act(fast_agent, mode="act", **how):
    return fast_agent(mode, agent=WITH_TOKEN, **how)


def test_a_rollback_is_seen_as_it_happens_without_reloading(stack, fast_agent, browser):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    assert browser.text("sentence") == "blue with v1.0.0 is live"
    browser.run("""
        window.neverReloaded = true;
        window.said = [];
        new MutationObserver(() => said.push(document.getElementById("sentence").textContent))
            .observe(document.getElementById("sentence"), {childList: true, characterData: true, subtree: true});
    """)
    cut_over_and_break(stack, agent)
    browser.until("green to be live", lambda: any(said.startswith("green with v1.1.0") or "error-rate" in said for said in browser.run("return said")))
    agent.wait("rollback.closed")
    browser.until("blue to be live again", lambda: browser.text("state-word") == "rolled back", 5)
    assert browser.text("sentence") == "blue with v1.0.0 is live" and browser.text("beneath") == "green with v1.1.0 was rolled back."
    assert browser.driver.title == "blue live · rolled back"
    browser.until("its steps", lambda: browser.text("current-title") == "What Flipback did: rolled back")
    shown = browser.text("current-incident")
    for what in ("the limit is > 5%", "install: ok", "reload: ok", "prove: yes", " ms", "Flipback itself, by the rule error-rate"):
        assert what in shown, shown
    assert "flipback" in browser.text("next") and "status" in browser.text("next")
    assert browser.run("return document.querySelector('.slot.is-live').dataset.slot") == "blue"
    browser.until("the marks", lambda: "cutover" in browser.text("charts") and "rolled back" in browser.text("charts"))
    assert browser.run("return window.neverReloaded") is True
    assert browser.run("return said")[-1] == "blue with v1.0.0 is live"


def test_hold_pressed_on_the_page_holds_a_rollback_and_is_ended_there(stack, fast_agent, browser):
    agent = can_act(fast_agent)
    Traffic(stack)
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN, "alice")
    browser.press("[data-action=hold]")
    assert "whatever the rules say" in browser.text("dialog")
    browser.type_into("reason", "a migration")
    browser.press("dialog button[type=submit]")
    browser.until("the hold", lambda: "a migration" in browser.fact("Hold"))
    held = agent.wait("rollback.held")
    assert held["by"].startswith("alice (HTTP API")
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="breached")
    browser.until("that users are hurt", lambda: browser.text("sentence") == "Users are hurt: error-rate is breached")
    browser.until("what is in the way", lambda: "a migration" in browser.text("beneath"))
    assert stack.live() == "green" and agent.of("rollback.decided") == []
    browser.press("[data-action=unhold]")
    assert "may be rolled back at once" in browser.text("dialog")
    browser.press("dialog button[type=submit]")
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    browser.until("the rollback", lambda: browser.text("state-word") == "rolled back")


def test_what_is_asked_is_approved_on_the_page(stack, fast_agent, browser):
    agent = can_act(fast_agent, "ask")
    Traffic(stack)
    agent.wait("deployment.baseline")
    browser.is_like(PHONE)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    cut_over_and_break(stack, agent)
    browser.until("the question", lambda: browser.text("sentence") == "Roll back to blue with v1.0.0? Flipback waits for a yes")
    assert "approve error-rate" in browser.text("next")
    browser.until("its number against its limit", lambda: "error-rate, limit > 5%" in browser.text("broke"))
    browser.press("[data-action=approve]")
    assert "nginx is put back on blue with v1.0.0. Users on green with v1.1.0 go there" in browser.text("dialog")
    browser.press("dialog button[type=submit]")
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    browser.until("blue", lambda: browser.text("sentence") == "blue with v1.0.0 is live")


def test_what_is_refused_is_said_in_the_dialog_and_what_was_typed_stays(stack, fast_agent, browser):
    agent = can_act(fast_agent)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("blue", "sick")
    browser.open(stack.agent_url)
    browser.expected.append("409")
    browser.enter_token(TOKEN)
    browser.press("[data-action=rollback]")
    browser.type_into("reason", "too early")
    browser.press("dialog button[type=submit]")
    browser.until("why not", lambda: "sick" in browser.run("return document.querySelector('dialog .problem').textContent"))
    assert browser.run("return document.querySelector('dialog [name=reason]').value") == "too early"
    browser.key("ESCAPE")
    assert browser.run("return document.getElementById('dialog').open") is False
    assert stack.live() == "green" and agent.of("rollback.decided") == []


def test_without_a_token_nothing_can_be_done(stack, fast_agent, browser):
    agent = can_act(fast_agent)
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.until("what one may do", lambda: browser.text("right-says") == "Here you can look, and not act.")
    assert browser.all("[data-action]") == []
    browser.expected.append("401")
    status = browser.run("return fetch('/api/v1/hold', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{\"for\":\"1h\",\"reason\":\"x\"}'}).then((a) => a.status)")
    assert status == 401
    browser.enter_token("not-the-token-of-this-agent")
    browser.until("that it is wrong", lambda: "not this agent's token" in browser.text("dialog"))
    assert browser.all("[data-action]") == [] and browser.run("return sessionStorage.length + localStorage.length") == 0
    browser.key("ESCAPE")
    assert ask_json(stack, "status")["deployment"]["held"] == ""
    browser.enter_token(TOKEN)
    browser.until("the actions", lambda: browser.all("[data-action=hold]"))
    assert browser.run("return localStorage.length") == 0 and TOKEN not in browser.run("return document.documentElement.outerHTML + location.href + document.cookie")
    browser.press("#right-button")
    browser.until("no actions", lambda: browser.all("[data-action]") == [])


def test_where_no_token_is_configured_the_page_says_how_to_make_one(stack, fast_agent, browser):
    fast_agent().wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.press("#right-button")
    assert "token_file" in browser.text("dialog")


def test_where_a_token_is_needed_to_look_the_page_asks_for_it(stack, fast_agent, browser):
    can_act(fast_agent).wait("deployment.baseline")
    browser.expected.append("401")
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Forwarded-For": "203.0.113.7"}})
    try:
        browser.driver.get(stack.agent_url)
        browser.until("to be asked", lambda: browser.run("return document.getElementById('dialog').open"))
        assert browser.text("lost").startswith("From here a token is needed to look, too.") and "v1.0.0" not in browser.all_text()
        browser.type_into("token", TOKEN)
        browser.press("dialog button[type=submit]")
        browser.until("what is so", lambda: browser.text("sentence") == "blue with v1.0.0 is live" and browser.text("lost") == "")
    finally:
        browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


def test_who_was_told_is_shown_and_whether_it_arrived(stack, fast_agent, browser, receiver):  # noqa: F811
    agent = fast_agent(extra=target(receiver(), about=["incidents"]))
    Traffic(stack)
    browser.open(stack.agent_url)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")
    browser.until("the letter", lambda: "delivered" in browser.text("told-body"), 30)
    shown = browser.text("told-body")
    assert "oncall (webhook)" in shown and "error-rate" in shown and "S3CRET" not in browser.all_text()


class Named(http.server.BaseHTTPRequestHandler):
    """A release that is well, and names itself with what a page or a screen might obey."""

    version = "<img src=x onerror=document.title='FORGED'>\u202e\x07\n`rm -rf /`</script><script>document.title='FORGED'</script>"
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"status": "healthy", "version": self.version}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_what_strangers_write_is_text(stack, fast_agent, browser):
    stack.slots["green"].stop()
    with http.server.ThreadingHTTPServer(("127.0.0.1", stack.ports["green"]), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        agent = can_act(fast_agent)
        agent.wait("deployment.baseline")
        browser.open(stack.agent_url)
        browser.enter_token(TOKEN, "<b>alice</b>")
        stack.cut_over("green")
        agent.wait("deployment.cutover")
        browser.until("green", lambda: "green with <img src=x" in browser.text("sentence"))
        browser.press("[data-action=rollback]")
        browser.type_into("reason", "<img src=y onerror=alert(1)>")
        browser.press("dialog button[type=submit]")
        agent.wait("rollback.closed")
        browser.until("the steps", lambda: "prove: yes" in browser.text("current-incident"))
        browser.run("document.querySelector('#incidents details').open = true")
        browser.until("the incident", lambda: "<img src=y" in browser.text("incidents"))
        everything = browser.all_text()
        assert not [c for c in everything if ord(c) < 32 and c not in "\n\t"] and "\u202e" not in everything
        assert "\\u202e" in everything and "\\x07" in everything
        assert browser.run("return document.querySelectorAll('img, b, body script').length") == 0
        assert "FORGED" not in browser.driver.title
        assert browser.run("return document.getElementById('next').textContent").count("rm -rf") == 0
        agent.child.stop()
        browser.expected.append("ERR_")
        server.shutdown()


def test_a_lost_connection_is_said_with_the_age_of_what_is_shown(stack, fast_agent, browser):
    agent = can_act(fast_agent)
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    browser.until("the actions", lambda: browser.all("[data-action=hold]:enabled"))
    browser.expected.append("ERR_")
    agent.child.stop()
    browser.until("that it is lost", lambda: browser.text("lost").startswith("The connection is lost."), 5)
    age = lambda: int(re.search(r"how it was (\d+) s ago", browser.text("lost"))[1])  # noqa: E731
    first = age()
    browser.until("it to grow older", lambda: age() >= first + 2, 5)
    assert browser.driver.title.startswith("connection lost · blue live") and browser.text("state-word").startswith("last seen: ")
    assert browser.all("[data-action]:enabled") == []
    stack.cut_over("green")
    again = Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    again.wait("deployment.cutover")
    browser.until("what is so now", lambda: browser.text("lost") == "" and browser.text("sentence") == "green with v1.1.0 is live", 15)
    assert browser.driver.title.startswith("green live") and browser.all("[data-action=hold]:enabled")


def test_an_agent_that_hangs_is_told_from_one_that_is_silent(stack, fast_agent, browser):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    browser.expected.append("ERR_")
    agent.child.signal(signal.SIGSTOP)
    try:
        browser.until("that it is lost", lambda: browser.text("lost").startswith("The connection is lost."), 25)
    finally:
        agent.child.signal(signal.SIGCONT)
    browser.until("that it is back", lambda: browser.text("lost") == "", 30)


def test_the_window_s_clock_runs_down_by_itself(stack, fast_agent, browser):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    browser.open(stack.agent_url)
    assert browser.fact("Window").startswith("closed")
    browser.until("that all is ready", lambda: browser.fact("Ready") == "yes")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    browser.until("the clock", lambda: browser.fact("Window").startswith("14:5"))
    first = browser.fact("Window")
    browser.until("it to run", lambda: browser.fact("Window") != first, 3)
    assert "since" in browser.run("return document.querySelector('.slot.is-live').innerText")


def test_whether_all_is_ready_is_said_once_it_was_looked(stack, browser, tmp_path):
    go_on, nginx = tmp_path / "go-on", tmp_path / "nginx"
    nginx.write_text(f'#!/bin/sh\ncase " $* " in *" -t "*|*" -T "*) until [ -e {go_on} ]; do sleep 0.05; done;; esac\nexec {program("nginx")} "$@"\n')
    nginx.chmod(0o755)
    text = stack.configuration()
    assert f'binary = "{program("nginx")}"' in text
    agent = Agent(stack, stack.write_configuration(text.replace(f'binary = "{program("nginx")}"', f'binary = "{nginx}"'))).ready()
    try:
        agent.wait("deployment.baseline")
        browser.open(stack.agent_url)
        assert browser.fact("Ready") == "not looked yet"
    finally:
        go_on.touch()
    browser.until("what was found", lambda: browser.fact("Ready").startswith("no: "))


def test_a_chart_that_is_shown_no_longer_is_forgotten(stack, fast_agent, browser):
    fast_agent().wait("deployment.baseline")
    browser.open(stack.agent_url)

    def nodes():
        browser.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return browser.driver.execute_cdp_cmd("Memory.getDOMCounters", {})["nodes"]

    show_some = """
        const [some, done] = arguments;
        import("/page/chart.js").then(async ({createChart}) => {
          for (let index = 0; index < some; ++index) {
            const chart = createChart();
            document.querySelector("main").append(...chart.elements);
            chart.show({rule: "a", unit: "number", threshold: 1, marks: [], points: [[1000, 1], [2000, 2]]});
            await new Promise(requestAnimationFrame);
            if (!chart.elements[0].querySelector("canvas")) return done("nothing is drawn");
            for (const element of chart.elements) element.remove();
            await new Promise(requestAnimationFrame);
          }
          done("");
        });
    """
    assert browser.driver.execute_async_script(show_some, 3) == ""
    before = nodes()
    assert browser.driver.execute_async_script(show_some, 60) == ""
    browser.until("them to be forgotten", lambda: nodes() < before + 60, 5)


def test_all_is_done_with_the_keyboard_alone(stack, fast_agent, browser):
    agent = can_act(fast_agent)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    browser.until("the actions", lambda: browser.all("[data-action=hold]"))
    browser.open(stack.agent_url)
    browser.until("the actions", lambda: browser.all("[data-action=hold]"))
    went = browser.steps_through()
    assert [where for where, is_seen in went if not is_seen] == []
    order = [where for where, _ in went]
    assert order[0] == "skip" and order.index("rollback") < order.index("hold") < order.index("right-button")
    browser.run("document.querySelector('[data-action=hold]').focus()")
    browser.key("ENTER")
    assert browser.run("return document.getElementById('dialog').open && document.activeElement.name") == "for"
    for _ in range(12):  # around the dialog, and never behind it
        browser.key("TAB")
        assert browser.run("return document.activeElement === document.body || document.getElementById('dialog').contains(document.activeElement)")
    browser.key("ESCAPE")
    assert browser.run("return document.activeElement.dataset.action") == "hold"
    browser.key("ENTER")
    browser.key("TAB")
    browser.driver.switch_to.active_element.send_keys("by hand")
    browser.key("ENTER")
    browser.until("the hold", lambda: "by hand" in browser.fact("Hold"))
    assert agent.wait("rollback.held")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_read_on_a_phone_in_the_dark_and_without_colours(stack, fast_agent, browser, scheme):
    agent = can_act(fast_agent, "ask")
    Traffic(stack)
    agent.wait("deployment.baseline")
    browser.is_like(PHONE, scheme, "reduce")
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    cut_over_and_break(stack, agent)
    browser.until("the question", lambda: browser.text("state-word") == "asked")
    for size in (PHONE, DESKTOP, (320, 568)):
        browser.is_like(size, scheme, "reduce")
        assert browser.run("return document.documentElement.scrollWidth") <= size[0]
        assert browser.run(TOO_FAINT) == []
    shapes = browser.run("""
        const shown = [...document.querySelectorAll(".badge")].filter((badge) => badge.innerText.trim());
        return Object.fromEntries(shown.map((badge) => [badge.innerText.trim(), badge.querySelector("svg").innerHTML]))
    """)
    assert {"breached", "ok"} <= set(shapes) and shapes["breached"] != shapes["ok"]
    assert browser.run("return document.getAnimations().length") == 0
    browser.press("[data-action=approve]")
    assert browser.run(TOO_FAINT) == []
    browser.key("ESCAPE")
    browser.expected.append("ERR_")
    agent.child.stop()
    browser.until("that it is lost", lambda: browser.text("lost") != "")
    assert browser.run(TOO_FAINT) == []


def test_its_structure_is_said_to_who_can_t_see_it(stack, fast_agent, browser):
    fast_agent().wait("deployment.baseline")
    browser.open(stack.agent_url)
    assert browser.run("return [...document.body.children].map((one) => one.tagName).filter((tag) => /^(HEADER|MAIN|FOOTER)$/.test(tag))") == ["HEADER", "MAIN", "FOOTER"]
    assert browser.run("return document.querySelectorAll('h1').length") == 1
    assert browser.run("return document.getElementById('sentence').closest('[aria-live=polite]') !== null")
    unnamed = browser.run("""
        return [...document.querySelectorAll("button, a, input, select, summary, section, [role=img]")]
            .filter((one) => !one.closest("[hidden]") && !(one.innerText.trim() || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.labels?.length))
            .map((one) => one.outerHTML)
    """)
    assert unnamed == []


def test_the_page_s_files_are_the_agent_s_own(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    with urllib.request.urlopen(urllib.request.Request(stack.agent_url + "/", headers={"Accept": "text/html"}), timeout=5) as answer:
        text = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert " style=" not in text and " onclick=" not in text and "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text
