"""A real nginx with the `server` blocks that a test wants of it."""

import os
import signal

from processes import free_port, program
from service import Service, wait_for_port


class Nginx(Service):
    def __init__(self, folder, servers, http=""):
        """`servers`: name → the inside of a server block; each gets a port of its own, and `listen` with what follows "listen " there."""
        super().__init__(folder)
        self.ports = {name: free_port() for name in servers}
        self.servers, self.http = servers, http

    def start(self):
        temporary = "\n".join(f"{kind}_temp_path {self.path('temp', kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        blocks = "\n".join(f"server {{ listen 127.0.0.1:{self.ports[name]}{' ssl' if 'ssl_certificate ' in inside else ''};\n{inside} }}"
                           for name, inside in self.servers.items())
        for folder in ("temp", "html"):
            os.makedirs(self.path(folder), exist_ok=True)
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"{'user root; ' if os.getuid() == 0 else ''}daemon off; pid {self.path('pid')}; worker_processes 1;\nevents {{ worker_connections 1000; }}\n"
                       f"http {{ access_log {self.path('access.log')}; {temporary}\n{self.http}\n{blocks} }}\n")
        nginx = self.child("nginx", [program("nginx"), "-p", self.folder, "-c", self.path("nginx.conf"), "-e", self.path("error.log")],
                           death_signal=signal.SIGTERM)
        for port in self.ports.values():
            wait_for_port(port, nginx)
