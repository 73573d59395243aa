"""The stack that Flipback watches, for real: Postgres, Redis, blue and green under uvicorn, and nginx in front, all in one folder."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from processes import Child, free_port, program, uninterrupted, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
LOG_FORMAT = os.path.join(HERE, "..", "nginx", "flipback-log.conf")
PYTHON = "/usr/bin/python3"  # Debian's own, which has Debian's FastAPI


def get(url, timeout=2):
    """Status, headers and body of an answer, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def as_postgres(argv):
    """Postgres refuses to run as root."""
    if os.getuid() != 0:
        return argv
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=INT", *argv]


def postgres_program(name):
    """One of the newest PostgreSQL's own programs, which Debian keeps from PATH."""
    return os.path.join(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1], name)


def give_to_postgres(path):
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(path, user.pw_uid, user.pw_gid)


class Stack:
    """`with Stack() as stack:` starts everything on free ports and leaves nothing behind."""

    versions = {"blue": "v1.0.0", "green": "v1.1.0"}

    def __init__(self, folder=None):
        self.folder = folder
        self.children = []
        self.ports = {name: free_port() for name in ("postgres", "redis", "blue", "green", "front", "agent")}
        self.slots = {}
        self.nginx = None

    def __enter__(self):
        try:
            if not self.folder:
                with uninterrupted():
                    self.folder = tempfile.mkdtemp(prefix="flipback-demo-")
            os.chmod(self.folder, 0o755)  # Postgres runs as another user
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *unused):
        self.stop()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self):
        self._start_postgres()
        self._start_redis()
        self._fill()
        for slot in ("blue", "green"):
            self.start_slot(slot)
        for slot in ("blue", "green"):
            self.wait_slot(slot)
        self._write_nginx()
        self.start_nginx()

    def stop(self):
        with uninterrupted():
            for child in reversed(self.children):
                child.stop()
            self.children.clear()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def child(self, name, argv, **how):
        with uninterrupted():
            made = Child(name, argv, self.path(f"{name}.log"), **how)
            self.children.append(made)
        return made

    def finish(self, name, argv, **how):
        """Runs a command to its end."""
        child = self.child(name, argv, **how)
        if child.process.wait() != 0:
            raise RuntimeError(f"{name} failed:\n{child.output()}")
        self.children.remove(child)

    # The servers, in the order in which they depend on each other.

    def _start_postgres(self):
        home = self.path("postgres")
        os.mkdir(home)
        give_to_postgres(home)
        password = os.path.join(home, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write("secret")
        os.chmod(password, 0o644)
        data = os.path.join(home, "data")
        self.finish("initdb", as_postgres([postgres_program("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}",
                                           "-E", "UTF8", "--locale=C.UTF-8", "-N"]), cwd=home)
        server = as_postgres([postgres_program("postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.ports['postgres']}",
                              "-c", f"unix_socket_directories={home}", "-c", "max_connections=50", "-c", "fsync=off", "-c", "shared_buffers=32MB"])
        self.postgres = self.child("postgres", server, stop_signal=signal.SIGINT, cwd=home)
        self.database = f"host=127.0.0.1 port={self.ports['postgres']} user=postgres password=secret dbname=postgres"
        wait_until("Postgres", lambda: subprocess.run([postgres_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.ports["postgres"])],
                                                      check=False).returncode == 0, child=self.postgres)

    def _start_redis(self):
        self.redis = self.child("redis", [program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.ports["redis"]), "--dir", self.folder,
                                          "--save", "", "--appendonly", "no", "--requirepass", "secret"])
        wait_until("Redis", lambda: socket.create_connection(("127.0.0.1", self.ports["redis"]), 1).close() is None, child=self.redis)

    def _fill(self):
        sql = ("CREATE TABLE properties (id int PRIMARY KEY, city text, price int);"
               "INSERT INTO properties SELECT i, 'City ' || i, 100000 + i * 1000 FROM generate_series(1, 100) i;")
        self.finish("psql", [program("psql"), "-q", "-X", self.database, "-c", sql])

    def start_slot(self, slot, version=None):
        env = dict(os.environ, VERSION=version or self.versions[slot], FAULT=self.fault_file(slot), DATABASE=self.database,
                   REDIS_PORT=str(self.ports["redis"]), PYTHONDONTWRITEBYTECODE="1")
        env.pop("PYTHONPATH", None)
        argv = [PYTHON, "-m", "uvicorn", "--app-dir", HERE, "--host", "127.0.0.1", "--port", str(self.ports[slot]), "--log-level", "warning", "api:app"]
        self.slots[slot] = self.child(slot, argv, env=env)

    def wait_slot(self, slot):
        wait_until(slot, lambda: get(self.slot_url(slot) + "/health")[0], child=self.slots[slot])

    def _write_nginx(self):
        for folder in ("sites-available", "sites-enabled", "temp"):
            os.makedirs(self.path("nginx", folder))
        for slot in ("blue", "green"):
            with open(self.site(slot), "w", encoding="utf-8") as file:
                file.write(self.site_text(slot))
        shutil.copyfile(self.site("blue"), self.live_site)
        with open(self.path("nginx", "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(self._nginx_conf())

    def start_nginx(self):
        self.nginx = self.child("nginx", self.nginx_command("-g", "daemon off;"), death_signal=signal.SIGTERM, stop_signal=signal.SIGTERM)
        wait_until("nginx", lambda: get(self.front_url + "/health")[0] == 200, child=self.nginx)

    def _nginx_conf(self):
        temp = "\n".join(f"  {kind}_temp_path {self.path('nginx', 'temp', kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""worker_processes 2;
pid {self.nginx_pid};
error_log {self.nginx_error_log} notice;
events {{ worker_connections 1024; }}
http {{
  default_type application/json;
{temp}
  include {os.path.abspath(LOG_FORMAT)};
  include {self.path('nginx', 'sites-enabled')}/*;
}}
"""

    def site_text(self, slot):
        return f"""# {slot}
upstream api {{ server 127.0.0.1:{self.ports[slot]}; }}
server {{
  listen 127.0.0.1:{self.ports['front']};
  access_log {self.access_log} flipback;
  location / {{
    proxy_pass http://api;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
  }}
}}
"""

    # Where things are.

    def site(self, slot):
        return self.path("nginx", "sites-available", slot)

    @property
    def live_site(self):
        return self.path("nginx", "sites-enabled", "default")

    @property
    def nginx_pid(self):
        return self.path("nginx", "nginx.pid")

    @property
    def nginx_error_log(self):
        return self.path("nginx", "error.log")

    @property
    def access_log(self):
        return self.path("nginx", "access.json")

    @property
    def front_url(self):
        return f"http://127.0.0.1:{self.ports['front']}"

    @property
    def agent_url(self):
        return f"http://127.0.0.1:{self.ports['agent']}"

    def slot_url(self, slot):
        return f"http://127.0.0.1:{self.ports[slot]}"

    def fault_file(self, slot):
        return self.path(f"{slot}.fault")

    # What people and releases do.

    def nginx_command(self, *more):
        return [program("nginx"), "-p", self.path("nginx"), "-c", self.path("nginx", "nginx.conf"), "-e", self.nginx_error_log, *more]

    def cut_over(self, slot):
        """The runbook's three commands."""
        shutil.copyfile(self.site(slot), self.live_site)
        subprocess.run(self.nginx_command("-t"), check=True, capture_output=True)
        subprocess.run(self.nginx_command("-s", "reload"), check=True, capture_output=True)

    def go_bad(self, slot, how):
        """`how`: "errors 0.3", "latency 1.5" or "sick"; see api.py."""
        with open(self.fault_file(slot), "w", encoding="utf-8") as file:
            file.write(how)

    def mend(self, slot):
        if os.path.exists(self.fault_file(slot)):
            os.unlink(self.fault_file(slot))

    def forget_agents(self):
        """Takes away what agents have left in the folder: their configuration, logs, state, and what files said before."""
        for name in os.listdir(self.folder):
            if not name.startswith("flipback"):
                continue
            if os.path.isdir(self.path(name)):
                shutil.rmtree(self.path(name))
            else:
                os.unlink(self.path(name))

    def accepting_workers(self):
        """nginx's workers but those that are shutting down."""
        with open(self.nginx_pid, encoding="ascii") as file:
            master = int(file.read())
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as file:
            children = file.read().split()
        found = set()
        for pid in children:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                if "shutting down" not in file.read():
                    found.add(pid)
        return found

    def live(self):
        """The slot that a user reaches now."""
        release = get(self.front_url + "/health")[1].get("X-Release")
        return next((slot for slot, version in self.versions.items() if version == release), None)

    def configuration(self, mode="act", extra="", agent="", short_rules=True):
        """Flipback's configuration for this stack, with windows of seconds instead of minutes."""
        rules = """
[[rules]]                       # built in with 20s to 5m; seconds here, so that nobody has to wait
name = "error-rate"
when = "traffic.error_rate over 10s > 5% and traffic.error_rate over 3s > 5%"
until = "traffic.error_rate over 3s < 4%"
after = "10s"
min_samples = 50
min_errors = 15
then = "rollback"

[[rules]]
name = "latency"
when = "traffic.p95 over 10s > 1000ms and traffic.p95 over 3s > 1000ms"
until = "traffic.p95 over 3s < 800ms"
after = "10s"
min_samples = 50
then = "rollback"

[[rules]]
name = "outage"
enabled = false
""" if short_rules else ""
        return f"""[agent]
listen = "127.0.0.1:{self.ports['agent']}"
state = "{self.path('flipback.db')}"
socket = "{self.path('flipback.sock')}"
log_format = "json"
log_level = "debug"
{agent}
[deployment]
mode = "{mode}"
window = "15m"
live_site = "{self.live_site}"
front_door = {{ url = "{self.front_url}/health", identity = "/version" }}
confirm = 3

[nginx]
binary = "{program('nginx')}"
prefix = "{self.path('nginx')}"
conf = "{self.path('nginx', 'nginx.conf')}"
pid = "{self.nginx_pid}"
error_log = "{self.nginx_error_log}"

[slots.blue]
url = "{self.slot_url('blue')}"
site = "{self.site('blue')}"
expect = {{ status = 200, "/status" = "healthy" }}

[slots.green]
url = "{self.slot_url('green')}"
site = "{self.site('green')}"
expect = {{ status = 200, "/status" = "healthy" }}

[probes.api]
type = "http"
url = "{self.front_url}/health"
every = "1s"

[probes.postgres]
type = "postgres"
host = "127.0.0.1"
port = {self.ports['postgres']}
database = "postgres"
user = "postgres"
password = "secret"
every = "1s"
timeout = "900ms"

[probes.redis]
type = "redis"
url = "redis://127.0.0.1:{self.ports['redis']}"
password = "secret"
every = "1s"
timeout = "900ms"

[probes.traffic]
type = "access_log"
path = "{self.access_log}"
{rules}{extra}"""

    def write_configuration(self, text, name="flipback.toml"):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
