"""Peers that send without end: a stand-in for a hostile release, server or client. Whatever comes off the wire costs us little memory and no
more time than a probe has."""

import contextlib
import json
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import BINARY, Traffic
from processes import free_port, wait_until
from test_rollback import cut_over_and_break
from watching import Watching

MOST = 64 * 1024 * 1024  # bytes of memory that we may take
SENT = 300 * 1024 * 1024  # bytes that a peer tries to send


class Sender:
    """Listens, and sends each who comes `begin` and then `again` until SENT bytes have gone or the other side hangs up. `ask`: bytes that it waits for
    first."""

    def __init__(self, begin, again, waits=True, port=None):
        self.begin, self.again, self.waits = begin, again * max(1, 65536 // len(again)), waits
        self.sent = 0
        self.socket = socket.create_server(("127.0.0.1", port or free_port()))
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def serve(self):
        while True:
            try:
                with self.socket.accept()[0] as peer:
                    if self.waits:
                        peer.recv(65536)
                    peer.sendall(self.begin)
                    sent = 0
                    while sent < SENT:
                        peer.sendall(self.again)
                        sent += len(self.again)
                        self.sent += len(self.again)
            except OSError:
                if self.socket.fileno() < 0:
                    return


def checked(tmp_path, kind, table):
    """The entry of `--check` of one probe, and the most memory that it took."""
    path = tmp_path / "probe.toml"
    path.write_text(f'[probes.it]\ntype = "{kind}"\ntimeout = "5s"\n{table}\n')
    child = subprocess.Popen([BINARY, "--check", "--format", "json", "--config", path], stdout=subprocess.PIPE)
    most = 0
    while child.poll() is None:  # what wait4 tells has the memory of whoever started it in it
        most = max(most, memory_of(child.pid))
        time.sleep(0.002)
    printed = child.stdout.read()
    assert child.returncode in (1, 3), printed
    return json.loads(printed)["probes"][0], most


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ANSWERS = {
    "a head": (HEAD, b"X-More: " + b"x" * 1000 + b"\r\n", "too large"),
    "one line of a head": (HEAD + b"X-More: ", b"x", "too large"),
    "a body": (HEAD + b"\r\n", b"x" * 1000, "too large"),
    "a body of known length": (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"x" * 1000, "too large"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", "too large"),
    "extensions of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x", "too large"),
    "extensions of a chunk, many": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1", b";name=value", "too large"),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-More: " + b"x" * 1000 + b"\r\n", "too large"),
    "one trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-More: ", b"x", "too large"),
    "informational answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", "bad answer"),
    "nothing that is HTTP": (b"", b"\x00\xff", "bad answer"),
    "spaces": (b"HTTP/1.1", b" ", None),
}


@pytest.mark.parametrize("what", ANSWERS, ids=lambda what: what.replace(" ", "_"))
@pytest.mark.parametrize("kind", ["http", "exposition", "jwks", "prometheus", "s3"])
def test_an_answer_without_end_is_left_where_it_is_too_long(tmp_path, kind, what):
    begin, again, why = ANSWERS[what]
    with Sender(begin, again) as sender:
        url = f"http://127.0.0.1:{sender.port}"
        table = {"http": f'url = "{url}/"', "exposition": f'url = "{url}/metrics"', "jwks": f'url = "{url}/jwks"', "prometheus": f'url = "{url}"',
                 "s3": f'url = "{url}"\naccess_key = "someone"\nsecret_key = "something-secret"\nbuckets = ["it"]'}[kind]
        entry, memory = checked(tmp_path, kind, table)
    assert entry["outcome"] == "fail" and memory < MOST, (entry, memory)
    if kind == "http" and why:
        assert entry["reason"] == why, entry


def postgres_begin():
    """As a server that trusts everybody begins: AuthenticationOk."""
    return b"R" + struct.pack("!ii", 8, 0)


class ScramServer:
    """Asks for a password by SCRAM, with as many iterations as it likes."""

    def __init__(self, iterations):
        self.iterations = iterations

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listening.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listening.accept()
                with contextlib.suppress(OSError, AttributeError):
                    self.ask(peer)

    def ask(self, peer):
        """As far as the work that it asks for."""
        while len(peer.recv(1024)) == 8:  # asks for TLS
            peer.sendall(b"N")
        peer.sendall(b"R" + struct.pack("!ii", 23, 10) + b"SCRAM-SHA-256\0\0")
        nonce = re.search(rb"r=([^,\0]+)", peer.recv(1024))[1]
        words = b"r=" + nonce + b"more,s=c29tZSBzYWx0,i=%d" % self.iterations
        peer.sendall(b"R" + struct.pack("!ii", 8 + len(words), 11) + words)


