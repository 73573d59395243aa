"""Redis, as Debian has it: a server of one's own, without persistence unless it is asked for."""

import os
import subprocess

from processes import free_port, program, wait_until
from service import Service


class Redis(Service):
    def __init__(self, folder, *options, password=""):
        super().__init__(folder)
        self.port = free_port()
        self.options = options
        self.password = password
        self.server = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *more):
        os.makedirs(self.path("data"), exist_ok=True)
        words = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.path("data"), "--save", "", "--appendonly", "no", *self.options, *more]
        if self.password:
            words += ["--requirepass", self.password]
        self.server = self.child("redis", [program("redis-server"), *words])
        wait_until("Redis", lambda: self.run("PING"), child=self.server)

    def stop_server(self):
        self.server.stop()
        self.children.remove(self.server)

    def run(self, *words):
        """What redis-cli prints of a command; empty where nothing listens."""
        return self.start_cli(*words, stdout=subprocess.PIPE).communicate(timeout=30)[0].decode().strip()

    def start_cli(self, *words, stdout=subprocess.DEVNULL):
        return subprocess.Popen([program("redis-cli"), "-p", str(self.port), *words], stdout=stdout, stderr=subprocess.DEVNULL,
                                env=dict(os.environ, REDISCLI_AUTH=self.password) if self.password else None)

    def user(self, name, *rights):
        """A user with the password "p" and these rights alone."""
        assert self.run("ACL", "SETUSER", name, "reset", "on", ">p", *rights) == "OK"
        return f"redis://{name}:p@127.0.0.1:{self.port}"
