"""`[agent] log_format`: the same events in each format, each read by what knows that format alone."""

import json
import os
import re
import subprocess
import time

import logfmt
import pytest
from conftest import BINARY
from processes import free_port

# A probe whose sentence has a stranger's quotes, spaces and signs in it.
STRANGER = 'a=b "c\\d\n\x1b[2J\u202e e'


@pytest.fixture(scope="module")
def answering(tmp_path_factory):
    with subprocess.Popen(["/usr/bin/python3", "-c", """
import http.server, json, sys
class Says(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": sys.argv[1]}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Says)
print(server.server_port, flush=True)
server.serve_forever()
""", STRANGER], stdout=subprocess.PIPE, text=True) as child:
        yield int(child.stdout.readline())
        child.kill()


def told(folder, form, answering, environment=()):
    """What an agent of a second's life writes."""
    path = folder / f"{form}.toml"
    path.write_text(f'[agent]\nlisten = "127.0.0.1:{free_port()}"\nlog_format = "{form}"\nlog_level = "debug"\nsocket = "{folder}/{form}"\n'
                    f'[probes.api]\ntype = "http"\nurl = "http://127.0.0.1:{answering}/"\nexpect = {{ "/status" = "healthy" }}\nevery = "200ms"\ntimeout = "150ms"\n'
                    '[probes.disk]\ntype = "disk"\npaths = ["/"]\nevery = "200ms"\ntimeout = "150ms"\n')
    with subprocess.Popen([BINARY, "--config", path], stderr=subprocess.PIPE, env=dict(os.environ, **dict(environment))) as child:
        time.sleep(1)
        child.terminate()
        _, errors = child.communicate(timeout=20)
    return errors.decode("utf-8").splitlines()


def without_types(event):
    """Which logfmt has not."""
    return {key: f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value) for key, value in event.items()}


def without_what_varies(event):
    says = re.sub(r"\d+", "N", event["says"])
    return {**{key: value for key, value in event.items() if key not in ("time", "seconds", "latency", "value")}, "says": says}


def test_logfmt_says_what_json_says(tmp_path, answering):
    parsed = [logfmt.fields(line) for line in told(tmp_path, "logfmt", answering)]
    objects = [without_types(json.loads(line)) for line in told(tmp_path, "json", answering)]
    kinds = [event["kind"] for event in parsed]
    assert kinds.count("agent.ready") == 1 and kinds.count("probe.changed") == 2, kinds
    by_words = lambda event: json.dumps(event, sort_keys=True)  # noqa: E731
    assert sorted(map(without_what_varies, parsed), key=by_words) == sorted(map(without_what_varies, objects), key=by_words)
    (changed,) = [event for event in parsed if event.get("probe") == "api"]
    assert changed["reason"] == "expectation" and changed["severity"] == "warning" and float(changed["latency"]) > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", changed["time"])


def test_a_strangers_text_is_whole_and_begins_no_pair(tmp_path, answering):
    lines = told(tmp_path, "logfmt", answering)
    (line,) = [line for line in lines if " probe=api" in line]
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", "".join(lines))
    assert list(logfmt.fields(line)) == ["time", "severity", "kind", "says", "probe", "outcome", "reason", "latency"]
    assert 'a=b' in logfmt.fields(line)["says"]


def test_under_journald_a_line_has_its_priority_in_front(tmp_path, answering):
    lines = told(tmp_path, "logfmt", answering, {"JOURNAL_STREAM": "8:1"})
    assert lines and all(re.match(r"<[2467]>time=", line) for line in lines), lines
    priorities = {event["severity"]: line[:3] for line in lines for event in [logfmt.fields(line[3:])]}
    assert priorities.items() >= {"info": "<6>", "warning": "<4>", "debug": "<7>"}.items()


@pytest.mark.parametrize("line", ['a', '=b', 'a="b', 'a=b"c', 'a=b  c=d', 'a="b"c=d', 'a="\\x1b"', 'a=b c d', 'a="\x1b"'])
def test_the_reader_of_these_tests_takes_nothing_that_is_not_logfmt(line):
    with pytest.raises(logfmt.Malformed):
        logfmt.pairs(line)
