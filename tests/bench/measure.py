"""Figures of a process from /proc, and how they are printed."""

import os
import re
import statistics

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """CPU time of all its threads, by the scheduler's own count (nanoseconds) where there is one."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def memory(pid):
    """Private and resident memory in MB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    size = lambda name: sum(int(n) for n in re.findall(rf"^{name}: +(\d+) kB", text, re.M)) / 1024  # noqa: E731
    return size("Private_(?:Clean|Dirty)"), size("Rss")


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def median(values):
    return statistics.median(values) if values else float("nan")


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def row(name, *cells):
    print(f"  {name:<34}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
