"""The page's pure parts, run in the browser that they are for: which sentence stands for what is so, and how texts, times and streams are read."""

import pytest
from test_page import browser, chromium  # noqa: F401

WELL = {"slots": ["blue", "green"], "mode": "act", "live": "green", "release": "v2", "stable": "blue", "stable_release": "v1", "no_way_back": "", "doubt": "", "intent": "green", "intent_says": "",
        "effect": "agreed", "effect_says": "", "users": "green", "window_open": True, "window_left": 60, "latched": False, "latch": "", "held": "", "rolling": "",
        "flipping": "",
        "stable_says": "", "asked": [], "in_the_way": [], "not_ready": [], "notes": [], "unstored": [], "kept": "", "failed_attempts_says": ""}
QUESTION = {"rule": "error-rate", "says": "roll back to blue?"}
LACK = {"blocking": True, "says": "the live file can't be written", "type": "chown"}
HELD = "held by alice until noon: a sale"

# What is so (of the deployment, and each rule's verdict) → the word for it, and the sentence's beginning.
CASES = [
    ({}, {"error-rate": "ok"}, "ok", "green with v2 is live"),
    ({}, {"error-rate": "ok", "redis": "breached"}, "alert", "green with v2 is live"),
    ({}, {"error-rate": "unknown"}, "unknown", "green with v2 is live"),
    ({}, {"error-rate": "ok", "latency": "unknown"}, "ok", "green with v2 is live"),
    ({}, {"error-rate": "pending"}, "pending", "Users may be hurt: error-rate is pending"),
    ({}, {"error-rate": "breached"}, "breached", "Users are hurt: error-rate is breached"),
    ({}, {"error-rate": "breached", "latency": "breached"}, "breached", "Users are hurt: error-rate, latency are breached"),
    ({"held": HELD}, {"error-rate": "breached"}, "breached", "Users are hurt"),
    ({"held": HELD}, {"error-rate": "ok"}, "held", "green with v2 is live"),
    ({"not_ready": [LACK]}, {"error-rate": "ok"}, "not ready", "A rollback is not possible now"),
    ({"not_ready": [{**LACK, "blocking": False}]}, {"error-rate": "ok"}, "ok", "green with v2 is live"),
    ({"asked": [QUESTION]}, {"error-rate": "breached"}, "asked", "Roll back to blue with v1?"),
    ({"asked": [QUESTION], "rolling": "to blue with v1"}, {"error-rate": "breached"}, "rollback under way", "Rolling back to blue with v1"),
    ({"effect": "mixed", "effect_says": "mixed: users reach both slots by turns"}, {"error-rate": "ok"}, "not proven", "Mixed: users reach both slots by turns"),
    ({"effect_says": "not proven at this moment: the front door has not answered for 12s"}, {"error-rate": "ok"}, "not proven", "Not proven at this moment"),
    ({"flipping": "to blue with v1"}, {"error-rate": "pending"}, "flip under way", "A person's flip is under way, to blue with v1"),
    ({"effect": "unknown"}, {"error-rate": "ok"}, "not proven", "Which slot users reach is not proven"),
    ({"latched": True, "latch": "green with v2, rolled back", "live": "blue", "release": "v1"}, {"error-rate": "unknown"}, "rolled back", "blue with v1 is live"),
    ({"latched": True, "latch": "green with a, b, undone"}, {"error-rate": "ok"}, "undone", "A rollback of green with a, b came to: undone"),
    ({"latched": True, "latch": "green with x, rolled back, can't tell"}, {"error-rate": "ok"}, "can't tell", "A rollback of green with x, rolled back came to: can't tell"),
    ({"live": "", "release": "", "effect": "unknown", "effect_says": ""}, {}, "not proven", "Which slot users reach is not proven"),
    (None, {"redis": "breached"}, "alert", "1 rule breached"),
    (None, {}, "ok", "No rule is breached"),
]

CALL = """
const [file, name, words, done] = arguments;
import("/page/" + file).then((module) => module[name](...words)).then(done, (error) => done("failed: " + error));
"""


@pytest.fixture
def call(stack, fast_agent, browser):  # noqa: F811
    fast_agent().wait("deployment.baseline")
    browser.open(stack.agent_url)
    return lambda file, name, *words: browser.driver.execute_async_script(CALL, file, name, list(words))


