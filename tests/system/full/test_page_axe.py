"""The agent's page, held against WCAG 2.2 AA by axe-core, on a phone and a desktop, in light and dark, as it stands and while something is wrong."""

import json
import os

import pytest
from browser import DESKTOP, PHONE
from conftest import Traffic
from service import fetched
from test_page import TOKEN, WITH_TOKEN, browser, chromium  # noqa: F401
from test_rollback import cut_over_and_break

RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})
    .then((found) => done(found.violations.map((one) => [one.id, one.help, one.nodes.map((node) => node.html)])));
"""


def violations(browser):  # noqa: F811
    with open(os.path.join(fetched("axe"), "axe.min.js"), encoding="utf-8") as file:
        browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": file.read()})
    return browser.driver.execute_async_script(RUN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_it(stack, fast_agent, browser, scheme):  # noqa: F811
    agent = fast_agent("ask", agent=WITH_TOKEN)
    Traffic(stack)
    agent.wait("deployment.baseline")
    browser.is_like(PHONE, scheme)
    browser.open(stack.agent_url)
    browser.enter_token(TOKEN)
    assert violations(browser) == []
    cut_over_and_break(stack, agent)
    browser.until("the question", lambda: browser.text("state-word") == "asked")
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for size in (PHONE, DESKTOP):
        browser.is_like(size, scheme)
        assert violations(browser) == [], json.dumps(size)
    browser.press("[data-action=rollback]")
    assert violations(browser) == []
