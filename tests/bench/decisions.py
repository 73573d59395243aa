"""What the decision is made from: the access log read, and the rules evaluated."""

import os
import subprocess
import tempfile
import time

from follow import JsonLines, seconds
from measure import heading, median, quantile, row
from processes import Child


def log(build, rounds):
    heading("Access log, 1,000,000 JSON lines (goal: >= 0.5 x the bare scan's lines a CPU second, <= 10 MB)")
    row("", "lines/CPU s", "beside scan", "memory")
    with tempfile.TemporaryDirectory(prefix="flipback-bench-") as folder:
        path = os.path.join(folder, "access.json")
        program = f"{build}/tests/bench/log_lines"
        subprocess.run([program, "write", path, "1000000"], check=True)
        speeds, memories, answers = {"scan": [], "ours": []}, {"scan": [], "ours": []}, {}
        for _ in range(3 * rounds):
            for who in speeds:
                lines, requests, errors, p95, cpu, resident = subprocess.run([program, who, path], check=True, capture_output=True, text=True).stdout.split()
                speeds[who].append(int(lines) / float(cpu))
                memories[who].append(int(resident) / 1024)
                answers[who] = (requests, errors, float(p95))
        if answers["scan"][:2] != answers["ours"][:2] or abs(answers["scan"][2] / answers["ours"][2] - 1) > 0.03:
            raise RuntimeError(f"they found different figures: {answers}")
        for who, name in (("scan", "bare memchr scan"), ("ours", "flipback")):
            row(name, f"{median(speeds[who]) / 1e6:.2f} M", f"{median(speeds[who]) / median(speeds['scan']):.2f} x", f"{median(memories[who]):.1f} MB")


def rules(build, rounds):
    heading("1,000 rules over 500 signals (goal: >= 500,000 samples/s; at a sample a second <= 2% of a core)")
    row("", "samples/CPU s", "of a core")
    seconds = 600
    speeds, shares = [], []
    for _ in range(3 * rounds):
        samples, _changes, cpu = subprocess.run([f"{build}/tests/bench/rules_speed", "1000", "500", str(seconds)], check=True, capture_output=True, text=True).stdout.split()
        speeds.append(int(samples) / float(cpu))
        shares.append(float(cpu) / seconds)
    row("flipback", f"{median(speeds) / 1e6:.2f} M", f"{median(shares):.3%}")
    heading("What windows of 5 min hold, a sample a second (bounded: it does not grow with the traffic)")
    row("latencies, at requests/s", "on the heap")

    def window(*of):
        size = subprocess.run([f"{build}/tests/bench/window_memory", *of], check=True, capture_output=True, text=True).stdout
        return f"{int(size) / 1024:.0f} KiB"

    for rate in ("1", "100", "10000"):
        row(rate, window("latencies", rate))
    row("counts, with 10 min before a cutover", window("counts"))
    row("paths: none fails, 8, 64 (the most)", ", ".join(window("paths", paths) for paths in ("0", "8", "64")))


def curve(build, rounds):
    heading("A sample that one rule reads, beside rules on other signals (goal: its cost does not grow with them)")
    row("other rules", "quiet", "beside none", "fed 50 s", "beside none")
    counts, kinds = ("0", "10", "100", "1000", "10000"), ("quiet", "fed")
    costs = {(others, kind): [] for others in counts for kind in kinds}
    for _ in range(3 * rounds):
        for others, kind in costs:
            costs[others, kind].append(float(subprocess.run([f"{build}/tests/bench/rules_curve", others, kind], check=True, capture_output=True, text=True).stdout))
    for others in counts:
        cells = []
        for kind in kinds:
            cells += [f"{median(costs[others, kind]):.0f} ns", f"{median(costs[others, kind]) / median(costs['0', kind]):.2f} x"]
        row(f"{int(others):,}", *cells)


