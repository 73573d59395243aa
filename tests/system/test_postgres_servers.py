"""The postgres probe against servers that are PostgreSQL in part, by the URL that applications have, and where a password would be seen."""

import os
import socket
import struct
import threading
import time

import pytest
from conftest import is_now
from postgres import Postgres
from processes import free_port

PASSWORD = "lookout-hunter2"


@pytest.fixture(scope="module")
def server():
    with Postgres() as started:
        started.run(f"CREATE ROLE lookout LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO lookout")
        yield started


@pytest.fixture
def by_url(probe):
    """Runs the probe; no sentence may have the password in it."""

    def run(url, more=""):
        entry = probe("postgres", f'url = "{url}"\n{more}')
        assert "hunter2" not in str(entry), entry
        return entry

    return run


def lookout(server, hosts=None, more="/postgres", scheme="postgresql"):
    return f"{scheme}://lookout:{PASSWORD}@{hosts or f'127.0.0.1:{server.port}'}{more}"


def test_a_function_that_the_server_does_not_support_is_left_out_and_said(by_url, server):
    """As Aurora answers; a role's own search path has its function before PostgreSQL's."""
    server.run("CREATE SCHEMA aurora; GRANT USAGE ON SCHEMA aurora TO lookout; CREATE FUNCTION aurora.pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS "
               "$$BEGIN RAISE feature_not_supported USING MESSAGE = 'Function pg_current_wal_lsn() is currently not supported for Aurora'; END$$; "
               "ALTER ROLE lookout SET search_path = aurora, pg_catalog")
    try:
        entry = is_now(by_url(lookout(server)), "pass", None, "replication left out, which this server does not have")
        assert "not supported for Aurora" in entry["says"]
        assert entry["measurements"]["connections"] >= 1 and "is_replica" not in entry["measurements"]
        entry = is_now(by_url(lookout(server), "replication = false"), "pass")
        assert "left out" not in entry["says"] and "is_replica" not in entry["measurements"]
    finally:
        server.run("ALTER ROLE lookout RESET search_path")
    assert is_now(by_url(lookout(server)), "pass")["measurements"]["is_replica"] == 0


@pytest.mark.parametrize(("lacks", "left_out"), [
    ("ALTER FUNCTION pg_catalog.pg_is_in_recovery() RENAME TO gone_function", "replication left out"),
    ("ALTER VIEW pg_catalog.pg_stat_replication RENAME TO gone_view", "replication left out"),
    ("ALTER VIEW pg_catalog.pg_stat_database RENAME TO gone_view", "connections and what they do left out"),
])
def test_what_the_server_does_not_have_is_left_out_and_said(by_url, server, lacks, left_out):
    server.run("CREATE DATABASE lacking")
    try:
        server.run(f"SET allow_system_table_mods = on; {lacks}", database="lacking")
        is_now(by_url(lookout(server, more="/lacking")), "pass", None, left_out)
        mine = by_url(lookout(server, more="/lacking"), 'query = "SELECT count(*) FROM not_there"')
        is_now(mine, "fail", "bad status", "42P01")  # what a person states is not left out
    finally:
        server.run("DROP DATABASE lacking")


def test_an_applications_url_is_enough(by_url, probe, server):
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "postgis"):
        is_now(by_url(lookout(server, scheme=scheme)), "pass")
    is_now(by_url(lookout(server, more="/postgres?schema=public&connection_limit=5")), "pass")
    is_now(by_url(f"postgresql:///postgres?host={server.home}&port={server.port}&user=lookout&password={PASSWORD}"), "pass")
    is_now(by_url(f"postgresql://lookout@127.0.0.1:{server.port}/postgres", f'password = "{PASSWORD}"'), "pass")
    is_now(by_url(lookout(server, more="/not_there")), "fail", "absent", "3D000")
    is_now(by_url(lookout(server, more="/postgres?ssl=require")), "fail", "bad TLS")


