"""Counters beside Prometheus' `rate` and `increase`, on the series of its own documents and tests and on others by chance. At a sample's time a
window that begins at another's has nothing to extrapolate, so that both must say the same."""

import json
import os
import random
import subprocess

import pytest
from conftest import BINARY
from processes import program
from recording import Recording

CASES = 300


class Case:
    """A counter sampled each `every` seconds, and a window of so many steps that ends at sample number `at`."""

    def __init__(self, name, every, values, steps, at):
        self.name, self.every, self.values, self.steps, self.at = name, every, values, steps, at

    def increase(self):
        """What it grew by: from zero where it fell, since then it was begun anew."""
        pairs = zip(self.values[self.at - self.steps:self.at], self.values[self.at - self.steps + 1:self.at + 1])
        return sum(new - old if new >= old else new for old, new in pairs)

    @property
    def window(self):
        return self.every * self.steps

    def __repr__(self):
        return f"{self.name}: {self.steps} steps of {self.every} s to {self.at} of {self.values}"


def steadily(begin, step, count):
    """`begin+step x count` as promtool writes series: count steps after the first value."""
    return [begin + step * i for i in range(count + 1)]


DOCUMENTED = [
    Case("a hundred in fifty minutes", 300, steadily(0, 10, 10), 10, 10),
    Case("begun anew in between", 300, steadily(0, 10, 5) + steadily(0, 10, 4), 10, 10),
    Case("begun anew at the end", 300, steadily(0, 10, 9) + [0], 10, 10),
    Case("begun anew at more than it fell to", 300, [0, 1, 2, 3, 2, 3, 4, 1, 5], 8, 8),
    Case("a hundred at once, and never again", 300, [0, 100] + [100] * 9, 10, 10),
    Case("nothing", 300, [7] * 11, 10, 10),
    Case("one a second, scraped each 15 s", 15, steadily(0, 15, 20), 4, 20),
    Case("the same, over two scrapes", 15, steadily(0, 15, 20), 2, 11),
    Case("a window that begins in the middle", 60, steadily(0, 10, 5) + steadily(0, 30, 5), 3, 8),
    Case("large, as after years", 15, steadily(2**52, 3, 12), 8, 12),
]


def by_chance(seed):
    chance = random.Random(seed + int(os.environ.get("FLIPBACK_SEED", "0")))
    made = []
    for i in range(CASES):
        values, now = [], chance.choice([0, 0, chance.randrange(10**6)])
        for _ in range(30):
            now = chance.randrange(10) if chance.random() < 0.1 else now + chance.choice([0, 1, chance.randrange(1000)])
            values.append(now)
        steps = chance.randrange(2, 20)
        made.append(Case(f"by chance {i}", chance.choice([5, 15, 60]), values, steps, chance.randrange(steps, 30)))
    return made


def said_by_us(folder, case, increase):
    """Whether our increase and rate at the case's time are these."""
    record = Recording()
    record.gauge("tick.value", stale=10**6)
    record.counter("c.value", stale=10**6)
    for tick, value in enumerate(case.values):
        record.sample("c.value", tick * case.every, value)
        record.sample("tick.value", tick * case.every, tick)
    record.write(folder / "record")
    low, high = increase * (1 - 1e-12) - 1e-9, increase * (1 + 1e-12) + 1e-9
    rules = [("increase", f"increase(c.value over {case.window}s)", 1), ("rate", f"c.value over {case.window}s", case.window)]
    (folder / "ours.toml").write_text("".join(
        f'[[rules]]\nname = "{name}"\nwhen = "tick.value == {case.at} and {what} >= {low / by:.15f} and {what} <= {high / by:.15f}"\ngap = "0s"\n'
        for name, what, by in rules))
    done = subprocess.run([BINARY, "replay", folder / "record", "--rules", folder / "ours.toml", "--format", "json"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: any(e["kind"] == "verdict.changed" and e["rule"] == name and e["to"] == "breached" for e in told) for name, _, _ in rules}


def said_by_promtool(folder, cases, increases):
    """Promtool's words where one of them is another; empty where all are so."""
    tests = []
    for case, increase in zip(cases, increases):
        at = f"{case.at * case.every}s"
        tests.append({"interval": f"{case.every}s", "name": case.name, "input_series": [{"series": "c", "values": " ".join(map(str, case.values))}],
                      "promql_expr_test": [{"expr": f"increase(c[{case.window}s])", "eval_time": at, "exp_samples": [{"labels": "{}", "value": increase}]},
                                           {"expr": f"round(rate(c[{case.window}s]) * {case.window})", "eval_time": at,
                                            "exp_samples": [{"labels": "{}", "value": increase}]}]})
    path = folder / "tests.json"  # JSON is YAML, too
    path.write_text(json.dumps({"rule_files": [], "evaluation_interval": "5s", "tests": tests}))
    done = subprocess.run([program("promtool"), "test", "rules", path], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 or "FAILED" in done.stdout + done.stderr, done.stderr[-3000:]
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case.name.replace(" ", "_"))
def test_a_documented_series_grows_by_what_prometheus_says(tmp_path, case):
    assert said_by_us(tmp_path, case, case.increase()) == {"increase": True, "rate": True}
    assert not said_by_promtool(tmp_path, [case], [case.increase()])
    assert said_by_us(tmp_path, case, case.increase() + 1) == {"increase": False, "rate": False}
    assert said_by_promtool(tmp_path, [case], [case.increase() + 1])


def test_counters_by_chance_grow_by_what_prometheus_says(tmp_path):
    cases = by_chance(1)
    assert not said_by_promtool(tmp_path, cases, [case.increase() for case in cases])
    wrong = [case for case in cases if said_by_us(tmp_path, case, case.increase()) != {"increase": True, "rate": True}]
    assert not wrong, wrong[0]
