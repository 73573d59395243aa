"""A real Chromium that a person looks at the agent's page with: what it shows, what is pressed, what it asks of whom, and what it complains of."""

import json
import os
import shutil

from processes import wait_until
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WORDS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars")
PHONE, DESKTOP = (390, 844), (1440, 900)


class Browser:
    """`with Browser(folder) as browser:` starts it with a profile of its own; its end leaves no process."""

    def __init__(self, folder):
        options = Options()
        options.binary_location = shutil.which("chromium")
        for word in (*WORDS, f"--user-data-dir={os.path.join(folder, 'chromium')}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.complaints = []  # what the console was told
        self.asked = []  # what was asked for over the network

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.driver.quit()

    def is_like(self, size=DESKTOP, scheme="light", motion="no-preference"):
        """The screen, and what its owner prefers."""
        width, height = size
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        self.driver.get(url)
        self.until("the page to be filled", lambda: self.text("state-word") not in ("", "looking"))

    def until(self, what, condition, seconds=20):
        try:
            return wait_until(what, condition, seconds)
        except Exception as error:
            raise AssertionError(f"{error}; the page says:\n{self.all_text()}\nand complains of {self.heard()[0]}") from error

    def run(self, script, *words):
        return self.driver.execute_script(script, *words)

    def text(self, identity):
        return self.run("return document.getElementById(arguments[0])?.innerText.trim() ?? ''", identity)

    def all_text(self):
        return self.run("return document.body.innerText")

    def fact(self, name):
        return self.run("return document.querySelector(`[data-fact=\"${arguments[0]}\"] dd`)?.innerText ?? ''", name)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def press(self, selector):
        """Once it is there: what is shown is made anew as things happen."""
        self.until(selector, lambda: any(found.is_displayed() and found.is_enabled() for found in self.all(selector)))
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def type_into(self, name, text):
        self.driver.find_element(By.CSS_SELECTOR, f"dialog [name={name}]").send_keys(text)

    def key(self, name, *, shift=False):
        keys = ActionChains(self.driver)
        if shift:
            keys = keys.key_down(Keys.SHIFT)
        keys = keys.send_keys(getattr(Keys, name))
        (keys.key_up(Keys.SHIFT) if shift else keys).perform()

    def enter_token(self, token, name=""):
        self.press("#right-button")
        self.type_into("token", token)
        if name:
            self.type_into("name", name)
        self.press("dialog button[type=submit]")

    def heard(self):
        """What the console was told, and every address that was asked for, since the browser began."""
        self.complaints += [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return self.complaints, self.asked

    def steps_through(self, most=200):
        """What Tab goes to, from the page's beginning until it leaves the page: (description, whether the focus is seen)."""
        self.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        found = []
        for _ in range(most):
            self.key("TAB")
            where = self.run("""
                const at = document.activeElement;
                if (!at || at === document.body || at === document.documentElement) return null;
                const style = getComputedStyle(at);
                return [at.id || at.dataset.action || at.className || at.tagName, at.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
            """)
            if where is None:
                return found
            found.append(where)
        raise AssertionError(f"the focus never left the page: {found}")
