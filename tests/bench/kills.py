"""A thousand rollbacks that are cut off by SIGKILL: what is left of them."""

import collections
import os
import random
import sys

from measure import heading, median, quantile, row

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "services"))

import killing  # noqa: E402

ROUNDS = 1000


def kills(build, rounds):
    count = ROUNDS if rounds > 1 else ROUNDS // 10
    heading(f"{count} rollbacks cut off by SIGKILL, on one live file, on two, on pieces of text and on a link (goal: none wrong)")
    found = killing.run(count, random.randrange(1_000_000), binary=f"{build}/flipback", told=lambda text: print(f"  {text}", flush=True))
    for met, times in sorted(collections.Counter(line["met"] for line in found).items()):
        row(f"killed {met}", str(times))
    seconds = [line["seconds"] for line in found]
    row("a round", f"{median(seconds):.1f} s", f"p99 {quantile(seconds, 0.99):.1f} s")
    row("wrong", str(sum(1 for line in found if line["wrong"]) + count - len(found)))
