"""Each probe against the real server, well and unwell: what it answers is one entry of `--check --format json`."""

import socket
import ssl
import subprocess
import sys
import threading

import own_network
import pytest
from conftest import is_now
from processes import free_port, program, wait_until



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


def test_the_certificate_that_ends_first_is_the_one_that_counts(probe, https, certificates):
    """A certificate is worth no more than the authority above it that the server sends."""
    port, _ = https("below")
    for trusted in (f'ca_file = "{certificates}/ca.pem"', "verify = false"):
        for kind, at in (("http", f'url = "https://127.0.0.1:{port}/"'), ("tcp", f'address = "127.0.0.1:{port}"\ntls = true')):
            entry = is_now(probe(kind, f"{at}\n{trusted}"), "pass")
            assert 4 < entry["measurements"]["certificate_left"] / 86400 < 5.1, entry


def test_a_certificate_that_nothing_rests_on_may_have_ended(probe, https, certificates):
    """As the cross-signed root that many servers went on to send after it had ended."""
    port, _ = https("crossed")
    at = f'url = "https://127.0.0.1:{port}/"\n'
    entry = is_now(probe("http", f'{at}ca_file = "{certificates}/ca.pem"'), "pass")
    assert 19 < entry["measurements"]["certificate_left"] / 86400 < 20.1, entry
    assert is_now(probe("http", f"{at}verify = false"), "pass")["measurements"]["certificate_left"] < 0  # nobody says which count


def test_an_authority_under_another_may_be_the_one_that_is_trusted(probe, https, certificates):
    port, _ = https("below")
    curl = ["curl", "--silent", "--cacert", certificates / "middle.pem", f"https://127.0.0.1:{port}/"]
    assert subprocess.run(curl, check=True, capture_output=True, text=True).stdout == "ok"  # as curl has it
    is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\nca_file = "{certificates}/middle.pem"'), "pass")
    other, _ = https("good")
    is_now(probe("http", f'url = "https://127.0.0.1:{other}/"\nca_file = "{certificates}/middle.pem"'), "fail", "bad TLS")


def test_a_dot_at_a_names_end_is_for_name_servers_alone(probe, https, certificates):
    port, asked = https("good")
    for names in ('host = "service.test."', 'server_name = "service.test."'):
        is_now(probe("http", f'url = "https://127.0.0.1:{port}/"\nca_file = "{certificates}/ca.pem"\n{names}'), "pass")
        assert asked[-1] == "service.test"


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
    """A port in the range of clients' own, on which nobody listens, now and then connects to itself: where the range is one port, always."""
    alone = [sys.executable, own_network.__file__, "20000", "20000"]
    connects = "import socket; s = socket.create_connection(('127.0.0.1', 20000)); assert s.getsockname() == s.getpeername()"
    subprocess.run([*alone, sys.executable, "-c", connects], check=True, timeout=30)
    is_now(probe("tcp", 'address = "127.0.0.1:20000"', within=alone), "fail", "refused", says="the connection came back to ourselves")
