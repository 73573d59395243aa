"""Kills an agent in the middle of rollbacks, on real nginx, and looks at what stands and what is said afterwards.

usage: killing.py [--rounds N] [--switch one,two,text,link] [--seed S] [--from N]

A round is given by switch, seed and number, and can be repeated by them; $FLIPBACK is the agent. Each switch has an nginx of its own, and they
go on side by side.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "packaging", "demo")]

from follow import JsonLines  # noqa: E402
from killing_ground import PYTHON, SWITCHES, Child, Ground, wait_until  # noqa: E402
from killing_truth import the_disk_stood_still, what_is_wrong  # noqa: E402

BINARY = os.environ.get("FLIPBACK", os.path.join(HERE, "..", "..", "build", "ci", "flipback"))
CAUSES = {"operator": "work.up == 0", "work": "work.up == 0", "health": "live.up == 0"}  # who asks for it, and the rule that is there
ENDED = ("rollback.closed", "rollback.recovered")
# From when to when after an instant the agent is killed, in milliseconds. "renamed": a live file or link has just become another.
FIRST = {"asked": (0, 150), "journaled": (0, 10), "preflight": (0, 5), "rollback.decided": (0, 300), "renamed": (0, 0),
         "install": (0, 40), "test": (0, 20), "reload": (0, 150), "rollback.closed": (0, 150)}
AGAIN = {"start": (0, 500), "renamed": (0, 5), "reload": (0, 150), "rollback.recovered": (0, 60)}
PATIENCE = 45  # a proof that can't be had takes 10 s, and that of an undo as much again


class Plan:
    """What the dice say of one round."""

    def __init__(self, switch, seed, number):
        dice = random.Random(f"{switch}/{seed}/{number}")
        self.name = f"--switch {switch} --seed {seed} --from {number} --rounds 1"
        self.confirm = dice.choice((1, 2))
        self.traffic = dice.random() < 0.5  # whether nginx's log is a witness, too
        self.cause = dice.choices(list(CAUSES), (3, 1, 1))[0]
        self.kills = [self._kill(dice, FIRST)]
        self.kills += [self._kill(dice, AGAIN) for _ in range(dice.choices((0, 1, 2), (5, 3, 2))[0])]
        self.blue_falls_ill = dice.random() < 0.3  # after it was gone back to
        self.refused = switch != "text" and dice.random() < 0.2  # nginx takes nothing that has blue's site in it: the rollback is undone

    @staticmethod
    def _kill(dice, instants):
        instant = dice.choice(list(instants))
        return instant, dice.uniform(*instants[instant]) / 1000

    def __str__(self):
        kills = ", then ".join(f"{1000 * after:.1f} ms after {instant}" for instant, after in self.kills)
        return f"asked for by {self.cause}, confirm {self.confirm}, traffic {self.traffic}; killed {kills}; blue falls ill: {self.blue_falls_ill}, refused: {self.refused}"


class Life:
    """The agent from one start to its end."""

    def __init__(self, ground, number, configuration, within=()):
        self.ground = ground
        self.before = ground.identities()
        log = ground.path("state", f"life{number}.log")
        self.child = Child("flipback", [*within, BINARY, "--config", configuration], log)
        self.lines = JsonLines(log)
        self.events = []

    def update(self):
        self.events += self.lines.new()
        return self.events

    def of(self, *kinds):
        return [e for e in self.update() if e["kind"] in kinds]

    def wait(self, kind):
        return wait_until(kind, lambda: self.of(kind), PATIENCE, self.child)

    def has_come(self, instant):
        if instant in ("start", "asked"):
            return True
        if instant == "renamed":
            return self.ground.identities() != self.before
        if instant == "journaled":
            return self.ground.journal()[1] > 0
        return any(instant in (e["kind"], e.get("step")) for e in self.update())

    def kill(self, instant, after, patience):
        """Sends SIGKILL so long after the instant, or once patience has ended without it."""
        end = time.monotonic() + patience
        while self.child.alive() and not self.has_come(instant) and time.monotonic() < end:
            if instant != "renamed":
                time.sleep(0.001)
        time.sleep(after)
        self.end()

    def end(self):
        if self.child.alive():
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.process.wait()
        self.update()


class Round:
    """One rollback that is cut off, and what came of it."""

    def __init__(self, ground, plan, number):
        self.ground = ground
        self.plan = plan
        self.number = number
        self.releases = {"blue": f"b{number}", "green": f"g{number}"}
        self.lives = []
        self.order = None
        self.was_mixed = False  # the kill came between two live files

    def run(self):
        wrong = []
        try:
            self._cut_off()
            self._start()
            wrong += self._settle()
            wrong += what_is_wrong(self.ground, self.releases, self.lives, self._status())
            if self.plan.blue_falls_ill and not wrong and self.ground.named()[0] == "blue":
                wrong += self._let_blue_fall_ill()
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, it is this round's, and the next one goes on
            wrong.append(f"{type(error).__name__}: {error}")
        finally:
            self._end()
        return wrong

    def _start(self):
        self.lives.append(Life(self.ground, len(self.lives), self.configuration))
        return self.lives[-1]

    def _cut_off(self):
        ground, plan = self.ground, self.plan
        ground.reset()
        for slot, release in self.releases.items():
            ground.be(slot, release, "well")
        self.configuration = ground.path("state", "flipback.toml")
        rule = f'[[rules]]\nname = "bad"\nwhen = "{CAUSES[plan.cause]}"\nthen = "rollback"\n'
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(ground.configuration(plan.confirm, rule, plan.traffic))
        life = self._start()
        life.wait("deployment.baseline")
        ground.make_live("green")
        ground.reload()
        life.wait("deployment.cutover")
        if plan.refused:
            ground.spoil("blue")
        life.before = ground.identities()
        if plan.cause == "operator":
            self.order = subprocess.Popen([BINARY, "rollback", "--reason", "it is killed", "--socket", ground.path("state", "flipback.sock")],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        else:
            ground.be("green", self.releases["green"], plan.cause)
        instant, after = plan.kills[0]
        life.kill(instant, after, patience=6)  # not every step comes where nginx refuses the candidate
        self.was_mixed = len(set(ground.named())) > 1
        for instant, after in plan.kills[1:]:
            self._start().kill(instant, after, patience=0.6)

    def _settle(self):
        """Waits until nothing is under way any more; what is wrong, where that does not come about."""
        last = self.lives[-1]
        quiet_since = None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not last.child.alive():
                return ["the agent has ended by itself"]
            if not self._is_quiet(last):
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > 0.3:
                return []
            time.sleep(0.02)
        return [f"it has not settled in {PATIENCE} s"]

    def _is_quiet(self, life):
        begun, over = len(life.of("rollback.decided")), len(life.of("rollback.closed"))
        closed, newest, _ = self.ground.journal()
        knows = life.of("deployment.baseline", "deployment.cutover") or [e for e in life.of(*ENDED) if e["outcome"] in ("rolled back", "unproven")]
        ended = [e["outcome"] for each in self.lives for e in each.of(*ENDED)]
        tried = self._on_blue() if not self.plan.refused else "undone" in ended
        if not tried and self.plan.cause != "operator":
            return False  # a rule decides anew until it is
        return bool(knows) and begun == over and closed >= newest and not (self.ground.leftovers() and self._on_blue())

    def _on_blue(self):
        return set(self.ground.named()) == {"blue"}

    def _status(self):
        done = subprocess.run([BINARY, "status", "--json", "--socket", self.ground.path("state", "flipback.sock")], capture_output=True, text=True,
                              timeout=20, check=False)
        return json.loads(done.stdout)["deployment"] if done.returncode == 0 else {"live": f"no answer: {done.stderr}"}

    def _let_blue_fall_ill(self):
        """What was gone back to is ill, and what was left is well: nothing is rolled back all the same."""
        life = self.lives[-1]
        before = len(life.of("rollback.decided"))
        self.ground.be("green", self.releases["green"], "well")
        self.ground.be("blue", self.releases["blue"], "health" if self.plan.cause == "health" else "work")
        time.sleep(0.7)
        if len(life.of("rollback.decided")) > before or not self._on_blue():
            return ["a rollback was rolled back"]
        return []

    def _end(self):
        if self.order is not None:
            if self.order.poll() is None:
                self.order.kill()
            self.order.wait()
        for life in self.lives:
            life.end()

    def story(self):
        told = [str(self.plan)]
        for number, life in enumerate(self.lives):
            told += [f"  life {number}: {e.get('time', '')[11:]} {e['kind']}: {e['says']}" + (f" [{e['outcome']}, reached {e['reached']}]" if e["kind"] in ENDED else "")
                     for e in life.events if e["kind"] not in ("verdict.changed", "probe.changed")]
        told.append(f"  live files name {self.ground.named()}, served {self.ground.served(2)}, beside them {self.ground.leftovers()}")
        return told


def what_the_kill_met(lives):
    """Of the rollback that was cut off: how far it had come, and what was made of it."""
    if the_disk_stood_still(lives):
        return "while this machine's disk stood still, as was said"
    ended = [(e["kind"], e["outcome"]) for life in lives for e in life.events if e["kind"] in ENDED]
    if not any(e["kind"] == "rollback.decided" for life in lives[:1] for e in life.events):
        return "before the decision" + (f", {ended[0][1]}" if ended and ended[0][0] == "rollback.recovered" else "")
    if any(kind == "rollback.closed" for kind, _ in ended[:1]) and any(e["kind"] == "rollback.closed" for e in lives[0].events):
        return "after the end"
    return f"under way, {ended[0][1] if ended else 'nothing said'}"


def run_lane(switch, seed, numbers):
    """One switch's rounds, one after the other; prints a line of JSON for each."""
    with Ground(switch) as ground:
        for number in numbers:
            began = time.monotonic()
            done = Round(ground, Plan(switch, seed, number), number)
            wrong = done.run()
            print(json.dumps({"round": done.plan.name, "met": what_the_kill_met(done.lives) + (", live files mixed" if done.was_mixed else ""), "seconds": round(time.monotonic() - began, 3), "wrong": wrong,
                              "story": done.story() if wrong else []}), flush=True)


