"""The traffic as a real nginx logs it: every format, files through every rotation, and syslog."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from conftest import BINARY, is_now
from follow import JsonLines, metrics
from logging_nginx import FOREIGN, FORMATS, INGRESS, LoggingNginx
from processes import Child, free_port, wait_until


class Watching:
    """An agent that follows one log, and how many requests it has counted."""

    def __init__(self, folder, table, name="agent"):
        self.port = free_port()
        self.file = os.path.join(folder, f"{name}.toml")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(f'[agent]\nlisten = "127.0.0.1:{self.port}"\nlog_format = "json"\nlog_level = "debug"\nstate = "{folder}/{name}.db"\nspread = "10ms"\n'
                       f'[probes.traffic]\ntype = "access_log"\nevery = "200ms"\n{table}\n'
                       '[[rules]]\nname = "counted"\nwhen = "count(traffic.error_rate over 10m) > 1000000"\n'
                       '[[rules]]\nname = "spoilt"\nwhen = "max(traffic.malformed over 10m) > 1000000"\n')
        self.child = Child(name, [BINARY, "--config", self.file], os.path.join(folder, f"{name}.log"))
        self.lines = JsonLines(self.child.log)
        self.events = []
        wait_until("the agent", lambda: self.of("agent.ready"), child=self.child)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.child.stop()

    def of(self, kind):
        self.events += self.lines.new()
        return [e for e in self.events if e["kind"] == kind]

    def value(self, rule):
        return metrics(f"http://127.0.0.1:{self.port}").get(("flipback_rule_value", f'rule="{rule}"'), 0)

    def counts(self, requests):
        """Waits until exactly so many were counted, and sees that it stays so."""
        try:
            wait_until(f"{requests} requests", lambda: self.value("counted") >= requests, 15, self.child)
        except RuntimeError as late:
            raise AssertionError(f"{self.value('counted')} of {requests} were counted") from late
        time.sleep(0.5)
        assert self.value("counted") == requests

    def reload(self):
        before = len(self.of("config.reloaded"))
        self.child.signal(signal.SIGHUP)
        wait_until("the reload", lambda: len(self.of("config.reloaded")) > before, child=self.child)


@pytest.fixture
def nginx():
    with LoggingNginx() as made:
        yield made
    shutil.rmtree(made.folder)


@pytest.fixture(scope="module")
def logged():
    """An nginx that has logged one of everything, in every format."""
    foreign = "\n".join(f"access_log {{folder}}/{name}.log {name};" for name in FOREIGN)
    with LoggingNginx(more=foreign, http="\n".join((INGRESS, *FOREIGN.values()))) as made:
        assert made.get("/blue/a", "/blue/a?b=c", "/green/error", "/green/missing", "/green/limited", "/retry/a", "/blue/accel") == [200, 200, 500, 404, 429, 200, 200]
        assert made.get("/down/x", "/down/y") == [502, 502]
        assert made.get("/health", "/local") == [200, 301]
        made.get("/blue/a", agent="flipback/0.1.0")
        made.get("/blue/a", agent="kube-probe/1.29")
        assert made.send(b"\x16\x03\x01\x02\x00\x01\x00\n\n").startswith(b"HTTP/1.1 400")  # TLS on a port without
        made.send(b"GET /blue/nine\r\n")  # HTTP/0.9
        made.send(b"GET /green/hang HTTP/1.1\r\nHost: h\r\nUser-Agent: \"quoted\\ 500 127.0.0.1:1\r\n\r\n", wait=1.2)
        for name in ("flipback", "combined", *FORMATS, *FOREIGN):
            made.wait_lines(name, 16)
        made.stop()
        yield made
    shutil.rmtree(made.folder)


EXCLUDED = 'exclude = { agents = ["kube-probe/"] }\n'


def entry_of(probe, nginx, name, text=None):
    """What `--check` sees in a log of this nginx, with both slots."""
    slots = "".join(f'[slots.{slot}]\nurl = "http://127.0.0.1:{nginx.ports[slot]}"\n' for slot in ("blue", "green"))
    text = f"format = '''{text}'''\n" if text else ""
    return is_now(probe("access_log", f'path = "{nginx.log(name)}"\n{text}{EXCLUDED}', agent=slots), "pass")


def rounded(measurements, *names):
    return [round(measurements[name] * measurements["requests"]) for name in names]


RATES = ("error_rate", "client_error_rate", "limited_rate", "aborted_rate", "success_rate")

# What was passed on: two to blue, an error, a 404, a 429, a retry, an internal redirect, HTTP/0.9, one that hung up; and two to a group that
# is down and no slot's.
TO_SLOTS, ELSEWHERE = 9, 2
PASSED_ON = TO_SLOTS + ELSEWHERE


@pytest.mark.parametrize("name", ["flipback", "lists", "spaced", "json"])
def test_formats_with_upstreams_tell_traffic_and_slots(probe, logged, name):
    entry = entry_of(probe, logged, name, FORMATS.get(name))
    seen = entry["measurements"]
    assert (seen["requests"], seen["malformed"], seen["local_errors"]) == (TO_SLOTS, 0, 2), entry
    # 500, and who hung up on a silent slot: told by the header's time, or by a status that never came.
    assert rounded(seen, *RATES) == [2, 1, 1, 1, 5], entry
    assert round(seen["elsewhere"] * (PASSED_ON + 2)) == ELSEWHERE and f", {ELSEWHERE} more to no slot" in entry["says"], entry
    assert seen["local_error_rate"] == 0 and not [n for n in seen if n.startswith("live.")], entry
    # blue: two, the redirect's first attempt, HTTP/0.9. green: error, 404, 429, the retry, the redirect's second attempt, the silent one.
    assert (seen["blue.requests"], seen["green.requests"]) == (4, 6), entry
    assert round(seen["green.error_rate"] * 6) == 2 and seen["blue.error_rate"] == 0


@pytest.mark.parametrize("name", ["combined", "main"])
def test_formats_without_upstreams_count_every_request_and_say_what_they_lack(probe, logged, name):
    entry = entry_of(probe, logged, name, FORMATS.get(name, name))
    seen = entry["measurements"]
    assert (seen["requests"], seen["malformed"]) == (PASSED_ON + 2, 0), entry  # the 301 and the 400, too
    assert rounded(seen, *RATES) == [3, 2, 1, 1, 6], entry
    assert "; the log has no " in entry["says"] and "upstream" in entry["says"].split("; the log has no ")[1]
    assert not [n for n in seen if n.startswith(("blue.", "green.", "live.", "local_", "elsewhere"))], entry
    assert "it does not tell slots apart, nor what nginx answered itself" in entry["says"], entry


# What each of them holds: how many requests are traffic, and the signals that it gives of these. Without a user agent our own request and
# the excluded one count, without a path the health check.
ALL = PASSED_ON + 2
HELD = {"vhost": (ALL, set()), "named": (ALL, set()), "times": (PASSED_ON, {"slow_rate", "local_errors"}), "ltsv": (PASSED_ON, {"slow_rate", "local_errors"}),
        "ingress": (TO_SLOTS, {"slow_rate", "elsewhere"}), "posts": (TO_SLOTS, {"slow_rate", "elsewhere", "blue.requests", "green.slow_rate"}),
        "bare": (TO_SLOTS + 3, {"elsewhere"}), "via": (TO_SLOTS + 2, {"slow_rate", "elsewhere"}), "glued": (TO_SLOTS, {"elsewhere"}),
        "unquoted": (TO_SLOTS, {"slow_rate", "elsewhere", "blue.requests", "green.slow_rate"})}


@pytest.mark.parametrize("name", FOREIGN)
def test_formats_of_other_people_are_read_for_what_they_hold(probe, logged, name):
    requests, gives = HELD[name]
    slots = "".join(f'[slots.{slot}]\nurl = "http://127.0.0.1:{logged.ports[slot]}"\n' for slot in ("blue", "green"))
    table = f"path = \"{logged.log(name)}\"\nformat = '''{FOREIGN[name]}'''\n" + (EXCLUDED if name not in ("bare", "via") else "")
    seen = is_now(probe("access_log", table, agent=slots), "pass")["measurements"]
    assert (seen["requests"], seen["malformed"]) == (requests, 0), seen
    for signal_name in ("slow_rate", "local_errors", "elsewhere", "blue.requests", "green.slow_rate"):
        assert (signal_name in seen) == (signal_name in gives or (signal_name == "local_errors" and "elsewhere" in gives)), (signal_name, seen)


def test_json_without_quotes_is_read_by_its_keys(probe, logged):
    keys = {"time": "time_date", "status": "status", "upstream": "upstream_addr", "upstream_status": "upstream_status", "path": "request_uri",
            "response_time": "upstream_response_time", "request_time": "request_time", "agent": "agent", "client": "client"}
    fields = ", ".join(f'{name} = "{key}"' for name, key in keys.items())
    slots = "".join(f'[slots.{slot}]\nurl = "http://127.0.0.1:{logged.ports[slot]}"\n' for slot in ("blue", "green"))
    seen = is_now(probe("access_log", f'path = "{logged.log("unquoted")}"\nfields = {{ {fields} }}\n{EXCLUDED}', agent=slots), "pass")["measurements"]
    assert (seen["requests"], seen["malformed"], seen["green.requests"]) == (TO_SLOTS, 0, 6), seen


def test_a_log_in_another_format_is_said_and_gives_no_rates(probe, logged):
    entry = is_now(probe("access_log", f'path = "{logged.log("combined")}"'), "fail", "bad answer", says="16 lines that are not in its format")
    assert entry["measurements"]["requests"] == 0


def test_rules_on_what_a_format_lacks_are_errors_of_the_configuration(tmp_path, logged):
    def problems(table, rule):
        file = tmp_path / "wrong.toml"
        file.write_text(f'[probes.traffic]\ntype = "access_log"\npath = "{logged.log("combined")}"\n{table}\n[[rules]]\nname = "r"\nwhen = "{rule}"\n')
        done = subprocess.run([BINARY, "validate", file], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    lacks = "which no probe gives: the log's format has no $request_time, nor $upstream_header_time, nor $upstream_response_time"
    assert f"found the signal traffic.p95, {lacks}" in problems('format = "combined"', "traffic.p95 > 1s")
    assert "did you mean" not in problems('format = "combined"', "traffic.p95 > 1s")
    torn = problems("format = '$status $http_x_forwarded_for $request_uri'", "surely(traffic.error_rate_by_path over 5m > 50%)")
    assert "the log's format has no $request_uri that could be told: it has $http_x_forwarded_for and $request_uri, of which nothing tells" in torn
    assert "which no probe gives" not in problems(f"format = '''{FORMATS['main']}'''", "traffic.p95 > 1s")
    assert "found the signal traffic.local_errors, which no probe gives" in problems('format = "combined"', "traffic.local_errors > 1")


def rotate_by_renaming(nginx, to):
    os.rename(nginx.log("flipback"), nginx.log("flipback") + to)
    time.sleep(0.1)  # nginx goes on writing there
    nginx.reopen()


def test_no_line_is_lost_or_doubled_by_renaming_under_load(nginx):
    with Watching(nginx.folder, f'path = "{nginx.log("flipback")}"') as agent:
        users = [threading.Thread(target=nginx.get, args=("/blue/a",) * 400, kwargs={"pause": 0.002}) for _ in range(2)]
        for user in users:
            user.start()
        for to in (".3", ".2", ".1"):
            time.sleep(0.4)
            rotate_by_renaming(nginx, to)
        for user in users:
            user.join()
        agent.counts(800)


def test_what_was_not_read_before_a_copytruncate_is_read_from_the_copy(nginx):
    log = nginx.log("flipback")
    with Watching(nginx.folder, f'path = "{log}"') as agent:
        nginx.get(*["/blue/a"] * 50)
        agent.counts(50)
        for turn in (1, 2):
            agent.child.signal(signal.SIGSTOP)
            nginx.get(*["/blue/a"] * 50)  # nobody has read these
            nginx.wait_lines("flipback", 50)
            shutil.copyfile(log, f"{log}-2026112{turn}")
            os.truncate(log, 0)
            nginx.get(*["/blue/a"] * 10)
            agent.child.signal(signal.SIGCONT)
            agent.counts(50 + 60 * turn)


@pytest.mark.parametrize("reopened", [True, False])
def test_a_start_right_after_a_rotation_knows_what_was_before(nginx, reopened):
    log = nginx.log("flipback")
    nginx.get(*["/blue/a"] * 100)
    nginx.wait_lines("flipback", 100)
    os.rename(log, log + ".1")
    if reopened:
        nginx.reopen()
        wait_until("a new log", lambda: os.path.exists(log))
        nginx.get(*["/blue/a"] * 30)
    with Watching(nginx.folder, f'path = "{log}"') as agent:
        agent.counts(130 if reopened else 100)
        nginx.get(*["/blue/a"] * 20)
        if not reopened:
            nginx.reopen()
        nginx.get(*["/blue/a"] * 20)
        agent.counts(170 if reopened else 140)


def test_a_check_right_after_a_rotation_sees_what_was_before(probe, nginx):
    nginx.get(*["/blue/a"] * 40)
    nginx.wait_lines("flipback", 40)
    rotate_by_renaming(nginx, "-20261126")
    assert probe("access_log", f'path = "{nginx.log("flipback")}"')["measurements"]["requests"] == 40


def test_a_reload_counts_no_request_twice(nginx):
    with Watching(nginx.folder, f'path = "{nginx.log("flipback")}"') as agent:
        nginx.get(*["/blue/a"] * 100)
        agent.counts(100)
        time.sleep(1.5)  # lines of the last second are new to whoever starts
        agent.reload()
        nginx.get(*["/blue/a"] * 20)
        agent.counts(120)


# --- files that are no log

def test_faults_of_a_file_are_said_at_once(probe, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    os.symlink("loop", tmp_path / "loop")
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(os.urandom(200_000).replace(b"\n", b"x") + b"\n" + b"\xff\xfe\n" * 3)
    (tmp_path / "huge").write_bytes(b"x" * 10_000_000 + b"\n{\n")
    (tmp_path / "cut").write_bytes(b'{"status":"200","upstream":"1.2.3.4:5"}\n{"status":"200","upst\n{"status":"20')

    def look(name):
        return probe("access_log", f'path = "{tmp_path / name}"')

    is_now(look("missing"), "fail", "absent", "missing does not exist")
    is_now(look(""), "fail", "absent", "is no regular file")
    is_now(look("fifo"), "fail", "absent", "is no regular file")
    is_now(look("loop"), "fail", "absent", "can't be read: Too many levels of symbolic links")
    is_now(look("empty"), "pass", says="0 requests, 0 errors")
    assert is_now(look("binary"), "fail", "bad answer")["measurements"]["malformed"] == 4
    assert is_now(look("huge"), "fail", "bad answer")["measurements"]["malformed"] == 1
    cut = is_now(look("cut"), "pass")["measurements"]
    assert (cut["requests"], cut["malformed"]) == (1, 1)


# --- syslog

SYSLOG = "access_log syslog:server=unix:{folder}/log.sock,tag=api flipback; access_log syslog:server=unix:{folder}/bare.sock,nohostname,facility=local1 combined;"


@pytest.fixture
def by_syslog():
    with LoggingNginx(SYSLOG) as made:
        yield made
    shutil.rmtree(made.folder)


def counts_all_but_lost(agent, nginx, requests):
    """nginx drops what the kernel has no room for, and says each in its error log: what is left is exactly what was counted."""
    wait_until("the last line", lambda: agent.value("counted") + nginx.lost_by_syslog() >= requests, 15, agent.child)
    time.sleep(0.5)
    assert agent.value("counted") + nginx.lost_by_syslog() == requests
    assert agent.value("counted") >= requests * 0.5


@pytest.mark.parametrize("name, format", [("log.sock", "json"), ("bare.sock", "combined")])
def test_nginx_sends_its_lines_to_a_socket(by_syslog, name, format):
    path = by_syslog.path(name)
    with Watching(by_syslog.folder, f'syslog = "{path}"\nformat = "{format}"') as agent:
        wait_until("the socket", lambda: os.path.exists(path), child=agent.child)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        by_syslog.get(*["/blue/a"] * 100, pause=0.005)
        lost_by_other = by_syslog.lost_by_syslog  # the other socket is not there: each of its lines is lost
        wait_until("the last line", lambda: agent.value("counted") + lost_by_other() - 100 >= 100, 15, agent.child)
        time.sleep(0.5)
        assert agent.value("counted") + lost_by_other() - 100 == 100
        assert agent.value("counted") >= 50
        assert agent.value("spoilt") == 0
    assert not os.path.exists(path)


ONE = "access_log syslog:server=unix:{folder}/log.sock flipback;"


@pytest.fixture
def to_one_socket():
    with LoggingNginx(ONE) as made:
        yield made
    shutil.rmtree(made.folder)


def test_a_reload_under_traffic_loses_nothing(to_one_socket):
    nginx = to_one_socket
    path = nginx.path("log.sock")
    with Watching(nginx.folder, f'syslog = "{path}"') as agent:
        wait_until("the socket", lambda: os.path.exists(path), child=agent.child)
        inode = os.stat(path).st_ino
        user = threading.Thread(target=nginx.get, args=("/blue/a",) * 300, kwargs={"pause": 0.01})
        user.start()
        for _ in range(3):
            time.sleep(0.5)
            agent.reload()
        user.join()
        counts_all_but_lost(agent, nginx, 300)
        assert os.stat(path).st_ino == inode  # the same socket all the time


def test_a_restart_takes_a_stale_socket_over_and_leaves_others_alone(to_one_socket):
    nginx = to_one_socket
    path = nginx.path("log.sock")
    with Watching(nginx.folder, f'syslog = "{path}"') as agent:
        wait_until("the socket", lambda: os.path.exists(path), child=agent.child)
        agent.child.signal(signal.SIGKILL)
        wait_until("its end", lambda: not agent.child.alive())
    assert os.path.exists(path)
    with Watching(nginx.folder, f'syslog = "{path}"', name="next") as agent:
        wait_until("a socket that is served", lambda: served(path), child=agent.child)
        before = nginx.lost_by_syslog()
        nginx.get(*["/blue/a"] * 20, pause=0.01)
        wait_until("its lines", lambda: agent.value("counted") + nginx.lost_by_syslog() - before >= 20, child=agent.child)
        assert agent.value("counted") >= 10
        with Watching(nginx.folder, f'syslog = "{path}"', name="second") as second:
            said = wait_until("a word of it", lambda: [e for e in second.of("probe.changed") if e["outcome"] == "unknown"], child=second.child)
            assert said[0]["says"].endswith("is served by another program"), said
        assert served(path)
        os.unlink(path)  # somebody cleans up: it is bound anew
        wait_until("a new socket", lambda: served(path), child=agent.child)


def served(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect(path)
        return True


def test_what_is_no_syslog_message_is_counted_and_harms_nothing(tmp_path):
    path = str(tmp_path / "log.sock")
    with Watching(str(tmp_path), f'syslog = "{path}"\nsocket_mode = "0600"') as agent:
        wait_until("the socket", lambda: served(path), child=agent.child)
        head = b"<190>Nov 26 20:53:43 host nginx: "
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(path)
            for message in (b"", b"\x00\xff", head, head + b"{", b"x" * 100_000, head + b'{"a":"' + b"x" * 100_000 + b'"}', head + b"a\nb",
                            head + b'{"status":"200","upstream":"1.2.3.4:5"}'):
                client.send(message)
                time.sleep(0.02)
        wait_until("the good one", lambda: agent.value("counted") == 1, child=agent.child)
        assert agent.value("spoilt") >= 1
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_check_leaves_the_socket_to_the_agent(probe, tmp_path):
    path = str(tmp_path / "log.sock")
    table = f'syslog = "{path}"'
    is_now(probe("access_log", table), "unknown", "no prerequisite", "is not served: its lines are seen by a running agent alone")
    assert not os.path.exists(path)
    (tmp_path / "file").touch()
    with Watching(str(tmp_path), table) as agent:
        wait_until("the socket", lambda: served(path), child=agent.child)
        inode = os.stat(path).st_ino
        is_now(probe("access_log", table), "pass", says="is served; its lines go to whoever serves it")
        assert os.stat(path).st_ino == inode
    with Watching(str(tmp_path), f'syslog = "{tmp_path}/file"', name="second") as agent:
        said = wait_until("a word of it", lambda: agent.of("probe.changed"), child=agent.child)
        assert said[0]["says"].endswith("is no socket, and is left alone")
