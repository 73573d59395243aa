"""An agent that watches the traffic by an exposition alone."""

from conftest import Agent
from service import Service


class Watching(Service):
    """An agent with one exposition probe and these rules."""

    def __init__(self, folder, url, rules, table="", more=""):
        super().__init__(folder)
        self.text = f'[agent]\nlisten = ""\nstate = "{self.path("flipback.db")}"\nlog_format = "json"\nlog_level = "debug"\nspread = "1ms"\n'
        self.text += f'[probes.traffic]\ntype = "exposition"\nurl = "{url}"\nevery = "100ms"\n{table}\n{rules}\n{more}'

    def start(self):
        with open(self.path("flipback.toml"), "w", encoding="utf-8") as file:
            file.write(self.text)
        self.agent = Agent(self, self.path("flipback.toml")).ready()


ERRORS = """
[[rules]]
name = "error-rate"
when = "traffic.error_rate over 5s > 5%"
min_samples = 50
min_errors = 15
"""
