"""The demo's main: see `run` beside it."""

import argparse
import os
import signal
import sys

from scenario import SCENARIOS, Scenario
from stack import Stack
from timeline import Timeline


class Interrupted(BaseException):
    """Ctrl-C or TERM, at any instant; everything started so far is ended on the way out."""


def interrupt(*_):
    # Once is enough: a second Ctrl-C must not interrupt the cleaning up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def keep(stack):
    print(f"""
Everything keeps running until Ctrl-C. To play:
  users' door          curl -i {stack.front_url}/api/v1/properties
  the agent's page     curl -s {stack.agent_url}/healthz;  curl -s {stack.agent_url}/metrics
  its events           tail -f {stack.path('flipback.log')}
  cut over again       cp {stack.site('green')} {stack.live_site} && kill -HUP $(cat {stack.nginx_pid})
  make green bad       echo "errors 0.3" > {stack.fault_file('green')}      mend it: rm {stack.fault_file('green')}
""", flush=True)
    signal.pause()


def run(name, timeline, keep_running):
    timeline.heading(f"Scenario: {name}. {SCENARIOS[name][2].capitalize()}.")
    print("Starting Postgres, Redis, blue, green and nginx, each on a free port, in a folder of their own.")
    print("Flipback runs with mode = \"act\"; its rules' windows are shortened to seconds.", flush=True)
    with Stack() as stack:
        timeline.start()
        scenario = Scenario(stack, timeline, name)
        good = scenario.run()
        if keep_running:
            keep(stack)
    return good


def main():
    parser = argparse.ArgumentParser(prog="packaging/demo/run")
    parser.add_argument("--scenario", choices=[*SCENARIOS, "both"], default="both")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    names = list(SCENARIOS) if options.scenario == "both" else [options.scenario]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    timeline = Timeline(options.plain)
    try:
        good = True
        for name in names:
            good = run(name, timeline, options.keep and name == names[-1]) and good
        return 0 if good else 1
    except Interrupted:
        timeline.end()
        print("\ninterrupted: everything that was started has been ended")
        return 130
    except RuntimeError as error:
        timeline.end()
        print(timeline.marked("bad", f"the demo could not go on: {error}"), flush=True)
        return 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
