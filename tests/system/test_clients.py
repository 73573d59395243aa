"""Users while releases go back and forth; tests/bench/run --only clients does it two hundred times."""

import os
import sys

from conftest import BINARY, ROOT

sys.path.append(os.path.join(ROOT, "tests", "bench"))

from clients import Changes  # noqa: E402

ROUNDS = 5


def test_no_request_on_its_own_connection_is_lost_by_flips_and_rollbacks(stack):
    changes = Changes(stack, BINARY)
    for number in range(1, ROUNDS + 1):
        changes.there_and_back(number)
    found = changes.end()
    assert [e["outcome"] for e in changes.told if e["kind"] == "rollback.closed"] == ["rolled back"] * ROUNDS
    for who in ("runbook", "flipback"):
        assert found["fresh", who][0] > 10 and found["kept", who][0] > 10, found
    assert sum(found["fresh", who][1] for who in ("runbook", "flipback", "in between")) == 0, changes.users.broken("fresh")
    # Who keeps a connection may lose it to any reload of nginx: here, to no more than a few of a hundred.
    assert found["kept", "flipback"][1] <= found["kept", "runbook"][1] + max(ROUNDS, 0.03 * found["kept", "flipback"][0]), found
