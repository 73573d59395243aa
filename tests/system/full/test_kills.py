"""Two hundred rollbacks on real nginx that are cut off by SIGKILL, at any instant, some of them again while the next start makes good."""

import collections
import random

import killing
import pytest
from conftest import BINARY

ROUNDS = 200


@pytest.mark.longest(1800)
def test_a_rollback_that_is_killed_at_any_instant_leaves_whole_files_one_live_slot_and_a_true_word():
    found = killing.run(ROUNDS, random.randrange(1_000_000), binary=BINARY)
    assert [line["round"] for line in found if line["wrong"]] == []
    assert len(found) == ROUNDS
    assert sum(count for name, count in collections.Counter(line["met"] for line in found).items() if "stood still" in name) <= ROUNDS // 20
    # Else the instants have missed what they are for.
    met = collections.Counter(line["met"] for line in found)
    unchanged = sum(count for name, count in met.items() if "nothing changed" in name)
    assert met["under way, rolled back"] >= 30 and met["after the end"] >= 20 and met["under way, undone"] >= 1 and unchanged >= 1, met
    print(met)  # files left mixed between two renames are met about once in a hundred rounds: too seldom to be asked for
