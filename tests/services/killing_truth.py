"""What must hold after a rollback was cut off and the agent was left alone: what stands, what is served, what was said, what the journal says."""

import json

ENDED = ("rollback.closed", "rollback.recovered")
NEVER = ("agent.task_failed", "store.unreadable", "store.failed", "rollback.interrupted", "deployment.mixed", "deployment.failover",
         "deployment.switch_not_in_effect", "text")
ON_BLUE = ("rolled back", "unproven")
ON_GREEN = ("undone", "nothing changed")


def the_disk_stood_still(lives):
    """Whether this machine's disk took nothing for seconds: the agent then goes on without it, and says that a crash would forget what it does."""
    return any(e["kind"] == "store.failed" and "the disk has not taken it within" in e["says"] for life in lives for e in life.events)


def what_is_wrong(ground, releases, lives, status):
    """Sentences; none where all is as it must be."""
    named = ground.named()
    if None in named:
        return [f"a live file is not whole: {named}"]
    if len(set(named)) > 1:
        return [f"the live files don't agree: {named}"]
    live = named[0]
    wrong = []
    served = ground.served(times=4)
    if served != {releases[live]}:
        wrong.append(f"the files say {live}, and users reach {served}, expected {releases[live]}")
    if status.get("live") != live:
        wrong.append(f"the files say {live}, and status says {status.get('live')}")
    if the_disk_stood_still(lives):
        return wrong
    if live == "blue" and ground.leftovers():
        wrong.append(f"beside the live files lie {ground.leftovers()}")
    wrong += _of_what_was_said(lives, live)
    wrong += _of_the_journal(ground, lives)
    return wrong


def _of_what_was_said(lives, live):
    wrong = [f"it said {e['kind']}: {e['says']}" for life in lives for e in life.events if e["kind"] in NEVER]
    told = [e for life in lives for e in life.events]
    cutovers = [e for e in told if e["kind"] == "deployment.cutover"]
    if any(e["live"] == "blue" for e in cutovers):
        wrong.append("its own rollback was taken for a cutover")
    ended = [e for e in told if e["kind"] in ENDED]
    wrong += [f"{e['kind']}: {e['outcome']}, {e['says']}" for e in ended if e["outcome"] not in ON_BLUE + ON_GREEN]
    if ended and live != ("blue" if ended[-1]["outcome"] in ON_BLUE else "green"):
        wrong.append(f"the last that was said is {ended[-1]['outcome']!r}, and {live} is live")
    wrong += [f"{e['kind']}: {e['outcome']} on a host where all can be seen, {e['says']}" for e in ended if e["outcome"] == "unproven"]
    if ended and ended[-1]["reached"] not in (live, "can't tell"):
        wrong.append(f"the last that was said is that users reach {ended[-1]['reached']}, and they reach {live}")
    if not ended and live == "blue":
        wrong.append("blue is live, and nothing was said of how that came")
    return wrong + _of_second_ones(told) + _of_what_was_never_ended(lives)


def _of_second_ones(told):
    """Once a rollback has changed something, no rule decides on another."""
    changed = False
    for e in told:
        if e["kind"] == "rollback.decided" and changed:
            return [f"a second rollback was decided: {e['says']}"]
        changed = changed or (e["kind"] in ENDED and e["changed"])
    return []


def _of_what_was_never_ended(lives):
    """What was decided in one life is said to be over in it, or in a later one."""
    open_one = None
    for life in lives:
        for e in life.events:
            if e["kind"] == "rollback.decided":
                if open_one:
                    return [f"{open_one['says']} was decided, and another before it was said to be over"]
                open_one = e
            elif e["kind"] in ENDED:
                open_one = None
    return [f"{open_one['says']} was decided, and it was never said how it ended"] if open_one else []


def _of_the_journal(ground, lives):
    closed, newest, rows = ground.journal()
    ended = [e for life in lives for e in life.events if e["kind"] in ENDED]
    if closed < newest:
        return [f"the journal's attempt {newest} is open"]
    if not newest:
        return ["the journal knows of no attempt"] if any(e["changed"] for e in ended) else []
    if None in rows:
        return [f"the journal's attempt {newest} lacks row {rows.index(None)} of {len(rows)}"]
    rows = [json.loads(row) for row in rows]
    kinds = [row["is"] for row in rows]
    wrong = []
    if kinds[0] != "begun" or kinds[-1] != "ended":
        wrong.append(f"the journal's attempt {newest} goes from {kinds[0]} to {kinds[-1]}")
    if ended and kinds[-1] == "ended" and (rows[-1]["answer"] == "yes") != (ended[-1]["outcome"] == "rolled back"):
        wrong.append(f"the journal's last row says {rows[-1]['answer']}, and {ended[-1]['outcome']} was said")
    return wrong
