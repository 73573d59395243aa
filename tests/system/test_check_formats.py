"""`--check` in each format, held against what reads that format."""

import json
import re
import subprocess
from xml.etree import ElementTree

import pytest
from conftest import BINARY
from processes import free_port

CONFIGURATION = f"""
[agent]
name_servers = "127.0.0.1:9"
[probes.disk]
type = "disk"
paths = ["/"]
[probes.dead]
type = "tcp"
address = "127.0.0.1:{free_port()}"
[probes.named]
type = "tcp"
address = "a.test:1"
timeout = "300ms"
"""


def check(folder, form, text=CONFIGURATION, *words):
    path = folder / "flipback.toml"
    path.write_text(text)
    return subprocess.run([BINARY, "--check", "--config", path, "--format", form, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def answering(tmp_path):
    """A configuration whose probe fails with a stranger's text in its words."""
    with subprocess.Popen(["/usr/bin/python3", "-c", """
import http.server, sys
class Says(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"status": "' + sys.argv[1].encode() + b'\\\\u0001\\\\ufffe\\\\uffff]]>"}'
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Says)
print(server.server_port, flush=True)
server.serve_forever()
""", "<b>&| # it's = 1"], stdout=subprocess.PIPE, text=True) as child:
        port = child.stdout.readline().strip()
        yield f'[probes.api]\ntype = "http"\nurl = "http://127.0.0.1:{port}/"\nexpect = {{ "/status" = "healthy" }}\n'
        child.kill()


def test_tap_is_what_perls_parser_reads(tmp_path, answering):
    for text, counts in ((CONFIGURATION, "1..3 total=3 failed=1 skipped=1 errors="), (answering, "1..1 total=1 failed=1 skipped=0 errors=")):
        done = check(tmp_path, "tap", text)
        script = ('use TAP::Parser; local $/; my $p = TAP::Parser->new({tap => <STDIN>}); $p->run; printf "%s total=%d failed=%d skipped=%d errors=%s", '
                  '$p->plan, $p->tests_run, scalar($p->failed), scalar($p->skipped), join(",", $p->parse_errors)')
        read = subprocess.run(["perl", "-e", script], input=done.stdout, capture_output=True, text=True, check=False)
        assert read.stdout == counts, read.stdout + read.stderr + done.stdout


def test_nagios_gets_one_line_with_performance_data(tmp_path, answering):
    measured = r"( '[^'=]+'=\d+\.\d+s;;;0)+"
    for text, status, word in ((CONFIGURATION, 2, "CRITICAL"), (answering, 2, "CRITICAL")):
        done = check(tmp_path, "nagios", text)
        assert done.returncode == status
        assert re.fullmatch(rf"FLIPBACK {word} - [^|\n]+ \|{measured}\n", done.stdout), done.stdout
    assert check(tmp_path, "nagios", CONFIGURATION, "--only", "named").returncode == 3
    good = check(tmp_path, "nagios", CONFIGURATION, "--only", "disk")
    assert good.returncode == 0 and good.stdout.startswith("FLIPBACK OK - 1 passed, 0 failed, 0 unknown |")
    for text, words in (("nonsense", ()), (CONFIGURATION, ("--only", "disc"))):
        done = check(tmp_path, "nagios", text, *words)
        assert done.returncode == 3 and re.fullmatch(r"FLIPBACK UNKNOWN - .+\n", done.stdout)


def test_metrics_are_what_promtool_takes(tmp_path):
    done = check(tmp_path, "prometheus")
    read = subprocess.run(["promtool", "check", "metrics"], input=done.stdout, capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stdout + read.stderr == "", read.stdout + read.stderr
    assert 'flipback_check_up{probe="disk"} 1\n' in done.stdout and 'flipback_check_up{probe="dead"} 0\n' in done.stdout
    assert 'flipback_check_up{probe="named"}' not in done.stdout and 'flipback_check_unknown{probe="named"} 1\n' in done.stdout


@pytest.mark.parametrize("form", ["json", "junit", "tap", "nagios", "prometheus"])
def test_interrupted_it_is_whole_all_the_same(tmp_path, form):
    hanging = f'[probes.late]\ntype = "tcp"\naddress = "a.test:1"\ntimeout = "30s"\n[agent]\nname_servers = "127.0.0.1:{free_port()}"\n'
    path = tmp_path / "flipback.toml"
    path.write_text(hanging)
    with subprocess.Popen([BINARY, "--check", "--config", path, "--format", form], stdout=subprocess.PIPE, text=True) as child:
        try:
            printed, _ = child.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            child.send_signal(2)
            printed, _ = child.communicate(timeout=20)
    assert child.returncode == 3
    assert {"json": lambda: json.loads(printed), "junit": lambda: ElementTree.fromstring(printed), "tap": lambda: "1..1\nok 1 - late # SKIP" in printed,
            "nagios": lambda: printed.startswith("FLIPBACK UNKNOWN - "), "prometheus": lambda: 'unknown{probe="late"} 1' in printed}[form]() is not False
