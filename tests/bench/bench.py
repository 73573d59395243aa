"""The benchmark's main: see `run` beside it."""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging", "demo"))

import clients  # noqa: E402
import decisions  # noqa: E402
import flips  # noqa: E402
import kills  # noqa: E402
import probing  # noqa: E402
import starts  # noqa: E402
import stories  # noqa: E402

PARTS = {"cost": probing.cost, "many": probing.many, "memory": probing.memory, "hung": probing.hung, "deaf": probing.deaf, "log": decisions.log,
         "rules": decisions.rules, "curve": decisions.curve, "replay": decisions.replay, "prompt": decisions.prompt, "judged": decisions.judged,
         "start": starts.start, "check": starts.check, "flip": flips.flip, "clients": clients.clients, "stories": stories.stories, "kills": kills.kills}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(name for name in PARTS if name != "kills"))  # which takes longer than all the rest
    options = parser.parse_args()
    rounds = 1 if options.quick else 3
    for name in options.only.split(","):
        if name not in PARTS:
            parser.error(f"{name} is no part; there are {', '.join(PARTS)}")
        PARTS[name](os.path.abspath(options.build), rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