def test_a_postgres_that_asks_for_endless_work_keeps_nobody_waiting(tmp_path):
    """Other probes run, the deadline holds, and SIGTERM ends the agent, though a password is still being proven."""
    with ScramServer(2_000_000_000) as server:
        more = f'[probes.db]\ntype = "postgres"\nhost = "127.0.0.1"\nport = {server.port}\nuser = "it"\npassword = "something"\nevery = "1s"\ntimeout = "500ms"\n'
        watching = Watching(tmp_path, f"http://127.0.0.1:{free_port()}/metrics", more)
        watching.text = watching.text.replace('listen = ""', f'listen = ""\nsocket = "{watching.path("control.sock")}"')
        with watching:
            agent = watching.agent
            assert agent.wait("probe.changed", probe="db")["reason"] == "timed out"
            assert agent.wait("probe.changed", probe="traffic")["reason"] == "refused"
            for _ in range(10):  # a run that finds the first at work is among them
                time.sleep(0.2)
                done = subprocess.run([BINARY, "rules", "--socket", watching.path("control.sock")], capture_output=True, text=True, timeout=20, check=False)
                assert done.returncode == 0, done
            agent.child.process.send_signal(signal.SIGTERM)
            assert agent.child.process.wait(10) == 0


OTHERS = {
    ("postgres", "a notice while connecting"): (postgres_begin() + b"N" + struct.pack("!i", 1 << 30), b"x"),
    ("postgres", "parameters while connecting"): (postgres_begin(), b"S" + struct.pack("!i", 4 + 1004) + b"name\0" + b"x" * 998 + b"\0"),
    ("postgres", "an error while connecting"): (b"E" + struct.pack("!i", 1 << 30), b"x"),
    ("redis", "a status"): (b"+", b"x"),
    ("redis", "a bulk"): (b"$536870912\r\n", b"x"),
    ("redis", "an array"): (b"*100000000\r\n", b"$1\r\nx\r\n"),
    ("redis", "arrays in arrays"): (b"", b"*1\r\n"),
    ("tcp", "a banner"): (b"", b"x"),
    ("neo4j", "a message"): (struct.pack("!I", 0x00000405), b"\xff\xff" + b"x" * 0xffff),
}


@pytest.mark.parametrize("kind, what", OTHERS, ids=lambda text: text.replace(" ", "_"))
def test_what_other_servers_send_without_end_is_left_where_it_is_too_long(tmp_path, kind, what):
    begin, again = OTHERS[kind, what]
    with Sender(begin, again, waits=kind != "tcp") as sender:
        table = {"postgres": f'host = "127.0.0.1"\nport = {sender.port}\nuser = "it"\nsslmode = "disable"', "redis": f'url = "redis://127.0.0.1:{sender.port}"',
                 "neo4j": f'url = "bolt://127.0.0.1:{sender.port}"\nuser = "it"\npassword = "something-secret"',
                 "tcp": f'address = "127.0.0.1:{sender.port}"\nexpect = "never"'}[kind]
        entry, memory = checked(tmp_path, kind, table)
    assert entry["outcome"] == "fail" and memory < MOST, (entry, memory)


