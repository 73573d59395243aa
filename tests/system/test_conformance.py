"""Rules against Prometheus' own: series by chance, with gaps and NaN, judged by both; pending and firing at the same times, where the two mean the
same. Where they do not (packaging/docs/rules.md: "Beside Prometheus") a case ends."""

import json
import math
import os
import random
import subprocess

import pytest
from conftest import BINARY
from processes import program
from recording import Recording

EVERY = 10  # seconds between two samples, and between two evaluations
TICKS = 60
WINDOW = 37  # a sample never lies on its edge: whether that belongs to it differs
LOOKBACK = 300
CASES = 1000


class Case:
    """One series and one rule on it."""

    def __init__(self, chance):
        self.how = chance.choice(["plain", "mean", "max", "min", "count"])
        self.hold = chance.choice([0, 0, 10, 20, 30, 60])
        self.limit = chance.randrange(1, 4) if self.how == "count" else round(chance.uniform(0.2, 0.8), 2)
        self.values = self.series(chance)

    def series(self, chance):
        values, level = [], chance.random()
        gap = chance.choice([0, 0.02, 0.1])
        while len(values) < TICKS:
            if chance.random() < gap:
                values += [None] * chance.choice([1, 2, 5, 35])
            if chance.random() < 0.2:
                level = chance.random()
            if self.how == "plain" and chance.random() < 0.03:
                values.append(math.nan)
            values.append(round(min(1, max(0, level + chance.uniform(-0.1, 0.1))), 3))
        return values[:TICKS]

    def known(self, tick):
        """Whether there is a value at a tick, by the samples until then."""
        if self.how == "plain":
            newest = next((back for back in range(min(tick + 1, LOOKBACK // EVERY)) if self.values[tick - back] is not None), None)
            return newest is not None and not math.isnan(self.values[tick - newest])
        return any(v is not None for v in self.values[max(0, tick - WINDOW // EVERY):tick + 1])

    def ours(self, signal):
        of = {"plain": f"{signal}", "mean": f"{signal} over {WINDOW}s", "max": f"max({signal} over {WINDOW}s)", "min": f"min({signal} over {WINDOW}s)",
              "count": f"count({signal} over {WINDOW}s)"}[self.how]
        return f"{of} > {self.limit} and tick.value == 1"

    def theirs(self, metric):
        function = {"mean": "avg", "max": "max", "min": "min", "count": "count"}.get(self.how)
        return f"{f'{function}_over_time({metric}[{WINDOW}s])' if function else metric} > {self.limit}"

    def __repr__(self):
        return f"{self.theirs('x')} for {self.hold}s: {self.values}"


def judged_by_us(folder, cases):
    """For each case its state at each tick: "", "pending" or "firing"."""
    record = Recording()
    record.gauge("tick.value", stale=10**6)
    for i in range(len(cases)):
        record.gauge(f"m{i}.value", stale=LOOKBACK - 1e-9)
    for tick in range(TICKS):
        for i, case in enumerate(cases):
            value = case.values[tick]
            if value is not None:
                record.sample(f"m{i}.value", tick * EVERY, None if math.isnan(value) else value)
        record.sample("tick.value", tick * EVERY, 1)
    record.write(folder / "record")
    rules = (f'[[rules]]\nname = "a{i}"\nwhen = "{case.ours(f"m{i}.value")}"\nfor = "{case.hold}s"\ngap = "0s"\n' for i, case in enumerate(cases))
    (folder / "ours.toml").write_text("".join(rules))
    done = subprocess.run([BINARY, "replay", folder / "record", "--rules", folder / "ours.toml", "--all", "--format", "json"], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    states = [[""] * TICKS for _ in cases]
    for line in map(json.loads, done.stdout.splitlines()):
        if line["kind"] != "verdict.changed":
            continue
        minutes, seconds = line["time"][14:-1].split(":")
        tick = round(int(minutes) * 60 + float(seconds) - BEGIN) // EVERY
        state = {"pending": "pending", "breached": "firing"}.get(line["to"], "")
        states[int(line["rule"][1:])][tick:] = [state] * (TICKS - tick)
    return states


BEGIN = 1_795_762_000 % 3600


def ends(case, states):
    """The first tick at which the two mean something else: a breach outlives that its value is not known."""
    return next((t for t in range(TICKS) if states[t] == "firing" and not case.known(t)), TICKS)


def disagreement(folder, cases):
    """What promtool says against our states; empty where it agrees."""
    states = judged_by_us(folder, cases)
    until = [ends(case, of) for case, of in zip(cases, states)]
    rules = [{"alert": f"a{i}", "expr": case.theirs(f"m{i}"), "for": f"{case.hold}s"} for i, case in enumerate(cases)]
    (folder / "theirs.json").write_text(json.dumps({"groups": [{"name": "all", "interval": f"{EVERY}s", "rules": rules}]}))
    series = [{"series": f"m{i}", "values": " ".join("_" if v is None else "NaN" if math.isnan(v) else repr(v) for v in case.values)}
              for i, case in enumerate(cases)]
    expectations = []
    for tick in range(TICKS):
        over = "|".join(f"a{i}" for i, end in enumerate(until) if end <= tick)
        expected = [{"labels": f'ALERTS{{alertname="a{i}", alertstate="{of[tick]}"}}', "value": 1}
                    for i, of in enumerate(states) if of[tick] and tick < until[i]]
        expectations.append({"expr": f'ALERTS{{alertname!~"{over}"}}', "eval_time": f"{tick * EVERY}s", "exp_samples": expected})
    tests = {"rule_files": ["theirs.json"], "evaluation_interval": f"{EVERY}s",
             "tests": [{"interval": f"{EVERY}s", "input_series": series, "promql_expr_test": expectations}]}
    path = folder / "tests.json"  # JSON is YAML, too
    path.write_text(json.dumps(tests))
    done = subprocess.run([program("promtool"), "test", "rules", path], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 or "FAILED" in done.stdout + done.stderr, done.stderr[-3000:]
    return "" if done.returncode == 0 else done.stdout + done.stderr


def shrunk(folder, case):
    """The same case with as few samples as still disagree."""
    for tick in range(TICKS):
        kept, case.values[tick] = case.values[tick], None
        if not disagreement(folder, [case]):
            case.values[tick] = kept
    return case


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_alerts_are_pending_and_firing_when_prometheus_own_are(tmp_path, seed):
    chance = random.Random(seed + int(os.environ.get("FLIPBACK_SEED", "0")))
    cases = [Case(chance) for _ in range(CASES)]
    if disagreement(tmp_path, cases):
        wrong = next(case for case in cases if disagreement(tmp_path, [case]))
        pytest.fail(f"seed {seed}: {shrunk(tmp_path, wrong)}\n{disagreement(tmp_path, [wrong])[:3000]}")
    states = judged_by_us(tmp_path, cases)
    fired = sum("firing" in of for of in states)
    compared = sum(ends(case, of) for case, of in zip(cases, states))
    assert fired > CASES / 4 and compared > CASES * TICKS / 2, (fired, compared)  # or nothing was tested


def test_a_rule_that_means_something_else_is_found_out(tmp_path):
    case = Case(random.Random(3))
    case.how, case.hold, case.limit, case.values = "plain", 20, 0.5, [0.1] * 5 + [0.9] * 20 + [0.1] * 35
    assert not disagreement(tmp_path, [case])
    case.theirs = lambda metric: f"{metric} > 0.95"
    assert "pending" in disagreement(tmp_path, [case])
