"""Hundreds of clients who mean no good, at the API: the agent's own schedule is kept, and its memory is bounded."""

import contextlib
import http.server
import json
import os
import random
import socket
import struct
import threading
import time
import urllib.request

import pytest
from api_client import TOKEN, Client
from processes import free_port, wait_until
from test_hostile_peers import MOST, memory_of
from watching import Watching

SLOW = 200
DROPPED = 10_000
EVERY = 0.1  # seconds between two runs of the probe


class Target(threading.Thread):
    """What the agent's probe asks; it notes when."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = []
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                target.asked.append(time.monotonic())
                body = b"up 1\n"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def run(self):
        self.server.serve_forever(0.1)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def watched(tmp_path):
    target = Target()
    target.start()
    port = free_port()
    watching = Watching(tmp_path, f"http://127.0.0.1:{target.port}/metrics", "")
    watching.text = watching.text.replace('listen = ""', f'listen = "127.0.0.1:{port}"\ntoken = "{TOKEN}"')
    with watching:
        yield watching, target, Client(port)
    target.stop()


def lateness(times):
    """How much later than it was due each run came, in seconds, sorted."""
    return sorted(abs(later - earlier - EVERY) for earlier, later in zip(times, times[1:]))


def p99(of):
    return of[min(len(of) - 1, len(of) * 99 // 100)]


def slow(port, ended, path):
    """A byte of a request now and then."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX: ".encode() + b"y" * 5000
    while not ended.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as peer:
            for byte in request:
                peer.sendall(bytes([byte]))
                if ended.wait(0.2):
                    return


def dropped(port, times, reset):
    for _ in range(times):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as peer:
            peer.sendall(b"GET /api/v1/rules HTTP/1.1\r\nHost: localhost\r\n\r\n"[:random.randint(0, 60)])
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def garbage(port, ended):
    while not ended.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as peer:
            peer.settimeout(2)
            peer.sendall(os.urandom(random.randint(1, 20_000)))
            peer.recv(1000)
        ended.wait(0.01)


def streaming(port, ended):
    while not ended.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as peer:
            peer.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            ended.wait(1)


@pytest.mark.longest(300)
def test_hundreds_who_mean_no_good_do_not_make_the_schedule_late(watched):
    watching, target, client = watched
    time.sleep(5)
    before = p99(lateness(list(target.asked)))
    ended = threading.Event()
    paths = ("/api/v1/rules", "/api/v1/events", "/metrics", "/")
    threads = [threading.Thread(target=slow, args=(client.port, ended, paths[n % len(paths)]), daemon=True) for n in range(SLOW)]
    threads += [threading.Thread(target=garbage, args=(client.port, ended), daemon=True) for _ in range(4)]
    threads += [threading.Thread(target=streaming, args=(client.port, ended), daemon=True) for _ in range(20)]
    droppers = [threading.Thread(target=dropped, args=(client.port, DROPPED // 4, n % 2 == 0), daemon=True) for n in range(4)]
    first = len(target.asked)
    began = time.monotonic()
    for thread in threads + droppers:
        thread.start()
    for thread in droppers:
        thread.join()
    time.sleep(max(0, 5 - (time.monotonic() - began)))
    took = time.monotonic() - began
    during = list(target.asked[first:])
    answered = client.get("/api/v1/status")
    ended.set()
    for thread in threads:
        thread.join(10)
    assert answered.status in (200, 503)
    # Python, which is the clients and the target, is most of what is late here.
    assert len(during) > 0.8 * took / EVERY, (len(during), took)
    assert p99(lateness(during)) < before + 0.1, (before, p99(lateness(during)))
    assert memory_of(watching.agent.child.pid) < MOST
    wait_until("room again", lambda: client.get("/api/v1/status").status == 200)
    with urllib.request.urlopen(f"http://127.0.0.1:{client.port}/healthz", timeout=5) as page:
        assert json.load(page)["status"] == "healthy"
    assert len(os.listdir(f"/proc/{watching.agent.child.pid}/fd")) < 60
