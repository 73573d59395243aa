"""What strangers write, at each place where it is shown: a release's own name, whatever it consists of, forges no line, obeys no terminal and breaks
no format."""

import http.server
import json
import sqlite3
import subprocess
import threading
import urllib.request

import logfmt
import pytest
from conftest import Agent
from processes import wait_until
from test_verbs import ask

NAMES = {
    "line ends": "v2\n2026-11-29T05:00:00.000Z critical rollback.closed: FORGED\r\nFORGED\u2028FORGED\u0085FORGED",
    "escape sequences": "v2\x1b[2J\x1b]0;FORGED\x07\u009b2J\x7f\x00",
    "marks that turn the direction of writing": "v2 \u202egnp.exe\u2066 \u200f\u061c",
    "quotes and braces": "v2\"}],'$(touch /tmp/x)`x`<script>alert(1)</script>{{}}%s%n\\",
    "very long": "v2" + "x" * 900 * 1024,
    "as long as it may be": "v2" + "\u202e" * 170,
    "no UTF-8": b'"v2\xff\xfe\xc3\x28\xed\xa0\x80"',
}
FORBIDDEN = [chr(c) for c in [*range(0, 10), *range(11, 32), *range(0x7F, 0xA0)]] + list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2028\u2029\u2066\u2067\u2068\u2069")


class Hostile(http.server.BaseHTTPRequestHandler):
    """A release that is well, and names itself as it likes."""

    version_text = b'"v2"'
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"status": "healthy", "version": ' + self.version_text + b"}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def shows_nothing_forged(text, where, lines_are_ours=True):
    bad = [c for c in FORBIDDEN if c in text]
    assert not bad, (where, [hex(ord(c)) for c in bad], text[:2000])
    assert "\ufffd" not in text or where != "raw", where
    if lines_are_ours:
        forged = [line for line in text.splitlines() if line.startswith(("FORGED", "2026-11-29T05:00:00.000Z"))]
        assert not forged, (where, forged)


@pytest.mark.parametrize(("name", "log_format"), [*((name, "text") for name in NAMES), ("escape sequences", "json"), ("no UTF-8", "json"),
                                                  *((name, "logfmt") for name in ("line ends", "escape sequences", "quotes and braces", "no UTF-8"))],
                         ids=lambda text: text.replace(" ", "_"))
def test_a_release_s_name_is_shown_as_what_it_is_everywhere(stack, name, log_format):
    version = NAMES[name]
    handler = type("Named", (Hostile,), {"version_text": version if isinstance(version, bytes) else json.dumps(version).encode()})
    stack.slots["green"].stop()
    with http.server.ThreadingHTTPServer(("127.0.0.1", stack.ports["green"]), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = stack.configuration(mode="ask", short_rules=False).replace('log_format = "json"', f'log_format = "{log_format}"')
        agent = Agent(stack, stack.write_configuration(text))
        log = agent.child.log
        raw = lambda: open(log, "rb").read()  # noqa: E731
        wait_until("the baseline", lambda: b"deployment.baseline" in raw(), child=agent.child)
        stack.cut_over("green")
        wait_until("the cutover", lambda: b"deployment.cutover" in raw() or b"deployment.moved" in raw(), child=agent.child)
        outputs = {"status": ask(stack, "status"), "status --json": ask(stack, "status", "--json"), "rules": ask(stack, "rules"),
                   "explain": ask(stack, "explain", "error-rate"), "rollback": ask(stack, "rollback", "--reason", "it is tried")}
        wait_until("its end", lambda: b"rollback.closed" in raw(), child=agent.child)
        stack.cut_over("green")
        outputs["again"] = ask(stack, "status")
        for words in (("incidents",), ("incidents", "last"), ("incidents", "last", "--markdown"), ("incidents", "last", "--json"), ("log",), ("log", "--json"),
                      ("watch", "--for", "1ms")):
            outputs[" ".join(words)] = ask(stack, *words)
            assert outputs[" ".join(words)][0] == 0, outputs
        pages = {}
        for page in ("healthz", "metrics"):
            try:
                with urllib.request.urlopen(f"{agent_url(stack, text)}/{page}", timeout=5) as answer:
                    pages[page] = answer.read()
            except urllib.error.HTTPError as error:
                pages[page] = error.read()
        agent.child.stop()
        server.shutdown()
    told = raw().decode("utf-8")  # strictly: nothing else is logged
    if log_format == "json":
        for line in told.splitlines():
            assert json.loads(line)["kind"] != "FORGED"
        told = "\n".join(told.splitlines())
    if log_format == "logfmt":
        for line in told.splitlines():
            fields = logfmt.fields(line)
            assert list(fields)[:4] == ["time", "severity", "kind", "says"] and "FORGED" not in fields["kind"], line
    shows_nothing_forged(told, "the log")
    assert len(told) < 300_000 and max(map(len, told.splitlines())) < 8192, "what a stranger writes makes the log long"
    for where, (_, out, errors) in outputs.items():
        shows_nothing_forged(out + errors, where)
        if where.endswith("--json"):
            json.loads(out)
    for page, body in pages.items():
        shows_nothing_forged(body.decode("utf-8"), page)
    with open(stack.path("flipback.ops.log"), "rb") as file:
        shows_nothing_forged(file.read().decode("utf-8"), "the operations' log")
    with sqlite3.connect(stack.path("flipback.db")) as store:
        for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in store.execute(f"SELECT * FROM {table}").fetchall():
                for value in row:
                    assert not isinstance(value, str) or len(value) < 65536, (table, len(value))


def agent_url(stack, text):
    return "http://" + next(line.split('"')[1] for line in text.splitlines() if line.startswith("listen"))
