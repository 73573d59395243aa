"""The neo4j probe against the real server."""

import os
import time

import pytest
from conftest import is_now
from neo4j import Neo4j
from processes import free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Neo4j(tmp_path_factory.mktemp("neo4j")) as started:
        yield started


@pytest.fixture
def ask(probe, server):
    """Runs the probe; no sentence may have a password in it."""

    def run(where, password=server.password, more=""):
        entry = probe("neo4j", f'{where}\npassword = "{password}"\ntimeout = "5s"\n{more}')
        assert password not in str(entry) and server.password not in str(entry)
        return entry

    return run


def over_http(server):
    return f'url = "{server.url}"'


def over_bolt(server):
    return f'url = "bolt://127.0.0.1:{server.bolt}"'


def unlocked(server):
    """Three wrong passwords lock the user out for five seconds."""
    while server.run("RETURN 1")[0] == 429:
        time.sleep(0.5)


def test_a_real_query_over_http_and_over_bolt(ask, server):
    entry = is_now(ask(over_http(server)), "pass", says="Neo4j 5.26.16 community, HTTP")
    assert entry["measurements"]["value"] == 1 and entry["measurements"]["http_seconds"] > 0
    is_now(ask(over_bolt(server)), "pass", says="Neo4j/5.26.16, Bolt 5.8")
    is_now(ask(f'url = "neo4j://127.0.0.1:{server.bolt}"'), "pass")
    both = is_now(ask(over_http(server), more=f'bolt = "bolt://127.0.0.1:{server.bolt}"'), "pass", says="Bolt 5.8")
    assert both["measurements"]["http_seconds"] > 0 and both["measurements"]["bolt_seconds"] > 0


def test_a_query_of_ones_own_is_measured(ask, server):
    server.run("UNWIND range(1, 7) AS i CREATE (:Listing {id: i})")
    for where in (over_http(server), over_bolt(server)):
        assert ask(where, more='query = "MATCH (n:Listing) RETURN count(n)"')["measurements"]["value"] == 7
        is_now(ask(where, more='query = "MATCH (n:Nothing) RETURN n.id"'), "pass")
        is_now(ask(where, more='query = "MATCH (n:Listing) RETURN n LIMIT 1"'), "pass")  # a node is no number
        is_now(ask(where, more='query = "RETRUN 1"'), "fail", "bad status", "SyntaxError")


def test_a_probe_writes_nothing(ask, server):
    for where in (over_http(server), over_bolt(server)):
        entry = ask(where, more='query = "CREATE (n:Mistake) RETURN 1"')
        assert entry["outcome"] == "fail", entry
    assert server.run("MATCH (n:Mistake) RETURN count(n)")[1]["results"][0]["data"][0]["row"] == [0]


def test_a_wrong_password_is_tried_once_a_run(ask, server):
    unlocked(server)
    is_now(ask(over_http(server), password="wrong-1", more=f'bolt = "bolt://127.0.0.1:{server.bolt}"'), "fail", "unauthorised", "wrong user or password")
    is_now(ask(over_bolt(server), password="wrong-2"), "fail", "unauthorised", "wrong user or password")
    assert server.run("RETURN 1")[0] == 200  # two attempts, not three: nobody is locked out


def test_a_user_who_is_locked_out_is_limited(ask, server):
    for _ in range(4):
        server.run("RETURN 1", password="wrong-3")
    is_now(ask(over_http(server)), "fail", "limited", "locked out")
    is_now(ask(over_bolt(server)), "fail", "limited", "locked out")
    unlocked(server)


def test_a_database_that_is_not_there_is_absent(ask, server):
    is_now(ask(over_http(server), more='database = "nowhere"'), "fail", "absent", "DatabaseNotFound")
    is_now(ask(over_bolt(server), more='database = "nowhere"'), "fail", "absent", "DatabaseNotFound")


def test_a_port_that_speaks_the_other_protocol_is_told(ask, server):
    entry = ask(f'url = "http://127.0.0.1:{server.bolt}"')  # it answers 200 and nothing
    is_now(entry, "fail", "bad answer", "empty")
    entry = ask(f'url = "bolt://127.0.0.1:{server.http}"')
    assert entry["outcome"] == "fail" and entry["reason"] in ("bad answer", "closed"), entry
    is_now(ask(f'url = "http://127.0.0.1:{free_port()}"'), "fail", "refused")
    is_now(ask(f'url = "bolt://127.0.0.1:{free_port()}"'), "fail", "refused")


def test_a_changed_password_is_noticed(ask, server):
    unlocked(server)
    server.run(f"ALTER CURRENT USER SET PASSWORD FROM '{server.password}' TO 'another-hunter2'", database="system")
    try:
        is_now(ask(over_http(server)), "fail", "unauthorised")
        is_now(ask(over_bolt(server), password="another-hunter2"), "pass")
    finally:
        server.run(f"ALTER CURRENT USER SET PASSWORD FROM 'another-hunter2' TO '{server.password}'", database="system", password="another-hunter2")


def test_a_password_that_must_be_changed_first(ask, server):
    server.run("CREATE USER fresh SET PASSWORD 'first-hunter2' CHANGE REQUIRED", database="system")
    is_now(ask(over_http(server), password="first-hunter2", more='user = "fresh"'), "fail", "unauthorised", "must be changed")
    is_now(ask(over_bolt(server), password="first-hunter2", more='user = "fresh"'), "fail", "unauthorised", "must be changed")


def test_a_damaged_store_is_unwell_though_the_server_answers(ask, server):
    """The last test of this server: it ends it by kill -9, and spoils what it stored."""
    server.server.signal(9)
    server.stop_server()
    is_now(ask(over_http(server)), "fail", "refused")
    server.start()
    is_now(ask(over_http(server)), "pass")
    server.stop_server()
    with open(server.path("data", "databases", "neo4j", "neostore"), "r+b") as file:
        file.write(os.urandom(os.path.getsize(file.name)))
    server.start()
    is_now(ask(over_http(server)), "fail", "bad status", "DatabaseUnavailable")
    is_now(ask(over_bolt(server)), "fail", "bad status", "DatabaseUnavailable")


def test_tls_for_both(probe, certificates, tmp_path):
    with Neo4j(tmp_path / "neo4j", certificate=(certificates / "good.key", certificates / "good.pem")) as server:
        trusted = f'password = "{server.password}"\nca_file = "{certificates}/ca.pem"\n'
        entry = is_now(probe("neo4j", f'url = "{server.url}"\nbolt = "bolt+s://127.0.0.1:{server.bolt}"\n{trusted}'), "pass", says="Bolt 5.8")
        assert entry["measurements"]["certificate_left"] > 86400
        is_now(probe("neo4j", f'url = "bolt+s://127.0.0.1:{server.bolt}"\n{trusted}server_name = "other.test"'), "fail", "bad TLS", "other.test")
        is_now(probe("neo4j", f'url = "bolt+s://127.0.0.1:{server.bolt}"\npassword = "x-hunter2"'), "fail", "bad TLS")
        is_now(probe("neo4j", f'url = "bolt+ssc://127.0.0.1:{server.bolt}"\npassword = "{server.password}"'), "pass")
        entry = probe("neo4j", f'url = "bolt://127.0.0.1:{server.bolt}"\npassword = "{server.password}"')
        assert entry["outcome"] == "fail" and entry["reason"] in ("closed", "bad answer"), entry
