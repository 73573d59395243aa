"""Each probe against the real server, well and unwell: what it answers is one entry of `--check --format json`."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from conftest import BINARY, is_now
from processes import free_port, program, wait_until

# --- Redis

@pytest.fixture
def redis(session_stack):
    """Starts a Redis of one's own with these options; gives its port."""
    started = []

    def start(*options, name="redis-own"):
        port = free_port()
        started.append(session_stack.child(name, [program("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", session_stack.folder, "--save", "",
                                                  "--appendonly", "no", *options]))
        wait_until("Redis", lambda: "Ready to accept" in started[-1].output(), child=started[-1])
        return port

    yield start
    for child in started:
        child.stop()
        os.unlink(child.log)
        session_stack.children.remove(child)


def cli(port, *words):
    return subprocess.run([program("redis-cli"), "-p", str(port), *words], check=True, capture_output=True, text=True).stdout.strip()


def test_redis_tells_its_memory(probe, session_stack, redis):
    entry = is_now(probe("redis", f'host = "127.0.0.1"\nport = {session_stack.ports["redis"]}\npassword = "secret"'), "pass", says="PONG, ")
    assert 0 < entry["measurements"]["memory_used_ratio"] < 1
    port = redis("--maxmemory", "100mb")
    assert probe("redis", f'url = "redis://127.0.0.1:{port}/3"')["measurements"]["memory_max"] == 100 * 1024 * 1024


def test_redis_says_who_may_not_come_in(probe, session_stack):
    where = f'host = "127.0.0.1"\nport = {session_stack.ports["redis"]}\n'
    is_now(probe("redis", where), "fail", "unauthorised", "a password is required")
    is_now(probe("redis", where + 'password = "wrong"'), "fail", "unauthorised", "wrong user or password")
    is_now(probe("redis", where + 'user = "nobody"\npassword = "secret"'), "fail", "unauthorised", "wrong user or password")
    is_now(probe("redis", f'host = "127.0.0.1"\nport = {free_port()}'), "fail", "refused")


def test_redis_users_have_the_rights_that_they_have(probe, redis):
    port = redis()
    cli(port, "ACL", "SETUSER", "watcher", "on", ">p/w@1", "+ping", "+info")
    cli(port, "ACL", "SETUSER", "pinger", "on", ">p", "+ping")
    cli(port, "ACL", "SETUSER", "mute", "on", ">p", "+get")
    is_now(probe("redis", f'url = "redis://watcher:p%2Fw%401@127.0.0.1:{port}"'), "pass", says=" used")
    is_now(probe("redis", f'url = "redis://pinger:p@127.0.0.1:{port}"'), "pass", says="may not ask for INFO")
    is_now(probe("redis", f'url = "redis://mute:p@127.0.0.1:{port}"'), "fail", "forbidden")


def test_a_password_is_not_repeated_even_where_redis_repeats_it(probe, redis):
    port = redis("--rename-command", "AUTH", "")
    entry = is_now(probe("redis", f'url = "redis://:hunter2@127.0.0.1:{port}"'), "fail", "unauthorised", "AUTH was answered with an error")
    assert "hunter2" not in json.dumps(entry)


def test_a_full_redis_is_saturated(probe, redis):
    port = redis("--maxclients", "1")
    with socket.create_connection(("127.0.0.1", port)) as only:
        only.sendall(b"PING\r\n")
        assert only.recv(100) == b"+PONG\r\n"
        for password in ("", ":hunter2@"):
            for _ in range(5):
                is_now(probe("redis", f'url = "redis://{password}127.0.0.1:{port}"'), "fail", "saturated")


def test_a_redis_that_loads_is_starting(probe, redis):
    port = redis("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024", "--enable-debug-command", "yes")
    cli(port, "DEBUG", "POPULATE", "300", "key", "4096")
    reload = subprocess.Popen([program("redis-cli"), "-p", str(port), "DEBUG", "RELOAD"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("LOADING", lambda: "LOADING" in cli(port, "PING"))
        is_now(probe("redis", f'url = "redis://127.0.0.1:{port}"'), "fail", "starting")
    finally:
        cli(port, "CONFIG", "SET", "key-load-delay", "0")
        reload.kill()
        reload.wait()


def test_redis_is_reached_by_its_socket(probe, redis, session_stack):
    path = session_stack.path("redis-own.sock")
    redis("--unixsocket", path)
    is_now(probe("redis", f'url = "unix://{path}"'), "pass")
    is_now(probe("redis", f'url = "unix://{path}-not"'), "fail", "refused")


def test_a_hung_redis_is_timed_out(probe, redis, session_stack):
    port = redis()
    session_stack.children[-1].signal(signal.SIGSTOP)
    is_now(probe("redis", f'url = "redis://127.0.0.1:{port}"\ntimeout = "300ms"'), "fail", "timed out", "while reading the answer")


def test_what_is_no_redis_is_a_bad_answer(probe, session_stack):
    entry = probe("redis", f'host = "127.0.0.1"\nport = {session_stack.ports["front"]}\npassword = "hunter2"')
    assert entry["outcome"] == "fail" and entry["reason"] in ("bad answer", "closed"), entry
    assert "hunter2" not in json.dumps(entry)


# --- TLS, with certificates made here

@pytest.fixture
def https(certificates):
    """Serves "ok" over TLS with this certificate, and says which name each client asked for."""
    stop = []

    def serve(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
        asked = []
        context.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)
        ended = threading.Event()

        def run():
            while not ended.is_set():
                try:
                    with context.wrap_socket(listener.accept()[0], server_side=True) as client:
                        client.recv(4096)
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except OSError:
                    pass

        thread = threading.Thread(target=run)
        thread.start()
        stop.append((ended, thread, listener))
        return listener.getsockname()[1], asked

    yield serve
    for ended, thread, listener in stop:
        ended.set()
        thread.join()
        listener.close()


def test_tls_is_verified_against_an_authority_and_tells_its_days(probe, https, certificates):
    port, asked = https("good")
    ours = f'ca_file = "{certificates}/ca.pem"'
    entry = is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\n{ours}'), "pass")
    assert 19 < entry["measurements"]["certificate_left"] / 86400 < 20.1
    assert asked == [None]  # an address is no server name
    is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\n{ours}\nserver_name = "service.test"'), "pass")
    assert asked[-1] == "service.test"
    is_now(probe("tcp", f'address = "127.0.0.1:{port}"\ntls = true\n{ours}'), "pass")


def test_tls_that_can_not_be_trusted_says_why(probe, https, certificates):
    port, _ = https("good")
    is_now(probe("http", f'url = "https://127.0.0.1:{port}/"'), "fail", "bad TLS")  # the machine's authorities do not know ours
    wrong = probe("http", f'url = "https://127.0.0.1:{port}/"\nca_file = "{certificates}/ca.pem"\nserver_name = "other.test"')
    is_now(wrong, "fail", "bad TLS", "other.test")
    is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\nverify = false'), "pass")
    alone, _ = https("alone")
    is_now(probe("http", f'url = "https://127.0.0.1:{alone}/"'), "fail", "bad TLS", "self-signed")
    old, _ = https("old")
    is_now(probe("http", f'url = "https://127.0.0.1:{old}/"\nca_file = "{certificates}/ca.pem"'), "fail", "bad TLS", "expired")
    is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\nca_file = "{certificates}/none.pem"'), "unknown", "no prerequisite")


def test_tls_and_no_tls_that_meet_are_told_apart(probe, https, session_stack):
    is_now(probe("http", f'url = "https://127.0.0.1:{session_stack.ports["front"]}/"'), "fail", "bad TLS")
    port, _ = https("good")
    entry = probe("http", f'url = "http://127.0.0.1:{port}/"')
    assert entry["outcome"] == "fail" and entry["reason"] in ("closed", "bad answer"), entry


def test_redis_over_tls(probe, redis, certificates):
    tls = free_port()
    redis("--tls-port", str(tls), "--tls-cert-file", f"{certificates}/good.pem", "--tls-key-file", f"{certificates}/good.key", "--tls-ca-cert-file", f"{certificates}/ca.pem",
          "--tls-auth-clients", "no")
    is_now(probe("redis", f'url = "rediss://127.0.0.1:{tls}"\nca_file = "{certificates}/ca.pem"'), "pass")
    is_now(probe("redis", f'url = "rediss://127.0.0.1:{tls}"'), "fail", "bad TLS")


# --- names

def test_a_name_that_does_not_exist_is_a_failure_and_a_deaf_name_server_is_not(probe):
    def answers_nxdomain(server, ended):
        server.settimeout(0.1)
        while not ended.is_set():
            try:
                query, whom = server.recvfrom(512)
                server.sendto(query[:2] + b"\x81\x83" + query[4:6] + b"\0\0\0\0\0\0" + query[12:], whom)
            except OSError:
                pass

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        agent = f'[agent]\nname_servers = ["127.0.0.1:{server.getsockname()[1]}"]'
        is_now(probe("tcp", 'address = "service.test:80"\ntimeout = "300ms"', agent), "unknown", "no resolver")
        while True:  # what the first probe asked is not for the second
            server.setblocking(False)
            try:
                server.recv(512)
            except BlockingIOError:
                break
        ended = threading.Event()
        thread = threading.Thread(target=answers_nxdomain, args=(server, ended))
        thread.start()
        try:
            is_now(probe("tcp", 'address = "service.test:80"', agent), "fail", "no such name")
        finally:
            ended.set()
            thread.join()


def test_the_hosts_file_needs_no_name_server(probe, session_stack):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        agent = f'[agent]\nname_servers = ["127.0.0.1:{deaf.getsockname()[1]}"]'
        is_now(probe("tcp", f'address = "localhost:{session_stack.ports["redis"]}"', agent), "pass")


# --- tcp

def test_tcp_accepts_and_greets(probe, session_stack):
    redis_at = f'address = "127.0.0.1:{session_stack.ports["redis"]}"\n'
    is_now(probe("tcp", redis_at), "pass", says="accepts")
    is_now(probe("tcp", redis_at + 'send = "PING\\r\\n"\nexpect = "-NOAUTH"'), "pass")
    is_now(probe("tcp", redis_at + 'send = "PING\\r\\n"\nexpect = "+PONG"'), "fail", "expectation")
    is_now(probe("tcp", redis_at + 'expect = "220"\ntimeout = "300ms"'), "fail", "timed out", "reading the answer")
    is_now(probe("tcp", f'address = "127.0.0.1:{free_port()}"'), "fail", "refused")


def test_a_connection_to_oneself_is_refused(probe):
    """A port in the range of clients' own, on which nobody listens, now and then connects to itself."""
    low = int(open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii").read().split()[0])
    seen = set()
    for port in range(low, low + 40):
        entry = probe("tcp", f'address = "127.0.0.1:{port}"')
        seen.add(entry["reason"] if entry["outcome"] == "fail" else entry["says"])
    assert seen == {"refused"}
