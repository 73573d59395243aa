"""What the demo claims at its end. Nothing is claimed that was not seen: each claim is held against the agent's events, the users' own
requests and answers asked for from outside, and says what was seen where it does not hold."""

from follow import seconds

LIMIT = 1.0  # seconds: what the latency rule allows of the P95


class Seen:
    """All that was seen of one scenario. `decided` and `closed` are the agent's events, or None; `asked` are the releases that answered the
    demo's own questions after the rollback, None where no answer came."""

    def __init__(self, rule, releases, bad_at, users, decided, closed, asked):
        self.rule = rule
        self.releases = releases
        self.bad_at = bad_at
        self.users = users
        self.decided = decided
        self.closed = closed
        self.asked = asked
        self.decided_at = seconds(decided) if decided else None
        self.closed_at = seconds(closed) if closed else None

    def fresh(self, condition=lambda r: True):
        return [r for r in self.users.fresh() if condition(r)]


def is_error(request):
    return request["status"] is not None and request["status"] >= 500


def p95(requests):
    took = sorted(r["ended"] - r["began"] for r in requests)
    return took[int(0.95 * len(took))]


def was_well(seen):
    got = seen.fresh(lambda r: r["release"] == seen.releases["green"] and r["ended"] <= seen.bad_at)
    if not got:
        return False, "no user had reached green when its fault began"
    errors, slow = sum(map(is_error, got)), p95(got)
    if errors or slow > LIMIT:
        return False, f"green was not well before its fault: {len(got)} answers, {errors} of them errors, P95 {slow * 1000:.0f} ms"
    return True, f"green was well until the fault: {len(got)} answers, no error, P95 {slow * 1000:.0f} ms"


def was_decided(seen):
    if not seen.decided:
        return False, "nothing was decided"
    after, rule = seen.decided_at - seen.bad_at, seen.decided["rule"]
    if after < 0:
        return False, f"the decision came {-after:.2f} s before the fault ({rule})"
    if rule != seen.rule:
        return False, f"the rule {rule} decided, not {seen.rule}"
    return True, f"the rule {rule} decided {after:.2f} s after the fault (its windows are 10 s and 3 s here; built in 20 s to 5 min)"


def was_proven(seen):
    if not seen.closed:
        return False, "no rollback came to its end"
    if seen.closed["outcome"] != "rolled back":
        return False, f"the rollback's outcome is `{seen.closed['outcome']}`: {seen.closed['says']}"
    after = seen.closed_at - seen.decided_at if seen.decided else -1
    if after < 0:
        return False, "the rollback ended before it was decided"
    return True, f"Flipback had proven the rollback {after * 1000:.0f} ms after the decision"


def users_came_back(seen):
    blue = seen.releases["blue"]
    first = min((r["ended"] for r in seen.fresh(lambda r: r["release"] == blue and seen.decided and r["began"] > seen.decided_at)), default=None)
    if first is None:
        return False, "no user was answered by blue after a decision"
    return True, f"the first user was back on blue ({blue}) {(first - seen.decided_at) * 1000:.0f} ms after the decision"


def all_on_blue(seen):
    blue = seen.releases["blue"]
    after = seen.fresh(lambda r: seen.closed and r["began"] > seen.closed_at)
    if not after:
        return False, "no user asked anything after a rollback"
    wrong = [r for r in after if r["release"] != blue or is_error(r)]
    if wrong:
        return False, f"of {len(after)} requests begun after the rollback {len(wrong)} were not answered well by blue: {said(wrong[0])}"
    return True, f"all {len(after)} requests that users began after the proof were answered by blue, none with an error"


def asked_from_outside(seen):
    blue = seen.releases["blue"]
    count = sum(1 for release in seen.asked if release == blue)
    if not seen.asked or count < len(seen.asked):
        others = sorted({str(release) for release in seen.asked if release != blue})
        return False, f"asked from outside over {len(seen.asked)} fresh connections, blue answered {count} times; else: {', '.join(others) or 'nobody'}"
    return True, f"asked from outside over {count} fresh connections: blue answers each time"


def none_lost(seen):
    all_of_them, lost = seen.fresh(), seen.users.broken("fresh")
    if not all_of_them or lost:
        return False, f"{len(lost)} of {len(all_of_them)} requests got no answer" + (f": {lost[0]['error']}" if lost else "")
    return True, f"no request was lost: each of {len(all_of_them)}, on a connection of its own, got an answer"


def said(request):
    return request["error"] or f"{request['status']} by {request['release']}"


def claims(seen):
    """(whether it is so, what is so), in the order in which things happen."""
    return [claim(seen) for claim in (was_well, was_decided, users_came_back, was_proven, all_on_blue, asked_from_outside, none_lost)]