def test_of_several_servers_the_one_that_is_meant_is_asked(by_url):
    with Postgres() as primary:
        primary.run(f"CREATE ROLE lookout LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO lookout")
        with Postgres(primary=primary) as replica:
            hosts = f"127.0.0.1:{free_port()},127.0.0.1:{replica.port},no-such-host.invalid:5432,127.0.0.1:{primary.port}"
            for attributes, is_replica in (("read-write", 0), ("primary", 0), ("standby", 1), ("any", 1)):
                entry = is_now(by_url(lookout(primary, hosts, f"/postgres?target_session_attrs={attributes}")), "pass")
                assert entry["measurements"]["is_replica"] == is_replica, attributes
        is_now(by_url(lookout(primary, f"127.0.0.1:{primary.port}", "/postgres?target_session_attrs=standby")), "fail", None, "not in hot standby mode")


def test_a_password_is_sent_as_it_stands_only_over_tls_or_where_that_is_allowed(by_url, certificates):
    with Postgres(certificate=(certificates / "good.key", certificates / "good.pem")) as server:
        server.run(f"CREATE ROLE lookout LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO lookout")
        path = os.path.join(server.data, "pg_hba.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("local all all password\nhost all postgres all scram-sha-256\nhost all lookout all password\n")
        server.run("SELECT pg_reload_conf()")
        refused = ("fail", "unauthorised", "in clear text and without TLS: it was not sent")

        def is_heard():
            return "clear text" in by_url(lookout(server, more="/postgres?sslmode=disable"))["says"]

        until = time.monotonic() + 10
        while not is_heard() and time.monotonic() < until:
            time.sleep(0.1)
        is_now(by_url(lookout(server, more="/postgres?sslmode=disable")), *refused)
        is_now(by_url(lookout(server), 'sslmode = "disable"\ncleartext_password = true'), "pass")
        is_now(by_url(lookout(server, more="/postgres?sslmode=require")), "pass")
        is_now(by_url(lookout(server)), "pass")  # prefers TLS, and has it
        is_now(by_url(f"postgresql://lookout:{PASSWORD}@/postgres?host={server.home}&port={server.port}"), "pass")  # nobody listens in on a Unix socket


IN_CLEAR = b"R" + struct.pack("!ii", 8, 3)
SASL = b"R" + struct.pack("!ii", 23, 10) + b"SCRAM-SHA-256\0\0"


LET_IN = b"R" + struct.pack("!ii", 8, 0)


@pytest.mark.parametrize("refuses, pieces", [(b"N", [IN_CLEAR]), (b"N", [bytes([one]) for one in IN_CLEAR]), (b"N", [SASL + IN_CLEAR]),
                                             (b"N", [SASL[:12], SASL[12:] + IN_CLEAR[:3], IN_CLEAR[3:]]), (b"N" + IN_CLEAR, [LET_IN])],
                         ids=["whole", "byte by byte", "behind another request", "cut within the requests", "with the refusal of TLS"])
def test_who_asks_for_the_password_as_it_stands_does_not_get_it(by_url, refuses, pieces):
    listener = socket.create_server(("127.0.0.1", 0))
    got = bytearray()

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(3)
                try:
                    if struct.unpack("!ii", client.recv(8))[1] == 80877103:
                        client.sendall(refuses)
                        client.recv(4096)
                    for piece in pieces:
                        client.sendall(piece)
                        time.sleep(0.02)
                    while more := client.recv(4096):
                        got.extend(more)
                except (OSError, struct.error):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        entry = by_url(f"postgresql://lookout:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}/postgres", 'timeout = "2s"')
        assert entry["outcome"] == "fail" and b"hunter2" not in got, (entry, got)
        if refuses != b"N":
            is_now(entry, "fail", "bad answer", "before it was asked anything")
        elif b"".join(pieces) == IN_CLEAR:
            is_now(entry, "fail", "unauthorised", "it was not sent")
    finally:
        listener.close()
