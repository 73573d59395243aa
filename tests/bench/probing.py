"""The cost of an HTTP probe, its schedule and memory, beside a bare Beast loop and blackbox_exporter."""

import os
import shutil
import socket
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
        self.deaf = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]  # never read from
        self.deaf_port = free_port()
        for hearing in self.deaf:
            hearing.bind(("127.0.0.1", self.deaf_port))
        self.deaf[1].listen(4096)
        self.server = self.child("targets", [f"{build}/tests/bench/target_server", str(self.port)])
        wait_until("the targets", lambda: get(f"http://127.0.0.1:{self.port}/t/0")[0] == 200, child=self.server)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for child in reversed(self.children):
            child.stop()
        for hearing in self.deaf:
            hearing.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def child(self, name, argv):
        made = Child(name, argv, os.path.join(self.folder, name + ".log"))
        self.children.append(made)
        return made

    def flipback(self, targets, keep_alive=False, hung=0, more=""):
        path = os.path.join(self.folder, "flipback.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[agent]\nlisten = "127.0.0.1:{free_port()}"\nlog_level = "critical"\nname_servers = ["127.0.0.1:{self.deaf_port}"]\n')
            for i in range(targets):
                which, timeout = ("hang", "5s") if i < hung else ("t", "1s")
                file.write(f'[probes.t{i}]\ntype = "http"\nurl = "http://127.0.0.1:{self.port}/{which}/{i}"\nevery = "1s"\ntimeout = "{timeout}"\n'
                           f'keep_alive = {str(keep_alive).lower()}\n')
            file.write(more)
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


def many(build, rounds):
    heading("10,000 targets at 1 s (goal: deviation p99 <= 5 ms, 0 missed, CPU a probe no more than with 2,000)")
    row("", "CPU a probe", "beside 2,000", "deviation p99", "missed", "private", "resident")
    few, lots = [], []
    for _ in range(rounds):
        with Ground(build) as ground:
            few.append(ground.measure(ground.flipback(2000, True), 8, 2000))
            lots.append(ground.measure(ground.flipback(10000, True), 8, 10000))
    show("10,000, kept alive", lots, show("2,000, kept alive", few))


def memory(build, rounds):
    heading("Memory (goal: private <= 5 / 6 / 12 MB, resident <= 18 / 19 / 26 MB)")
    row("targets", "private", "resident", "deviation p99", "missed")
    os.sync()  # a page of a program that was just built counts as the process' own until it is on the disk
    for targets in (20, 200, 2000):
        results = []
        for _ in range(rounds):
            with Ground(build) as ground:
                floor = ground.child("floor", [f"{build}/tests/bench/floor"])
                results.append(ground.measure(ground.flipback(targets), 4, targets))
                floor.stop()
        mid = {key: median([r[key] for r in results]) for key in results[0]}
        row(str(targets), f"{mid['private']:.1f} MB", f"{mid['resident']:.1f} MB", f"{mid['p99']:.2f} ms", f"{mid['missed']:.2%}")
    with Ground(build) as ground:
        floors = [ground.child(name, [f"{build}/tests/bench/floor"]) for name in ("floor", "other")]
        time.sleep(1)
        private, resident = memory_of(floors[0].pid)
        row("floor: the libraries, set up", f"{private:.1f} MB", f"{resident:.1f} MB")


def hung(build, rounds):
    heading("A quarter of 200 targets hung, time-out 5 s (goal: the others' deviation p99 <= 5 ms, 0 missed)")
    row("", "CPU a probe", "", "deviation p99", "missed", "private", "resident")
    results = []
    for _ in range(rounds):
        with Ground(build) as ground:
            results.append(ground.measure(ground.flipback(200, hung=50), 12, 150))
    show("flipback", results)


def deaf(build, rounds):
    heading("Postgres, Redis and the name server all hung, 20 HTTP targets at 1 s (goal: the schedule moves by < 10 ms at p99)")
    row("", "CPU a probe", "", "deviation p99", "missed", "private", "resident")
    for name, count in (("all well", 0), ("10 of each hung", 10)):
        results = []
        for _ in range(rounds):
            with Ground(build) as ground:
                more = ""
                for i in range(count):
                    timing = 'every = "1s"\ntimeout = "900ms"\n'
                    more += f'[probes.postgres{i}]\ntype = "postgres"\nhost = "127.0.0.1"\nport = {ground.deaf_port}\n{timing}'
                    more += f'[probes.redis{i}]\ntype = "redis"\nurl = "redis://127.0.0.1:{ground.deaf_port}"\n{timing}'
                    more += f'[probes.named{i}]\ntype = "http"\nurl = "http://service{i}.test/"\n{timing}'
                results.append(ground.measure(ground.flipback(20, more=more), 12, 20))
        show(name, results)
