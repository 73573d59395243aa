"""The system tests' ground: the demo's stack, the agent under test, users. $FLIPBACK is the binary."""

import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(ROOT, *parts) for parts in (("packaging", "demo"), ("tests", "services"), ("tests", "system"))]

from follow import JsonLines, Users, metrics  # noqa: E402
from layout import Layout  # noqa: E402
from package import built  # noqa: E402
from processes import Child, wait_until  # noqa: E402
from stack import PYTHON, Stack, get  # noqa: E402

LONGEST = 900  # seconds for one test with all that it sets up, unless it is marked with another number: `@pytest.mark.longest(1800)`
BINARY = os.environ.get("FLIPBACK", os.path.join(ROOT, "build", "release", "flipback"))


def pytest_configure(config):
    config.addinivalue_line("markers", "longest(seconds): how long the test may take")


class ByFile(LoadScopeScheduling):
    """With `-n`, the tests of a file run one after another in one process, and so do all that run a Docker Engine, whose containers have the
    ports of this host. Between files nothing is shared but the machine."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        return "engine" if os.path.basename(file) in ("test_installed.py", "test_package.py", "test_sidecar.py") else file


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs, be it where it cleans up after it has failed, fails with what each thread was at, and the others are still run."""
    marked = item.get_closest_marker("longest")
    seconds = marked.args[0] if marked else LONGEST

    def give_up(*_):
        faulthandler.dump_traceback(file=2, all_threads=True)
        raise TimeoutError(f"{item.nodeid} has not ended within {seconds} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, 60)  # once more each minute: what is cleaned up then may hang as well
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


class Agent:
    """A running agent and the events that it has told."""

    def __init__(self, stack, configuration, name="flipback", within=()):
        self.stack = stack
        self.child = stack.child(name, [*within, BINARY, "--config", configuration])
        self.lines = JsonLines(self.child.log)
        self.events = []

    def ready(self):
        self.wait("agent.ready")
        return self

    def update(self):
        self.events += self.lines.new()
        return self.events

    def of(self, kind, **fields):
        return [e for e in self.update() if e["kind"] == kind and all(e.get(k) == v for k, v in fields.items())]

    def wait(self, kind, seconds=30, **fields):
        return wait_until(f"{kind} {fields}", lambda: self.of(kind, **fields), seconds, self.child)[-1]

    def kinds(self):
        return [e["kind"] for e in self.update()]


class Traffic:
    """Users in a thread of their own: a request every 1/rate s on a path that needs neither Postgres nor Redis."""

    def __init__(self, stack, rate=60, path="/api/v1/ping"):
        load = os.path.join(ROOT, "packaging", "demo", "load.py")
        self.child = stack.child("users", [PYTHON, load, stack.front_url + path, str(rate), "0"])
        self.users = Users(self.child.log)

    def stop(self):
        self.child.stop(patience=15)
        self.users.update()
        return self.users


@pytest.fixture
def probe(tmp_path):
    """Runs one probe once with `--check` and gives its entry; `table` is its TOML without the head; `within` comes before the command."""

    def run(kind, table, agent="", environment=None, within=()):
        path = tmp_path / "probe.toml"
        path.write_text(f"{agent}\n[probes.it]\ntype = \"{kind}\"\n{table}\n", encoding="utf-8")
        done = subprocess.run([*within, BINARY, "--check", "--format", "json", "--config", path], capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, **(environment or {})))
        assert done.returncode in (0, 1, 3), done.stderr
        entry = json.loads(done.stdout)["probes"][0]
        assert done.returncode == {"pass": 0, "fail": 1, "unknown": 3}[entry["outcome"]]
        return entry

    return run