def test_what_is_so_is_said_in_one_sentence_the_worst_first(call):
    for stands, verdicts, word, sentence in CASES:
        rules = [{"rule": rule, "verdict": verdict, "then": "alert" if rule == "redis" else "rollback", "value": 1, "threshold": 2} for rule, verdict in verdicts.items()]
        status = {} if stands is None else {"deployment": {**WELL, **stands}}
        said = call("judgement.js", "judge", status, rules)
        assert said["word"] == word and said["sentence"].startswith(sentence), (stands, verdicts, said)
        assert stands is None or said["title"].endswith(f"live · {word}")


def test_whether_users_are_hurt_has_a_third_answer(call):
    for verdicts, is_so in ((["ok"], "no"), (["ok", "unknown"], "no"), (["unknown"], "can't tell"), ([], "can't tell"), (["off"], "can't tell"),
                            (["ok", "pending"], "perhaps"), (["pending", "breached"], "yes")):
        rules = [{"rule": f"rule-{number}", "verdict": verdict, "then": "rollback"} for number, verdict in enumerate(verdicts)]
        assert call("judgement.js", "hurt", rules)["is"] == is_so
    assert call("judgement.js", "hurt", [{"rule": "disk", "verdict": "breached", "then": "alert"}])["is"] == "can't tell"


def test_which_incident_a_person_is_here_for(call):
    over = {"incident": "1", "ended": "2026-11-30T12:00:00.000Z", "outcome": "rolled back"}
    ended = 1796040000000  # the same instant
    for status, incidents, now, expected in (
            ({"incident": "2"}, [over], ended, "2"),
            ({"incident": None}, [], ended, None),
            ({"incident": None}, [over], ended + 60_000, "1"),
            ({"incident": None, "deployment": WELL}, [over], ended + 3_700_000, None),
            ({"incident": None, "deployment": {**WELL, "latched": True, "latch": "green with v2, rolled back"}}, [over], ended + 3_700_000, "1"),
            ({"incident": None}, [{**over, "ended": None}], ended, "1")):
        assert call("judgement.js", "currentOf", status, incidents, now) == expected, (status, incidents)


def test_numbers_and_times_are_written_as_the_agent_writes_them(call):
    for name, words, expected in (
            ("amount", (0.2968, "ratio"), "29.68%"), ("amount", (0, "ratio"), "0%"), ("amount", (0.112, "seconds"), "112ms"), ("amount", (1.5, "seconds"), "1.5s"),
            ("amount", (90, "seconds"), "1m30s"), ("amount", (988825, "bytes"), "965.65KiB"), ("amount", (3, "number"), "3"), ("amount", (2, "per_second"), "2/s"),
            ("amount", (None, "ratio"), "no value"), ("lasting", (257,), "4m17s"), ("lasting", (3600,), "1h"), ("lasting", (-1,), "0s"), ("clock", (889,), "14:49"),
            ("clock", (3661,), "1:01:01"), ("clock", (-3,), "0:00"), ("took", (0.128,), "128 ms"), ("took", (1.25,), "1.25 s"), ("ago", (61,), "1 min ago"),
            ("limitOf", ({"says": "the limit is spoofed is 7%, the limit is > 5%", "threshold": 0.05},), "> 5%"),
            ("limitOf", ({"says": "filling", "threshold": 0.05, "unit": "ratio"},), "5%"), ("limitOf", ({"says": "filling", "threshold": None},), "")):
        assert call("words.js", name, *words) == expected, (name, words)


def test_what_a_screen_would_obey_is_written_out(call):
    assert call("dom.js", "visible", "a\nb\tc\r\x00\x1b\x7f\u009b") == r"a\nb\tc\r\x00\x1b\x7f\u009b"
    assert call("dom.js", "visible", "\u202egnp\u2066\u200f\u200b\ufeff\U000e0041") == r"\u202egnp\u2066\u200f\u200b\ufeff\U000e0041"
    assert call("dom.js", "visible", "é 漢 👩\u200d🚀") == "é 漢 👩\u200d🚀"


def test_a_stream_is_read_however_it_is_cut(stack, fast_agent, browser):  # noqa: F811
    fast_agent().wait("deployment.baseline")
    browser.open(stack.agent_url)
    text = ': still here\n\nevent: status\r\ndata: {"a":\ndata: 1}\r\n\r\ndata: 2\n\nid: 7\nevent: unfinished\ndata: 3\n'
    for size in (1, 2, 3, 7, 1000):
        got = browser.driver.execute_async_script("""
            const [text, size, done] = arguments;
            import("/page/stream.js").then(({eventReader}) => {
              const got = [];
              const take = eventReader((name, data) => got.push([name, data]));
              for (let at = 0; at < text.length; at += size) take(text.slice(at, at + size));
              done(got);
            });
        """, text, size)
        assert got == [["status", {"a": 1}], ["message", 2]], size
