"""The cost of an HTTP probe, its schedule and memory, beside a bare Beast loop and blackbox_exporter."""

import os
import shutil
import tempfile
import time

from measure import cpu_seconds, heading, median, memory as memory_of, quantile, row
from processes import Child, free_port, wait_until
from stack import get

SETTLE = 3  # seconds before the figures count


class Ground:
    """A folder, a server that notes when each target is asked, and children that end with it."""

    def __init__(self, build):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix="flipback-bench-")
        self.port = free_port()
        self.children = []
        self.server = self.child("targets", [f"{build}/tests/bench/target_server", str(self.port)])
        wait_until("the targets", lambda: get(f"http://127.0.0.1:{self.port}/t/0")[0] == 200, child=self.server)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for child in reversed(self.children):
            child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def child(self, name, argv):
        made = Child(name, argv, os.path.join(self.folder, name + ".log"))
        self.children.append(made)
        return made

    def flipback(self, targets, keep_alive=False, hung=0):
        path = os.path.join(self.folder, "flipback.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[agent]\nlisten = "127.0.0.1:{free_port()}"\nlog_level = "critical"\n')
            for i in range(targets):
                which, timeout = ("hang", "5s") if i < hung else ("t", "1s")
                file.write(f'[probes.t{i}]\ntype = "http"\nurl = "http://127.0.0.1:{self.port}/{which}/{i}"\nevery = "1s"\ntimeout = "{timeout}"\n'
                           f'keep_alive = {str(keep_alive).lower()}\n')
        return self.child("flipback", [f"{self.build}/flipback", "--config", path])

    def bare(self, targets, keep_alive=False):
        return self.child("bare", [f"{self.build}/tests/bench/bare_loop", str(self.port), str(targets), "3600", *(["keep-alive"] if keep_alive else [])])

    def asked(self):
        """When each target was asked since the last call."""
        text = get(f"http://127.0.0.1:{self.port}/dump", timeout=30)[2]
        found = {}
        for line in text.splitlines():
            number, *times = line.split()
            found[int(number)] = [float(t) for t in times]
        return found

    def measure(self, child, seconds, targets):
        """CPU milliseconds a probe, the interval's deviation p99 in ms, missed runs' share, memory."""
        time.sleep(SETTLE)
        self.asked()
        began, cpu = time.monotonic(), cpu_seconds(child.pid)
        time.sleep(seconds)
        took, cpu = time.monotonic() - began, cpu_seconds(child.pid) - cpu
        asked = self.asked()
        private, resident = memory_of(child.pid)
        probes = sum(len(t) for t in asked.values())
        deviations = [abs(b - a - 1) * 1000 for times in asked.values() for a, b in zip(times, times[1:])]
        missed = max(0.0, 1 - probes / (targets * took))
        child.stop()
        return {"cpu": 1000 * cpu / max(1, probes), "p99": quantile(deviations, 0.99), "missed": missed, "private": private, "resident": resident}


def show(name, results, base=None):
    mid = {key: median([r[key] for r in results]) for key in results[0]}
    ratio = f"{mid['cpu'] / base:.2f} x" if base else "1"
    row(name, f"{mid['cpu']:.4f} ms", ratio, f"{mid['p99']:.2f} ms", f"{mid['missed']:.2%}", f"{mid['private']:.1f} MB", f"{mid['resident']:.1f} MB")
    return mid["cpu"]


def cost(build, rounds):
    for keep_alive in (False, True):
        heading(f"HTTP probe at 1 s, 2,000 targets, {'kept alive' if keep_alive else 'a fresh connection each'} (goal: CPU <= 0.7 x, deviation p99 <= 5 ms, 0 missed)")
        row("", "CPU a probe", "beside bare", "deviation p99", "missed", "private", "resident")
        bare, ours = [], []
        for _ in range(rounds):
            with Ground(build) as ground:
                bare.append(ground.measure(ground.bare(2000, keep_alive), 10, 2000))
                ours.append(ground.measure(ground.flipback(2000, keep_alive), 10, 2000))
        base = show("bare Beast loop", bare)
        show("flipback", ours, base)
        if not keep_alive:
            blackbox(build)


def blackbox(build):
    """blackbox_exporter probes when it is asked; a loop here asks it as Prometheus would. At 200 targets: it saturates long before 2,000."""
    program = shutil.which("prometheus-blackbox-exporter")
    if not program:
        row("blackbox_exporter", "not installed: apt-get install prometheus-blackbox-exporter")
        return
    with Ground(build) as ground:
        port = free_port()
        settings = os.path.join(ground.folder, "blackbox.yml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("modules:\n  http_2xx:\n    prober: http\n    timeout: 1s\n")
        exporter = ground.child("blackbox", [program, f"--web.listen-address=127.0.0.1:{port}", f"--config.file={settings}"])
        wait_until("blackbox_exporter", lambda: get(f"http://127.0.0.1:{port}/-/healthy")[0] == 200, child=exporter)
        count, cpu = 0, cpu_seconds(exporter.pid)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            get(f"http://127.0.0.1:{port}/probe?module=http_2xx&target=127.0.0.1:{ground.port}/t/{count % 200}")
            count += 1
        cpu = cpu_seconds(exporter.pid) - cpu
        private, resident = memory_of(exporter.pid)
        row("blackbox_exporter alone, asked", f"{1000 * cpu / count:.4f} ms", "", "", "", f"{private:.1f} MB", f"{resident:.1f} MB")


def memory(build, rounds):
    heading("Memory (goal: private <= 5 / 6 / 12 MB, resident <= 18 / 19 / 26 MB)")
    row("targets", "private", "resident", "deviation p99", "missed")
    for targets in (20, 200, 2000):
        results = []
        for _ in range(rounds):
            with Ground(build) as ground:
                results.append(ground.measure(ground.flipback(targets), 4, targets))
        mid = {key: median([r[key] for r in results]) for key in results[0]}
        row(str(targets), f"{mid['private']:.1f} MB", f"{mid['resident']:.1f} MB", f"{mid['p99']:.2f} ms", f"{mid['missed']:.2%}")


def hung(build, rounds):
    heading("A quarter of 200 targets hung, time-out 5 s (goal: the others' deviation p99 <= 5 ms, 0 missed)")
    row("", "CPU a probe", "", "deviation p99", "missed", "private", "resident")
    results = []
    for _ in range(rounds):
        with Ground(build) as ground:
            results.append(ground.measure(ground.flipback(200, hung=50), 12, 150))
    show("flipback", results)
