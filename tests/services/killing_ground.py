"""The host on which an agent is killed: one nginx, two slots, and a switch of one of four kinds, all in one folder."""

import os
import shutil
import signal
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "packaging", "demo"))

from processes import Child, free_port, program, uninterrupted, wait_until  # noqa: E402
from stack import LOG_FORMAT, PYTHON, get  # noqa: E402

SWITCHES = ("one", "two", "text", "link")  # one live file, two, pieces of one, a link
SLOTS = ("blue", "green")


class Ground:
    """`with Ground("two") as ground:` has blue live behind nginx, on free ports, and leaves nothing behind."""

    def __init__(self, switch):
        self.switch = switch
        self.children = []
        self.folder = None
        self.slot_ports = {slot: free_port() for slot in SLOTS}
        self.front_ports = [free_port() for _ in self.live_names()]

    def __enter__(self):
        try:
            with uninterrupted():
                self.folder = tempfile.mkdtemp(prefix="flipback-kills-")
            os.chmod(self.folder, 0o755)
            for name in ("live", "sites", "temp", "state"):
                os.mkdir(self.path(name))
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        with uninterrupted():
            for child in reversed(self.children):
                child.stop()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def child(self, name, argv, **how):
        with uninterrupted():
            made = Child(name, argv, self.path(f"{name}.log"), **how)
            self.children.append(made)
        return made

    def _start(self):
        slots = self.child("slots", [PYTHON, os.path.join(HERE, "killing_slots.py"), *(str(port) for port in self.slot_ports.values())])
        for slot in SLOTS:
            wait_until(slot, lambda slot=slot: get(self.slot_url(slot))[0] == 200, child=slots)
        self._write_sites()
        temp = "\n".join(f"  {kind}_temp_path {self.path('temp', kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"worker_processes 2;\npid {self.path('nginx.pid')};\nerror_log {self.path('error.log')} notice;\n"
                       f"events {{ worker_connections 256; }}\nhttp {{\n{temp}\n  include {os.path.abspath(LOG_FORMAT)};\n  include {self.path('live')}/*;\n}}\n")
        self.make_live("blue")
        self.nginx = self.child("nginx", [*self.nginx_command(), "-g", "daemon off;"], death_signal=signal.SIGTERM)
        wait_until("nginx", lambda: self.served() == {"v0"}, child=self.nginx)

    def nginx_command(self):
        return [program("nginx"), "-p", self.folder, "-c", self.path("nginx.conf"), "-e", self.path("error.log")]

    # What stands where.

    def live_names(self):
        return ("api", "admin") if self.switch == "two" else ("api",)

    def live(self, name):
        return self.path("live", name)

    def site(self, name, slot):
        return self.path("sites", f"{name}-{slot}")

    def piece(self, slot):
        return f"server 127.0.0.1:{self.slot_ports[slot]};"

    def site_text(self, name, slot):
        port = self.front_ports[self.live_names().index(name)]
        mark = "whatever else a person has written here, \u00fcber alles" if self.switch == "text" else slot
        return (f"# {mark}\nupstream {name} {{ {self.piece(slot)} keepalive 4; }}\nserver {{\n  listen 127.0.0.1:{port};\n"
                f"  access_log {self.path('access.json')} flipback;\n  location / {{ proxy_pass http://{name}; proxy_http_version 1.1; "
                f"proxy_set_header Connection \"\"; }}\n}}\n")

    def _write_sites(self):
        for slot in SLOTS:
            for name in self.live_names():
                with open(self.site(name, slot), "w", encoding="utf-8") as file:
                    file.write(self.site_text(name, slot))

    def spoil(self, slot):
        """From now on nginx refuses what is put there of this slot."""
        with open(self.site(self.live_names()[-1], slot), "a", encoding="utf-8") as file:
            file.write("this is no directive;\n")

    def make_live(self, slot):
        """As a person does it, in one step a file."""
        for name in self.live_names():
            beside = self.path("sites", "beside")
            if self.switch == "link":
                os.symlink(f"../sites/{name}-{slot}", beside)
            else:
                shutil.copyfile(self.site(name, slot), beside)
            os.rename(beside, self.live(name))

    def named(self):
        """For each live file or link the slot that it names; None where it is neither's, byte for byte."""
        return [self._named(name) for name in self.live_names()]

    def _named(self, name):
        for slot in SLOTS:
            if self.switch == "link":
                if os.path.islink(self.live(name)) and os.readlink(self.live(name)) == f"../sites/{name}-{slot}":
                    return slot
                continue
            if os.path.islink(self.live(name)):
                return None
            with open(self.live(name), encoding="utf-8", errors="replace") as file:
                if file.read() == self.site_text(name, slot):
                    return slot
        return None

    def identities(self):
        """What tells whether a live file or link has been replaced."""
        return [os.lstat(self.live(name)).st_ino for name in self.live_names()]

    def leftovers(self):
        """What lies beside the live files and is neither one of them nor an agent's lock."""
        known = {*self.live_names(), *(f".{name}.flipback-lock" for name in self.live_names())}
        return sorted(set(os.listdir(self.path("live"))) - known)

    def slot_url(self, slot):
        return f"http://127.0.0.1:{self.slot_ports[slot]}/health"

    def served(self, times=1):
        """The releases that users reach, by so many fresh connections to each site."""
        return {self._release(f"http://127.0.0.1:{port}/health") for port in self.front_ports for _ in range(times)}

    @staticmethod
    def _release(url):
        status, _, body = get(url)
        return body.partition('"version": "')[2].partition('"')[0] if status in (200, 500) else f"status {status}"

    def be(self, slot, release, fault):
        get(f"http://127.0.0.1:{self.slot_ports[slot]}/be/{release}/{fault}")

    def workers(self):
        """nginx's workers that accept."""
        found = set()
        with open(f"/proc/{self.nginx.pid}/task/{self.nginx.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for pid in children:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if b"worker process" in (line := file.read()) and b"shutting down" not in line:
                        found.add(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def reload(self, wait=False):
        old = self.workers()
        self.nginx.signal(signal.SIGHUP)
        if wait:
            wait_until("the new workers alone", lambda: self.workers() and not old & self.workers(), child=self.nginx)

    def reset(self):
        """Blue is live, nobody watches, and nothing is remembered."""
        for folder in ("state", "live"):
            for name in os.listdir(self.path(folder)):
                if folder == "live" and name in self.live_names():
                    continue
                if os.path.isdir(self.path(folder, name)):
                    shutil.rmtree(self.path(folder, name))
                else:
                    os.unlink(self.path(folder, name))
        for name in ("access.json", "error.log"):
            if os.path.exists(self.path(name)):
                os.truncate(self.path(name), 0)
        self._write_sites()
        if self.named() != ["blue"] * len(self.live_names()):
            self.make_live("blue")
        if self.served() != {self._release(self.slot_url("blue"))}:
            self.reload(wait=True)

    # What the agent is told, and what it has written.

    def configuration(self, confirm, rule, traffic):
        if self.switch == "two":
            keys = "live_sites = [" + ", ".join(
                f'{{ live = "{self.live(n)}", blue = "{self.site(n, "blue")}", green = "{self.site(n, "green")}" }}' for n in self.live_names()) + "]"
        else:
            keys = f'live_{"link" if self.switch == "link" else "site"} = "{self.live("api")}"'
        slots = ""
        for slot in SLOTS:
            own = {"one": f'site = "{self.site("api", slot)}"', "two": "", "text": f'text = ["{self.piece(slot)}"]', "link": f'target = "../sites/api-{slot}"'}
            slots += (f'[slots.{slot}]\nurl = "http://127.0.0.1:{self.slot_ports[slot]}"\nexpect = {{ status = 200, "/status" = "healthy" }}\n{own[self.switch]}\n')
        log = f'[probes.traffic]\ntype = "access_log"\npath = "{self.path("access.json")}"' if traffic else ""
        return f"""[agent]
listen = ""
state = "{self.path('state', 'flipback.db')}"
socket = "{self.path('state', 'flipback.sock')}"
log_format = "json"
[deployment]
mode = "act"
window = "15m"
{keys}
front_door = {{ url = "http://127.0.0.1:{self.front_ports[0]}/health", identity = "/version" }}
confirm = {confirm}
confirm_every = "20ms"
watch_every = "50ms"
[nginx]
binary = "{program('nginx')}"
prefix = "{self.folder}"
conf = "{self.path('nginx.conf')}"
pid = "{self.path('nginx.pid')}"
error_log = "{self.path('error.log')}"
{slots}
[probes.work]
type = "http"
url = "http://127.0.0.1:{self.front_ports[0]}/work"
every = "250ms"
timeout = "240ms"
{log}
{rule}
"""

    def journal(self):
        """How many attempts the journal calls over, and the rows of the newest one that it has (see agent/rollback/journal_frames.hpp)."""
        try:
            with open(self.path("state", "flipback.journal"), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return 0, 0, []
        heads = [struct.unpack_from("<QQ", data, at + 16) for at in (0, 4096) if data[at:at + 8] == b"\xffFLIPJR\n"]
        frames = {}
        for at in range(8192, len(data) - 32, 4096):
            if data[at:at + 8] != b"\xffFLIPROW":
                continue
            size, _, attempt, number = struct.unpack_from("<IIQQ", data, at + 8)
            frames.setdefault(attempt, {})[number] = data[at + 32:at + 32 + size]
        newest = max(frames, default=0)
        rows = frames.get(newest, {})
        return (max(heads)[1] if heads else 0), newest, [rows.get(n) for n in range(max(rows, default=-1) + 1)]
