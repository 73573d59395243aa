"""Children that never outlive us: each in its own process group, signalled by the kernel when we die, ended by pid."""

import collections
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time


_reserved = collections.deque()  # sockets that say which ports are ours


def free_port():
    """A TCP port that nobody listens on, below the range from which clients take theirs. Until 300 others have been asked for, no other process
    on this machine that asks here is given it: an abstract Unix socket, which ends with us, stands for it."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        reservation = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            try:
                reservation.bind(f"\0flipback-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
        _reserved.append(reservation)
        if len(_reserved) > 300:
            _reserved.popleft().close()
        return port
    raise RuntimeError("no free port between 20000 and 32000")


@contextlib.contextmanager
def uninterrupted():
    """Ctrl-C and its like wait until this is over. Python gives them to the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


class Child:
    """A program started in the background; its output goes to a file. No Python runs between fork and exec: where there are threads, it may hang."""

    def __init__(self, name, argv, log, env=None, cwd=None, death_signal=signal.SIGKILL, stop_signal=signal.SIGTERM, stderr=None):
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        until_we_die = ["setpriv", "--pdeathsig", signal.Signals(death_signal).name.removeprefix("SIG"), "--"]
        with open(log, "ab") as out:
            self.process = subprocess.Popen([*until_we_die, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=stderr or out, env=env, cwd=cwd, process_group=0)
        self.pid = self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, patience=5):
        if not self.alive():
            return self.process.returncode
        os.kill(self.pid, signal.SIGCONT)
        os.kill(self.pid, self.stop_signal)
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            status = self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # children of its own that it did not end
        return status

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


def wait_until(what, condition, seconds=30, child=None):
    """Waits for a condition to become true; says what did not come about."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child is not None and not child.alive():
            raise RuntimeError(f"{child.name} ended while waiting for {what}:\n{child.output()[-2000:]}")
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.02)
    tail = "" if child is None else ":\n" + child.output()[-2000:]
    raise RuntimeError(f"{what}: not within {seconds} s{tail}")


def program(*names):
    """The first of these programs that is installed."""
    for name in names:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
        if path:
            return path
    raise RuntimeError(f"{names[0]} is not installed")
