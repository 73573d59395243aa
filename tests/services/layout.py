"""An nginx of somebody else's making, in front of the demo stack's two slots: its files are where its owner put them."""

import os
import shutil
import signal
import subprocess
import time

from processes import free_port, program, wait_until
from service import Service, wait_for_port
from stack import LOG_FORMAT, get

SERVER = """server {
  listen 127.0.0.1:%(front)s;
  access_log %(log)s;
  location / {
    proxy_pass http://api;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
  }
}
"""
OWN = ("nginx.pid", "error.log", "access.json", "temp", "flipback")  # what nginx and Flipback write beside what a person wrote

RULE = """
[[rules]]
name = "error-rate"
when = "traffic.error_rate over 2s > 5%"
after = "2s"
min_samples = 20
min_errors = 5
then = "rollback"
"""


class Layout(Service):
    """`files`: where → what it says, below the folder; in it %(blue)s and %(green)s are the slots' ports, %(front)s nginx's, %(dir)s the
    folder, %(log)s what follows `access_log `. nginx reads conf.d/*.conf and sites-enabled/* below the folder, unless `files` has its own
    nginx.conf. A file that is ("link", target) is a symbolic link."""

    def __init__(self, folder, stack, files, log=True, http=""):
        super().__init__(folder)
        self.stack = stack
        self.files = files
        self.http = http
        self.logs = log
        self.ports = dict(stack.ports, front=free_port(), agent=free_port())
        self.nginx = None
        self.within = []  # the words before a command that runs where nginx runs

    def fill(self, text):
        words = dict(self.ports, dir=self.folder, log=f"{self.access_log} flipback" if self.logs else "off")
        return text % words

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(self.fill(text))

    def lay_out(self):
        for folder in ("temp", "conf.d", "sites-enabled", "sites-available"):
            os.makedirs(self.path(folder), exist_ok=True)
        for path, text in ({"nginx.conf": self.main()} | self.files).items():
            if isinstance(text, tuple):
                os.symlink(self.fill(text[1]), self.path(path))
            else:
                self.write(path, text)

    def main(self):
        temporary = "\n".join(f"  {kind}_temp_path %(dir)s/temp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{'user root;' if os.getuid() == 0 else ''}
worker_processes 2;
pid %(dir)s/nginx.pid;
error_log %(dir)s/error.log notice;
events {{ worker_connections 512; }}
http {{
{temporary}
  include {os.path.abspath(LOG_FORMAT)};
{self.http}
  include %(dir)s/conf.d/*.conf;
  include %(dir)s/sites-enabled/*;
}}
"""

    def start(self):
        self.lay_out()
        if not self.logs:
            time.sleep(2.5)  # a person's files are older than nginx: that its workers are newer must be plain
        self.start_nginx()

    def start_nginx(self):
        self.nginx = self.child("nginx", [*self.within, *self.nginx_command("-g", "daemon off;")], death_signal=signal.SIGTERM)
        wait_for_port(self.ports["front"], self.nginx)
        wait_until("the slots behind nginx", lambda: self.live() is not None, child=self.nginx)

    def nginx_command(self, *more):
        return [program("nginx"), "-p", self.folder, "-c", self.path("nginx.conf"), "-e", self.path("error.log"), *more]

    @property
    def access_log(self):
        return self.path("access.json")

    @property
    def front_url(self):
        return f"http://127.0.0.1:{self.ports['front']}"

    @property
    def agent_url(self):
        return f"http://127.0.0.1:{self.ports['agent']}"

    # What people do.

    def reload(self):
        subprocess.run([*self.within, *self.nginx_command("-t")], check=True, capture_output=True)
        subprocess.run([*self.within, *self.nginx_command("-s", "reload")], check=True, capture_output=True)

    def copy(self, one, over):
        """cp"""
        shutil.copyfile(self.path(one), self.path(over))

    def link(self, target, at):
        """ln -sfn"""
        subprocess.run(["ln", "-sfn", target, self.path(at)], check=True)

    def sed(self, script, path):
        subprocess.run(["sed", "-i", self.fill(script), self.path(path)], check=True)

    # How it stands.

    def live(self):
        """The slot that a user reaches now, where one does."""
        release = get(self.front_url + "/api/v1/ping")[1].get("X-Release")
        return next((slot for slot, version in self.stack.versions.items() if version == release), None)

    def reached(self, times=12):
        """Each slot that users reach now."""
        return {self.live() for _ in range(times)}

    def tree(self):
        """All that a person wrote: path → its bytes or where it leads, its mode and its owner."""
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(OWN)]
            for name in names + [each for each in folders if os.path.islink(os.path.join(folder, each))]:
                if name.startswith(OWN) or name.endswith((".log", "flipback-lock")) or name in ("flipback", "users"):
                    continue
                path = os.path.join(folder, name)
                is_now = os.lstat(path)
                if os.path.islink(path):
                    said = ("link", os.readlink(path))
                else:
                    with open(path, "rb") as file:
                        said = file.read()
                found[os.path.relpath(path, self.folder)] = (said, oct(is_now.st_mode), is_now.st_uid, is_now.st_gid)
        return found

    # Flipback's part.

    def configuration(self, switch, blue, green, identity='identity = "/version"', nginx=None, probes=None, extra="", mode="act"):
        """`switch`: the lines of [deployment] that say what the switch is; `blue`, `green`: those of the slots."""
        door = ", ".join(each for each in (f'url = "{self.front_url}/health"', identity) if each)
        if nginx is None:
            nginx = f"""binary = "{program('nginx')}"
prefix = "{self.folder}"
conf = "{self.path('nginx.conf')}"
pid = "{self.path('nginx.pid')}"
error_log = "{self.path('error.log')}"
"""
        if probes is None:
            probes = f'[probes.traffic]\ntype = "access_log"\npath = "{self.access_log}"\n{RULE}'
        return f"""[agent]
listen = "127.0.0.1:{self.ports['agent']}"
state = "{self.path('flipback.db')}"
socket = "{self.path('flipback.sock')}"
log_format = "json"
log_level = "debug"

[deployment]
mode = "{mode}"
watch_every = "200ms"
confirm_every = "200ms"
front_door = {{ {door} }}
{self.fill(switch)}

[nginx]
{nginx}
[slots.blue]
url = "{self.stack.slot_url('blue')}"
{self.fill(blue)}

[slots.green]
url = "{self.stack.slot_url('green')}"
{self.fill(green)}

{probes}
{extra}
"""

    def write_configuration(self, text):
        path = self.path("flipback.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
