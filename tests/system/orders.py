"""A host on which a person orders rollbacks, and agents come and go."""

import json
import os
import subprocess

from conftest import BINARY
from killing import Life
from processes import program

RULE = '[[rules]]\nname = "bad"\nwhen = "work.up == 0"\nthen = "rollback"\n'


class Host:
    """A host with blue live, and the agents that are started on it."""

    def __init__(self, ground):
        self.ground = ground
        self.lives = []
        ground.reset()
        for slot in ("blue", "green"):
            ground.be(slot, slot[0] + "1", "well")
        self.text = ground.configuration(1, RULE, True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for life in self.lives:
            life.end()

    def start(self):
        path = self.ground.path("state", "flipback.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text)
        self.lives.append(Life(self.ground, len(self.lives), path))
        return self.lives[-1]

    def cut_over(self, agent):
        agent.wait("deployment.baseline")
        self.ground.make_live("green")
        self.ground.reload()
        agent.wait("deployment.cutover")
        agent.before = self.ground.identities()

    def ask(self, *words):
        return subprocess.run([BINARY, *words, "--socket", self.ground.path("state", "flipback.sock")], capture_output=True, text=True, timeout=60, check=False)

    def order(self):
        """`flipback rollback`, whose answer nobody waits for."""
        return self.ground.child("order", [BINARY, "rollback", "--reason", "it is bad", "--socket", self.ground.path("state", "flipback.sock")])

    def status(self):
        done = self.ask("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["deployment"]

    def with_reload(self, script):
        path = self.ground.path("reload")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        self.text = self.text.replace("[nginx]\n", f'[nginx]\nreload = "command"\nreload_command = ["{path}"]\ncommand_timeout = "500ms"\n')

    def with_slow_test(self):
        """nginx's test takes its time, so that the agent can be killed before the reload that follows it."""
        words = ["/bin/sh", "-c", 'sleep 0.3; exec "$0" "$@"', program("nginx"), "-p", self.ground.folder, "-c", self.ground.path("nginx.conf"), "-t"]
        self.text = self.text.replace("[nginx]\n", f"[nginx]\ntest_command = {json.dumps(words)}\n")

    def all_say(self, slot):
        """The files, users, and the agent."""
        assert self.ground.named() == [slot]
        assert self.ground.served(times=4) == {slot[0] + "1"}
        assert self.status()["live"] == slot