def prompt(build, rounds):
    """Two hundred rules on a service that refuses, each with a `for` of its own: how late each decision came."""
    late = []
    for done in range(rounds):
        with tempfile.TemporaryDirectory(prefix="flipback-bench-") as folder:
            path = os.path.join(folder, "flipback.toml")
            holds = [500 + 13 * i for i in range(200)]
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'[agent]\nlisten = ""\nlog_format = "json"\nstate = "{folder}/state.db"\n[probes.api]\ntype = "tcp"\naddress = "127.0.0.1:1"\nevery = "100ms"\n')
                file.writelines(f'[[rules]]\nname = "r{hold}"\nwhen = "api.up == 0"\nfor = "{hold}ms"\n' for hold in holds)
            agent = Child("flipback", [f"{build}/flipback", "--config", path], os.path.join(folder, "flipback.log"))
            lines, began = JsonLines(agent.log), {}
            try:
                deadline = time.monotonic() + 20
                while len(late) < 200 * (done + 1) and time.monotonic() < deadline:
                    for event in lines.new():
                        if event["kind"] != "verdict.changed" or not event["rule"].startswith("r"):
                            continue
                        if event["to"] == "pending":
                            began[event["rule"]] = seconds(event)
                        elif event["to"] == "breached":
                            late.append(seconds(event) - began[event["rule"]] - int(event["rule"][1:]) / 1000)
                    time.sleep(0.05)
            finally:
                agent.stop()
    heading("How late a decision comes after `for` has elapsed, 200 rules of one agent (goal: <= 50 ms; events have whole milliseconds)")
    row("", "decisions", "median", "P99", "latest")
    row("flipback", str(len(late)), *(f"{1000 * quantile(late, q):.0f} ms" for q in (0.5, 0.99, 1)))


def replay(build, rounds):
    heading("A recorded hour of traffic and 100 gauges a second, judged again by 22 rules (goal: >= 500,000 samples/s)")
    row("", "samples/CPU s", "bytes a sample")
    speeds, sizes = [], []
    for _ in range(3 * rounds):
        samples, size, _changes, cpu = subprocess.run([f"{build}/tests/bench/replay_speed", "100", "3600"], check=True, capture_output=True, text=True).stdout.split()
        speeds.append(int(samples) / float(cpu))
        sizes.append(int(size) / int(samples))
    row("flipback", f"{median(speeds) / 1e6:.2f} M", f"{median(sizes):.1f}")
    dumped(build, rounds)


def dumped(build, rounds):
    heading("A day of eight instances each 5 s, as promtool tsdb dump prints it (goal: 100 MB in 10 s)")
    row("", "dump", "samples/CPU s", "CPU", "memory")
    with tempfile.TemporaryDirectory(prefix="flipback-bench-") as folder:
        path = os.path.join(folder, "dump")
        lines = write_dump(path)
        spent, resident = [], []
        for _ in range(rounds):
            child = subprocess.Popen([f"{build}/flipback", "replay", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                raise RuntimeError(f"flipback replay ended with {child.returncode}")
            spent.append(used.ru_utime + used.ru_stime)
            resident.append(used.ru_maxrss / 1024)
        row("flipback", f"{os.path.getsize(path) / 1e6:.0f} MB", f"{lines / median(spent) / 1e6:.2f} M", f"{median(spent):.2f} s", f"{median(resident):.0f} MB")


def write_dump(path):
    """Series by series, each with all of its samples; how many there are."""
    begin, every, ticks, lines = 1_795_762_000_000, 5_000, 17_280, 0
    names = [f'{{__name__="http_requests_total", handler="/api/v1/ping", instance="%s", job="api", method="GET", status="{status}"}}' for status in ("2xx", "5xx")]
    names += [f'{{__name__="http_request_duration_highr_seconds_bucket", instance="%s", job="api", le="{le}"}}' for le in ("0.1", "0.5", "1.0", "2.5", "+Inf")]
    with open(path, "w", encoding="utf-8") as file:
        for name in names:
            for instance in range(8):
                series = name % f"10.0.0.{instance}:8000"
                step = 3 if "5xx" in name else 100
                file.writelines(f"{series} {step * tick} {begin + every * tick}\n" for tick in range(ticks))
                lines += ticks
    return lines


def judged(build, rounds):
    """Exit status 1 of the program: a goal is missed, which the table says."""
    runs = 400 if rounds > 1 else 40
    heading(f"What the built-in rules do within 15 min of a cutover, {runs} runs each, a quarter of them at 100 requests/s; beside them > 5% for 5m, literally")
    subprocess.run([f"{build}/tests/bench/judged", str(runs)], check=False)
    heading(f"What the agent decides there, with blame and the one-client guard on top, {runs // 4} runs each, a quarter of them at 100 requests/s")
    subprocess.run([f"{build}/tests/bench/blamed", str(runs // 4)], check=False)
