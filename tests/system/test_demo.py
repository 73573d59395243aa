"""The demo, as a person runs it."""

import glob
import os
import random
import re
import signal
import subprocess
import tempfile
import time

import pytest
from conftest import BINARY, ROOT


def left_behind():
    return set(glob.glob(os.path.join(tempfile.gettempdir(), "flipback-demo-*")))


def processes_of(session):
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == session]


def session_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return None


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return "(ended)"


def start(*arguments):
    return subprocess.Popen([os.path.join(ROOT, "packaging", "demo", "run"), *arguments], env=dict(os.environ, FLIPBACK=BINARY), start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_demo_saves_the_deployment_and_leaves_nothing_behind():
    before = left_behind()
    demo = start("--scenario", "errors", "--plain")
    said, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, said
    assert re.search(r"blue with v1\.0\.0 is live, proven in \d+ms", said), said
    assert left_behind() == before
    assert [command_of(pid) for pid in processes_of(demo.pid)] == []


@pytest.mark.parametrize("part", range(4))
def test_ctrl_c_at_any_instant_leaves_nothing_behind(part):
    before = left_behind()
    demo = start("--scenario", "latency", "--plain")
    instant = random.uniform(4 * part, 4 * part + 4)
    time.sleep(instant)
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode in (130, -signal.SIGINT), f"after {instant:.3f} s: exit {demo.returncode}\n{said}"
    assert left_behind() == before, f"after {instant:.3f} s"
    time.sleep(0.2)  # what the kernel has just been told to end
    assert [command_of(pid) for pid in processes_of(demo.pid)] == [], f"after {instant:.3f} s"