def is_now(entry, outcome, reason=None, says=""):
    """Holds an entry of `--check` against what is expected of it."""
    assert (entry["outcome"], entry.get("reason") if reason else None) == (outcome, reason), entry
    assert says in entry["says"], entry
    return entry


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A certificate authority, and under it good.pem (service.test, 127.0.0.1), old.pem (ended); alone.pem signed itself. below.pem is the
    same as good.pem under an authority of its own, middle.pem, which comes with it, is under the first and ends in five days. crossed.pem
    is good.pem, and with it the authority as an older one has signed it, which has ended."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    names = "subjectAltName=DNS:service.test,IP:127.0.0.1"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=The test's authority", "-days", "30")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "alone.key", "-out", "alone.pem", "-subj", "/CN=service.test", "-addext", names)
    for name, days, by, extensions in (("good", "20", "ca", names), ("old", "-1", "ca", names), ("middle", "5", "ca", "basicConstraints=critical,CA:TRUE"),
                                       ("below", "20", "middle", names)):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=The authority between" if name == "middle" else "/CN=service.test")
        (folder / "extensions").write_text(extensions)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", days, "-extfile", "extensions")
    # As Let's Encrypt did until 2024: an older authority, which has ended, has signed the one that is trusted, and the server sends that as well.
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "older.key", "-out", "older.pem", "-subj", "/CN=An older authority", "-days", "30")
    openssl("req", "-new", "-key", "ca.key", "-out", "crossed.csr", "-subj", "/CN=The test's authority")
    (folder / "extensions").write_text("basicConstraints=critical,CA:TRUE")
    openssl("x509", "-req", "-in", "crossed.csr", "-CA", "older.pem", "-CAkey", "older.key", "-CAcreateserial", "-out", "crossed.pem", "-days", "-1", "-extfile", "extensions")
    (folder / "crossed.key").write_bytes((folder / "good.key").read_bytes())
    (folder / "crossed.pem").write_text((folder / "good.pem").read_text() + (folder / "crossed.pem").read_text())
    (folder / "below.pem").write_text((folder / "below.pem").read_text() + (folder / "middle.pem").read_text())
    return folder


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package of this tree, built once."""
    return built(ROOT, str(tmp_path_factory.mktemp("deb")))


@pytest.fixture(scope="session")
def session_stack():
    with Stack() as stack:
        yield stack


@pytest.fixture
def stack(session_stack):
    """The shared servers with blue live, both slots well, and no state of an agent; what a test started is ended after it."""
    keep = list(session_stack.children)
    for slot in ("blue", "green"):
        session_stack.mend(slot)
        if not session_stack.slots[slot].alive():
            session_stack.start_slot(slot)
            session_stack.wait_slot(slot)
            keep.append(session_stack.slots[slot])
    if not session_stack.nginx.alive():
        session_stack.start_nginx()
        keep.append(session_stack.nginx)
    for slot in ("blue", "green"):
        with open(session_stack.site(slot), "w", encoding="utf-8") as file:
            file.write(session_stack.site_text(slot))
    if os.path.islink(session_stack.live_site):
        os.unlink(session_stack.live_site)
    with open(session_stack.access_log, "w", encoding="ascii"):
        pass  # what earlier tests' users saw is not this one's past
    old = session_stack.accepting_workers()
    session_stack.cut_over("blue")
    wait_until("blue", lambda: session_stack.live() == "blue")
    # Old workers accept for a moment more: an agent that asked one of them would take green for the baseline.
    wait_until("the new workers alone", lambda: not old & session_stack.accepting_workers())
    session_stack.forget_agents()
    if os.path.exists(session_stack.path("users.log")):
        os.unlink(session_stack.path("users.log"))
    yield session_stack
    for child in reversed(session_stack.children):
        if child not in keep and child is not session_stack.slots.get(child.name):
            child.stop()
    session_stack.children = [c for c in session_stack.children if c.alive()]
    for child in session_stack.children:
        child.signal(18)  # CONT: what a test had stopped goes on


@pytest.fixture
def start_agent(stack):
    def start(mode="act", **how):
        return Agent(stack, stack.write_configuration(stack.configuration(mode=mode, **how))).ready()
    return start


# Windows of two seconds: the tests wait for them again and again.
FAST = """
[[rules]]
name = "error-rate"
when = "traffic.error_rate over 2s > 5%"
after = "2s"
min_samples = 20
min_errors = 5
then = "rollback"

[[rules]]
name = "outage"
enabled = false
"""


@pytest.fixture
def fast_agent(start_agent):
    def start(mode="act", extra="", **how):
        return start_agent(mode, short_rules=False, extra=FAST + extra, **how)
    return start


@pytest.fixture
def lay_out(tmp_path, stack):
    """Starts an nginx of somebody else's in front of both slots, with files like these; ended after the test."""
    made = []

    def start(files, **how):
        made.append(Layout(tmp_path / f"host{len(made) or ''}", stack, files, **how))
        return made[-1].__enter__()

    yield start
    for layout in made:
        layout.stop()
