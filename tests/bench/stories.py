"""How many stories the simulator tells in an hour on one core."""

import os
import re
import resource
import subprocess

from measure import heading, median, row


def stories(build, rounds):
    many = 1000 * rounds
    heading(f"The simulator, {many:,} stories (goal: 10,000 in two minutes on one core, which is 300,000 an hour)")
    # Built with the tests, or, here, beside the other benchmarks.
    program = next(path for path in (f"{build}/tests/bench/stories", f"{build}/tests/simulation") if os.path.exists(path))
    speeds = []
    for i in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        first = 1 + i * 1000
        said = subprocess.run([program, "--seeds", f"{first}..{first + 999}"], check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        told = int(re.search(r"^simulation: (\d+) stories, 0 failed$", said, re.M).group(1))
        speeds.append(told / cpu * 3600)
    row("", "an hour and core", "10,000 take")
    row("stories", f"{median(speeds):,.0f}", f"{10_000 / median(speeds) * 3600:.0f} s of CPU")