REQUESTS = {
    "a head": (b"GET /metrics HTTP/1.1\r\nHost: it\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
    "extensions of a chunk": (b"GET /metrics HTTP/1.1\r\nHost: it\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "chunks": (b"GET /metrics HTTP/1.1\r\nHost: it\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": (b"GET /metrics HTTP/1.1\r\nHost: it\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
    "a body": (b"GET /metrics HTTP/1.1\r\nHost: it\r\nContent-Length: 999999999\r\n\r\n", b"x" * 1000),
    "requests": (b"", b"GET /nothing HTTP/1.1\r\nHost: it\r\n\r\n"),
}


@pytest.fixture
def served(tmp_path):
    """An agent that serves its pages, and their port."""
    port = free_port()
    with socket.create_server(("127.0.0.1", free_port())) as nobody:
        watching = Watching(tmp_path, f"http://127.0.0.1:{nobody.getsockname()[1]}/", "")
        watching.text = watching.text.replace('listen = ""', f'listen = "127.0.0.1:{port}"\nsocket = "{watching.path("control.sock")}"')
        with watching:
            yield watching, port


def memory_of(pid):
    """Bytes at most; 0 where it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), 0)
    return 0


def healthy(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("what", REQUESTS, ids=lambda what: what.replace(" ", "_"))
def test_a_request_without_end_is_hung_up_on(served, what):
    watching, port = served
    begin, again = REQUESTS[what]
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(5)
        sent = 0
        try:
            peer.sendall(begin)
            while sent < SENT // 10:
                peer.sendall(again * 50)
                sent += 50 * len(again)
        except OSError:
            pass
    assert healthy(port) in (200, 503) and memory_of(watching.agent.child.process.pid) < MOST
    assert watching.agent.child.process.poll() is None


def test_who_has_no_memory_left_loses_a_run_and_not_itself(tmp_path):
    """An answer within the bound, and less memory than it takes."""
    port = free_port()
    with Watching(tmp_path, f"http://127.0.0.1:{port}/metrics", "") as watching:
        agent = watching.agent
        agent.wait("probe.changed", probe="traffic")
        pid = agent.child.process.pid
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            used = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmData:"))
        subprocess.run(["prlimit", "--pid", str(pid), f"--data={used + 8_000_000}"], check=True)
        with Sender(HEAD + b"Content-Length: 15000000\r\n\r\n", b"x" * 1000, port=port):
            wait_until("a run without memory", lambda: [e for e in agent.of("probe.changed", probe="traffic") if "memory" in e["says"]])
        time.sleep(1)
        assert agent.child.process.poll() is None


def test_who_says_nothing_gives_way_to_who_does(served):
    """A hundred that connect and say nothing, at the pages and at the control socket."""
    watching, port = served
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for _ in range(100):
        one = socket.socket(socket.AF_UNIX)
        one.connect(watching.path("control.sock"))
        one.sendall(b'{"verb"')
        idle.append(one)
    began = time.monotonic()
    assert healthy(port) in (200, 503)
    done = subprocess.run([BINARY, "rules", "--socket", watching.path("control.sock")], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and time.monotonic() - began < 5, done
    for one in idle:
        one.close()
    wait_until("well", lambda: healthy(port) in (200, 503))


def test_who_does_not_read_gives_way_to_who_does(served):
    """A hundred that ask for the longest page again and again, and take none of it."""
    _, port = served
    asking = []
    for _ in range(100):
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.send(b"GET /metrics HTTP/1.1\r\nHost: it\r\n\r\n" * 90)
        asking.append(one)
    time.sleep(0.5)
    for _ in range(20):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert answer.status == 200 and answer.read()
    for one in asking:
        one.close()


def test_eight_hostile_connections_do_not_keep_a_rollback_away(stack, fast_agent):
    """At the pages and at the control socket, while a release goes bad."""
    agent = fast_agent()
    Traffic(stack)
    ended = threading.Event()
    port = stack.ports["agent"]
    attacks = [lambda: socket.create_connection(("127.0.0.1", port), 5)] * 6 + [lambda: unix(stack.path("flipback.sock"))] * 2
    payloads = [*REQUESTS.values(), (b'{"verb": "', b"x"), (b"", b"\x00" * 100)]

    def attack(connect, begin, again):
        while not ended.is_set():
            try:
                with connect() as peer:
                    peer.settimeout(5)
                    peer.sendall(begin)
                    for _ in range(1000):
                        peer.sendall(again * max(1, 65536 // len(again)))
            except OSError:
                time.sleep(0.01)

    threads = [threading.Thread(target=attack, args=(connect, *payload), daemon=True) for connect, payload in zip(attacks, payloads)]
    for thread in threads:
        thread.start()
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed", seconds=60)
    assert closed["outcome"] == "rolled back" and stack.live() == "blue"
    assert healthy(port) in (200, 503)
    ended.set()
    for thread in threads:
        thread.join(10)
    assert memory_of(agent.child.process.pid) < MOST


def unix(path):
    made = socket.socket(socket.AF_UNIX)
    made.connect(path)
    return made