def run(rounds, seed, switches=SWITCHES, first=0, binary=None, told=print):
    """All the switches' rounds, side by side; gives a dictionary for each round."""
    folder = tempfile.mkdtemp(prefix="flipback-kills-")
    lanes, found = [], []
    told(f"seed {seed}; one round again: tests/services/killing.py --switch SWITCH --seed {seed} --from NUMBER --rounds 1")
    try:
        for i, switch in enumerate(switches):
            count = rounds // len(switches) + (i < rounds % len(switches))
            argv = [PYTHON, os.path.abspath(__file__), "--lane", "--switch", switch, "--seed", str(seed), "--from", str(first), "--rounds", str(count)]
            lanes.append(Child(switch, argv, os.path.join(folder, switch), env=dict(os.environ, FLIPBACK=binary or BINARY)))
        lines = [JsonLines(lane.log) for lane in lanes]
        alive = True
        while alive:
            alive = any(lane.alive() for lane in lanes)
            for line in (line for one in lines for line in one.new()):
                found.append(line)
                for text in [f"{line['round']}: {w}" for w in line.get("wrong", ())] + line.get("story", []) + ([line["says"]] if "says" in line else []):
                    told(text)
            time.sleep(0.2)
    finally:
        for lane in lanes:
            lane.stop(patience=30)
        shutil.rmtree(folder, ignore_errors=True)
    return [line for line in found if "round" in line]


def main():
    parser = argparse.ArgumentParser(prog="tests/services/killing.py")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--switch", default=",".join(SWITCHES))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--lane", action="store_true", help="one switch, in this process, with a line of JSON for each round")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.lane:
        run_lane(options.switch, options.seed, range(options.first, options.first + options.rounds))
        return 0
    found = run(options.rounds, options.seed, options.switch.split(","), options.first)
    bad = [line for line in found if line["wrong"]]
    print(f"{len(found)} rounds, {len(bad)} wrong")
    return 1 if bad or len(found) < options.rounds else 0


if __name__ == "__main__":
    sys.exit(main())
