"""The postgres probe against the real server: well, unwell in every way that was made to happen, and asked by roles with few rights."""

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import psycopg2
import pytest
from conftest import is_now
from postgres import Postgres
from processes import free_port, program, wait_until

# What probes/README.md says that the probe needs, and nothing beyond.
LEAST = "CREATE ROLE watcher LOGIN PASSWORD 'watcher-hunter2'; GRANT pg_monitor TO watcher"


@pytest.fixture(scope="module")
def server():
    """Usable by twenty: three are kept for superusers."""
    with Postgres(["max_connections=20", "deadlock_timeout=50ms"], initdb=["--data-checksums"]) as started:
        started.run(LEAST)
        started.run("CREATE ROLE nobody_special LOGIN PASSWORD 'nobody-hunter2'")
        yield started


def at(server, more="", user="postgres", password=None, host="127.0.0.1", database="postgres"):
    password = password or {"watcher": "watcher-hunter2", "nobody_special": "nobody-hunter2"}.get(user, server.password)
    return f'host = "{host}"\nport = {server.port}\nuser = "{user}"\ndatabase = "{database}"\npassword = "{password}"\n{more}'


@pytest.fixture
def ask(probe):
    """Runs the probe; no sentence may have a password in it."""

    def run(server, more="", **who):
        entry = probe("postgres", at(server, more, **who))
        assert "hunter2" not in str(entry), entry
        return entry

    return run


@contextlib.contextmanager
def sessions(server, count, **who):
    held = []
    try:
        for _ in range(count):
            held.append(server.session(**who))
        yield held
    finally:
        for one in held:
            one.close()


@contextlib.contextmanager
def working(server, sql, **who):
    """A session that carries this out meanwhile."""
    session = server.session(**who)

    def work():
        with contextlib.suppress(psycopg2.Error), session.cursor() as cursor:
            cursor.execute(sql)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        session.cancel()
        thread.join()
        session.close()


# --- coming in

def test_it_counts_its_connections(ask, server):
    entry = is_now(ask(server), "pass", says=" of 17 connections, 0 active")
    assert 1 <= entry["measurements"]["connections"] < 17
    assert entry["measurements"]["connections_max"] == 17  # of 20, three are kept for superusers
    assert entry["measurements"]["is_replica"] == 0 and entry["measurements"]["slots"] == 0
    assert entry["measurements"]["checksum_failures"] == 0 and "certificate_left" not in entry["measurements"]


def test_it_is_found_by_name_and_by_socket(ask, server):
    is_now(ask(server, host="localhost"), "pass")  # ::1 comes first, where nothing listens
    is_now(ask(server, host=server.home), "pass")
    is_now(ask(server, host=server.folder), "fail", "refused")


def test_who_may_not_come_in_and_what_is_not_there_is_said(ask, probe, server):
    is_now(ask(server, password="wrong"), "fail", "unauthorised", "28P01")
    is_now(ask(server, user="stranger"), "fail", "unauthorised", "28P01")
    is_now(ask(server, database="nowhere"), "fail", "absent", "3D000")
    is_now(probe("postgres", f'host = "127.0.0.1"\nport = {server.port}'), "fail", "unauthorised", "a password is required")
    is_now(probe("postgres", f'host = "127.0.0.1"\nport = {free_port()}'), "fail", "refused")
    is_now(ask(server, 'sslmode = "require"'), "fail", "bad TLS")


def test_what_is_no_postgres_is_a_bad_answer(probe, session_stack):
    where = 'host = "127.0.0.1"\nuser = "x"\npassword = "hunter2"\ntimeout = "500ms"\n'
    is_now(probe("postgres", where + f'port = {session_stack.ports["front"]}'), "fail", "bad answer", "not PostgreSQL's protocol")
    is_now(probe("postgres", where + f'port = {session_stack.ports["redis"]}'), "fail", "timed out")  # Redis waits for a line's end


def test_connections_that_are_all_taken_are_saturation(ask, server):
    with sessions(server, 16, user="nobody_special", password="nobody-hunter2") as held:
        entry = is_now(ask(server, user="watcher"), "pass", says="17 of 17 connections")
        assert entry["measurements"]["connections_used_ratio"] == 1
        held.append(server.session(user="nobody_special", password="nobody-hunter2"))
        is_now(ask(server, user="watcher"), "fail", "saturated", "53300")
        entry = is_now(ask(server), "pass", says="18 of 17 connections")  # from the superusers' reserve
        assert entry["measurements"]["connections_used_ratio"] > 1
        with sessions(server, 3):
            is_now(ask(server), "fail", "saturated", "53300")
    wait_until("their end", lambda: server.run("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == [(1,)])
    server.run("CREATE ROLE narrow LOGIN PASSWORD 'secret' CONNECTION LIMIT 0")
    is_now(ask(server, user="narrow", password="secret"), "fail", "saturated", "53300")


# --- what the sessions do

def test_long_queries_and_transactions_are_told_without_their_literals(ask, server):
    server.run("CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, state text); INSERT INTO orders VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING")
    with sessions(server, 1) as (idle,):
        idle.autocommit = False
        with idle.cursor() as cursor:
            cursor.execute("UPDATE orders SET state = $x$hunter2$x$ WHERE id = 1")  # the older transaction
        with working(server, "SELECT pg_sleep(60), 'hunter2' FROM orders WHERE id IN (1, 2) -- hunter2"):
            time.sleep(1.2)  # both are to be older than a second
            entry = is_now(ask(server, user="watcher"), "pass", says="1 active, 1 idle in transaction")
            assert re.search(r"longest query 1\.\ds: SELECT pg_sleep\(\?\), \? FROM orders WHERE id IN \(\?\)", entry["says"]), entry
            assert re.search(r"longest transaction 1\.\ds: UPDATE orders SET state = \? WHERE id = \?", entry["says"]), entry
            assert entry["measurements"]["active"] == 1 and entry["measurements"]["idle_in_transaction"] == 1
            assert 1 < entry["measurements"]["longest_query_seconds"] < 10 and 1 < entry["measurements"]["longest_transaction_seconds"] < 10
            # Without pg_monitor: the same connections; what others do is not seen, and so it is not zero.
            blind = is_now(ask(server, user="nobody_special"), "pass", says="not in pg_monitor: the queries of 2 others are not seen")
            assert blind["measurements"]["connections"] == entry["measurements"]["connections"]
            assert not {"active", "idle_in_transaction", "longest_query_seconds", "longest_transaction_seconds"} & set(blind["measurements"])
    wait_until("their end", lambda: ask(server)["measurements"]["longest_transaction_seconds"] == 0)


def test_a_role_without_rights_sees_its_own_sessions_whole(ask, server):
    with working(server, "SELECT pg_sleep(60)", user="nobody_special", password="nobody-hunter2"):
        entry = is_now(ask(server, user="nobody_special"), "pass", says="1 active")
        assert "pg_monitor" not in entry["says"]


def test_a_deadlock_is_counted(ask, server):
    server.run("CREATE TABLE IF NOT EXISTS pair (id int PRIMARY KEY); INSERT INTO pair VALUES (1), (2)")
    before = ask(server)["measurements"]["deadlocks"]
    with sessions(server, 2) as (one, other):
        for session, row in ((one, 1), (other, 2)):
            session.autocommit = False
            session.cursor().execute(f"SELECT FROM pair WHERE id = {row} FOR UPDATE")
        failed = []

        def cross(session, row):
            try:
                session.cursor().execute(f"SELECT FROM pair WHERE id = {row} FOR UPDATE")
            except psycopg2.errors.DeadlockDetected as error:
                failed.append(error)
            session.rollback()

        threads = [threading.Thread(target=cross, args=pair) for pair in ((one, 2), (other, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(failed) == 1
    wait_until("the count", lambda: ask(server)["measurements"]["deadlocks"] == before + 1)


# --- SQL of one's own

def test_a_long_answer_is_read_whole_and_one_that_is_too_long_is_left(ask, server):
    for _ in range(5):
        is_now(ask(server, 'query = "SELECT repeat(\'x\', 900000)"\nexpect = "y"'), "fail", "expectation", 'answered "xxxx')
    is_now(ask(server, 'query = "SELECT repeat(\'x\', 3000000)"\nexpect = "y"'), "fail", "too large", "longer than 1MiB")


def test_a_query_of_ones_own_is_asked_and_its_answer_held_against_what_is_expected(ask, server):
    server.run("CREATE TABLE IF NOT EXISTS properties (id int); TRUNCATE properties; INSERT INTO properties SELECT generate_series(1, 100)")
    entry = is_now(ask(server, 'query = "SELECT count(*) FROM properties"\nexpect = "100"'), "pass", says="answered 100")
    assert entry["measurements"]["value"] == 100 and entry["measurements"]["connections"] > 0
    is_now(ask(server, 'query = "SELECT count(*) FROM properties;"\nexpect = 100'), "pass")
    is_now(ask(server, 'query = "SELECT count(*) > 5 FROM properties"\nexpect = true'), "pass")
    entry = is_now(ask(server, 'query = "SELECT 1"\nexpect = "2"'), "fail", "expectation", 'answered "1", expected "2"')
    assert entry["measurements"]["connections"] > 0  # what fails hides nothing else
    is_now(ask(server, 'query = "SELECT nothing FROM nowhere"'), "fail", "bad status", "42P01")
    is_now(ask(server, 'query = "COPY properties TO STDOUT"'), "fail", "expectation", "COPY")
    is_now(ask(server, 'query = "SELECT repeat(\'x\', 1000) FROM generate_series(1, 100000)"'), "fail", "too large")
    is_now(ask(server, 'query = "SELECT 1 WHERE false"'), "pass", says="answered no row")
    is_now(ask(server, 'query = "SELECT 1 WHERE false"\nexpect = "1"'), "fail", "expectation", "answered no row")


def test_queries_of_ones_own_are_measurements(ask, server):
    entry = is_now(ask(server, '''
[probes.it.queries]
unpaid = "SELECT 7"
oldest = { sql = "SELECT 90.5", unit = "seconds" }
paid-total = { sql = "SELECT 12::numeric", kind = "counter" }
ready = "SELECT true"
nothing = "SELECT NULL::int"
no_row = "SELECT 1 WHERE false"
right = { sql = "SELECT 'yes'", expect = "yes" }
'''), "pass", says="unpaid 7, oldest 90.5, paid-total 12, ready t, nothing NULL, no_row no row, right yes")
    measured = entry["measurements"]
    assert (measured["unpaid"], measured["oldest"], measured["paid-total"], measured["ready"]) == (7, 90.5, 12, 1)
    assert not {"nothing", "no_row", "right"} & set(measured)


def test_queries_of_ones_own_that_give_no_number_fail_and_spoil_no_other(ask, server):
    entry = is_now(ask(server, '''
[probes.it.queries]
several = "SELECT generate_series(1, 3)"
words = "SELECT 'many'"
wrong = "SELECT nothing"
two = "SELECT 1; SELECT 2"
other = { sql = "SELECT 3", expect = 4 }
fine = "SELECT 5"
'''), "fail", "expectation", "several: 3 rows, expected one with a number, words: answered \"many\", expected a number")
    assert entry["measurements"]["fine"] == 5 and entry["measurements"]["other"] == 3 and "several" not in entry["measurements"], entry
    for says in ("wrong: column \"nothing\" does not exist (42703)", "two: cannot insert multiple commands into a prepared statement", 'other: answered "3", expected 4'):
        assert says in entry["says"], entry


def test_a_probe_writes_nothing(ask, server):
    server.run("CREATE OR REPLACE PROCEDURE sneaks() LANGUAGE plpgsql AS $$BEGIN COMMIT; INSERT INTO properties VALUES (-1); END$$")
    server.run("CREATE TABLE IF NOT EXISTS properties (id int)")
    for sql in ("INSERT INTO properties VALUES (-1) RETURNING id", "CREATE TABLE mistake ()", "COMMIT; INSERT INTO properties VALUES (-1)", "CALL sneaks()"):
        entry = ask(server, f'query = "{sql}"')
        assert entry["outcome"] == "fail" and entry["reason"] == "bad status", entry
    assert server.run("SELECT count(*) FROM properties WHERE id = -1") == [(0,)]
    is_now(ask(server, 'query = "COMMIT"'), "pass")  # ends a transaction in which nothing was done


def test_a_slow_query_ends_with_its_probe_on_the_server_too(ask, server):
    entry = ask(server, 'query = "SELECT pg_sleep(25)"\ntimeout = "700ms"')
    is_now(entry, "fail", "timed out", "57014")
    assert entry["measurements"]["connections"] > 0  # learnt before
    wait_until("the server's end of it", lambda: server.run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(25)%' AND pid <> pg_backend_pid()") == [(0,)],
               seconds=5)


def test_a_session_that_is_ended_in_the_middle_is_said(ask, server):
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    entry = is_now(ask(server, f'[probes.it.queries]\nended = "{end}"\nlater = "SELECT 1"'), "fail", "starting", "57P01")
    assert "1 more queries were not asked" in entry["says"] and entry["measurements"]["connections"] > 0, entry


# --- the schema

MULTI_TENANT = """
CREATE SCHEMA tenants;
CREATE TABLE tenants.listings (id int, tenant int);
CREATE TABLE tenants.events (id int, tenant int) PARTITION BY RANGE (id);
CREATE TABLE tenants.events_1 PARTITION OF tenants.events FOR VALUES FROM (0) TO (100);
CREATE TABLE tenants.alembic_version (version_num varchar(32) PRIMARY KEY);
CREATE ROLE owner_of_all; CREATE ROLE app LOGIN PASSWORD 'secret';
ALTER TABLE tenants.listings OWNER TO owner_of_all; ALTER TABLE tenants.events OWNER TO owner_of_all; ALTER TABLE tenants.events_1 OWNER TO owner_of_all;
GRANT USAGE ON SCHEMA tenants TO app; GRANT SELECT ON tenants.listings, tenants.events TO app;
"""
SECURED = "".join(f"ALTER TABLE tenants.{name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY mine ON tenants.{name} USING (tenant = 1);"
                  for name in ("listings", "events"))
ROWS = 'row_security = { schema = "tenants", role = "app", except = ["alembic_version"] }'


def test_row_security_is_held_to_be_complete(ask, server):
    server.run(MULTI_TENANT)
    entry = is_now(ask(server, ROWS, user="watcher"), "fail", "expectation",
                   "row security is missing on 2 of 2 tables: tenants.events (not enabled), tenants.listings (not enabled)")
    assert entry["measurements"]["tables_unprotected"] == 2
    server.run(SECURED)
    entry = is_now(ask(server, ROWS, user="nobody_special"), "pass", says="row security holds for app on 2 tables")
    assert entry["measurements"]["tables_unprotected"] == 0

    def spoilt(sql, mended, says, rows=ROWS):
        server.run(sql)
        is_now(ask(server, rows, user="watcher"), "fail", "expectation", says)
        server.run(mended)
        is_now(ask(server, rows, user="watcher"), "pass")

    spoilt("ALTER TABLE tenants.listings DISABLE ROW LEVEL SECURITY", "ALTER TABLE tenants.listings ENABLE ROW LEVEL SECURITY",
           "missing on 1 of 2 tables: tenants.listings (not enabled)")
    spoilt("DROP POLICY mine ON tenants.events", "CREATE POLICY mine ON tenants.events USING (tenant = 1)", "tenants.events (no policy)")
    spoilt("ALTER TABLE tenants.events NO FORCE ROW LEVEL SECURITY", "ALTER TABLE tenants.events FORCE ROW LEVEL SECURITY", "tenants.events (not forced)")
    spoilt("GRANT SELECT ON tenants.events_1 TO app", "REVOKE SELECT ON tenants.events_1 FROM app", "missing on 1 of 3 tables: tenants.events_1 (not enabled)")
    spoilt("GRANT SELECT (id) ON tenants.events_1 TO app", "REVOKE SELECT (id) ON tenants.events_1 FROM app", "tenants.events_1 (not enabled)")
    spoilt("ALTER ROLE app BYPASSRLS", "ALTER ROLE app NOBYPASSRLS", "app has BYPASSRLS")
    spoilt("ALTER ROLE app SUPERUSER", "ALTER ROLE app NOSUPERUSER", "app is a superuser")
    spoilt("CREATE ROLE passes BYPASSRLS; GRANT passes TO app; ALTER ROLE app NOINHERIT", "REVOKE passes FROM app; DROP ROLE passes; ALTER ROLE app INHERIT",
           "app can become passes")
    # Where tables need not be forced, their owners pass by, and who has an owner's rights.
    unforced = ROWS.replace(" }", ", forced = false }")
    server.run("ALTER TABLE tenants.listings NO FORCE ROW LEVEL SECURITY")
    is_now(ask(server, unforced, user="watcher"), "pass")
    spoilt("GRANT owner_of_all TO app", "REVOKE owner_of_all FROM app", "tenants.listings (not forced upon the role that owns it)", unforced)


def test_row_security_of_what_is_not_there_is_absent(ask, server):
    is_now(ask(server, 'row_security = { schema = "nowhere", role = "postgres" }'), "fail", "expectation", "the schema nowhere does not exist")
    is_now(ask(server, 'row_security = { role = "stranger" }'), "fail", "absent", "the role stranger does not exist")
    is_now(ask(server, 'row_security = { schema = "pg_toast", role = "watcher" }'), "fail", "absent", "there are no tables in pg_toast")
    server.run("CREATE SCHEMA crowd; " + "".join(f"CREATE TABLE crowd.t{i} ();" for i in range(30)))
    entry = is_now(ask(server, 'row_security = { schema = "crowd", role = "watcher" }'), "fail", "expectation", "missing on 30 of 30 tables: crowd.t0 (not enabled), ")
    assert entry["says"].endswith(", …") and len(entry["says"]) < 300, entry
    server.run("DROP SCHEMA crowd CASCADE")


def test_migrations_are_where_they_should_be(ask, server):
    server.run("CREATE DATABASE migrated")
    where = {"database": "migrated", "user": "watcher"}
    is_now(ask(server, 'migrations = "ae10"', **where), "fail", "absent", "migrations: relation \"alembic_version\" does not exist (42P01)")
    server.run("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)", database="migrated")
    entry = is_now(ask(server, 'migrations = "ae10"', **where), "fail", "forbidden", "42501")
    assert 'GRANT SELECT ON "alembic_version" TO "watcher"' in entry["says"] and entry["measurements"]["connections"] > 0, entry
    server.run("GRANT SELECT ON alembic_version TO watcher", database="migrated")
    is_now(ask(server, 'migrations = "ae10"', **where), "fail", "expectation", "none was ever applied")
    server.run("INSERT INTO alembic_version VALUES ('ae10')", database="migrated")
    is_now(ask(server, 'migrations = "ae10"', **where), "pass", says="migrated to ae10")
    is_now(ask(server, 'migrations = "bf20"', **where), "fail", "expectation", "migrated to ae10, expected bf20")
    server.run("INSERT INTO alembic_version VALUES ('0001')", database="migrated")
    entry = is_now(ask(server, 'migrations = "ae10"', **where), "fail", "expectation", "migrated to 2 heads, 0001, ae10, expected ae10")
    assert entry["measurements"]["migration_heads"] == 2
    is_now(ask(server, 'migrations = ["ae10", "0001"]', **where), "pass", says="migrated to 0001, ae10")
    is_now(ask(server, 'migrations = { schema = "public", table = "alembic_version" }', **where), "pass", says="migrated to 0001, ae10")
    is_now(ask(server, 'migrations = { schema = "o\\"dd", expect = "ae10" }', **where), "fail", "absent", "42P01")


def test_postgis_of_several_versions_is_a_mismatch(ask, server):
    is_now(ask(server, "postgis = true"), "fail", "absent", "PostGIS is not in this database")
    server.run("CREATE DATABASE maps")
    server.run("CREATE EXTENSION postgis", database="maps")
    where = {"database": "maps", "user": "watcher"}
    is_now(ask(server, "postgis = true", **where), "pass", says="PostGIS 3.")
    # What remains where the package was upgraded, and ALTER EXTENSION postgis UPDATE forgotten: functions made by an earlier version.
    server.run("CREATE OR REPLACE FUNCTION postgis_scripts_installed() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '3.2.0 c3e3cc0'::text$$", database="maps")
    is_now(ask(server, "postgis = true", **where), "fail", "expectation", 'core procs from "3.2.0 c3e3cc0" need upgrade')


def test_the_least_role_may_ask_everything(ask, server):
    """pg_monitor, and SELECT on alembic_version: as probes/README.md says."""
    server.run("CREATE DATABASE least")
    server.run("CREATE EXTENSION postgis; CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a'); GRANT SELECT ON alembic_version TO watcher;"
               "CREATE TABLE t (); ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)", database="least")
    everything = 'postgis = true\nmigrations = "a"\nrow_security = { role = "nobody_special", except = ["alembic_version", "spatial_ref_sys"] }\nquery = "SELECT 1"'
    entry = is_now(ask(server, everything, user="watcher", database="least"), "pass", says="row security holds")
    assert "pg_monitor" not in entry["says"], entry
    assert set(entry["measurements"]) >= {"active", "idle_in_transaction", "longest_query_seconds", "deadlocks", "replicas", "tables_unprotected", "migration_heads"}


# --- TLS

def test_tls_is_verified_and_a_wrong_password_is_tried_once(ask, certificates):
    with Postgres(certificate=(certificates / "good.key", certificates / "good.pem")) as server:
        trusted = f'sslrootcert = "{certificates}/ca.pem"\nsslmode = "verify-full"'
        entry = is_now(ask(server, trusted), "pass")
        assert 19 < entry["measurements"]["certificate_left"] / 86400 < 20.1
        is_now(ask(server, trusted, host="localhost"), "fail", "bad TLS", "does not match host name \"localhost\"")
        is_now(ask(server, f'sslrootcert = "{certificates}/alone.pem"\nsslmode = "verify-ca"'), "fail", "bad TLS", "certificate verify failed")
        is_now(ask(server), "pass")
        for mode in ("prefer", "allow", "require", "disable"):
            before = server.server.output().count("password authentication failed")
            is_now(ask(server, f'sslmode = "{mode}"', password="wrong"), "fail", "unauthorised", "28P01")
            assert server.server.output().count("password authentication failed") == before + 1, mode
    with Postgres(certificate=(certificates / "old.key", certificates / "old.pem")) as server:
        is_now(ask(server, trusted), "fail", "bad TLS", "certificate verify failed")


# --- a server that goes, comes, hangs and decays

def test_a_server_that_stops_crashes_and_comes_back(ask):
    with Postgres() as server:
        is_now(ask(server), "pass")
        server.server.signal(signal.SIGSTOP)
        is_now(ask(server, 'timeout = "300ms"'), "fail", "timed out")
        server.server.signal(signal.SIGCONT)
        is_now(ask(server), "pass")
        with sessions(server, 1):
            server.server.signal(signal.SIGTERM)  # a smart shutdown waits for those who are there
            wait_until("the shutdown", lambda: "shutdown request" in server.server.output())
            is_now(ask(server), "fail", "starting", "the database system is shutting down (57P03)")
        server.stop_server()
        is_now(ask(server), "fail", "refused", "nothing listens there")
        server.start()
        is_now(ask(server), "pass")
        server.stop_server(signal.SIGKILL)
        is_now(ask(server), "fail", "refused")
        os.unlink(os.path.join(server.data, "postmaster.pid"))
        server.start()
        entry = is_now(ask(server), "pass")
        assert "checksum_failures" not in entry["measurements"]  # checksums are off: absent, not 0


def test_a_page_that_was_overwritten_is_counted_and_called_corruption(ask):
    with Postgres(initdb=["--data-checksums"]) as server:
        server.run("CREATE TABLE ledger (id int, note text); INSERT INTO ledger SELECT i, repeat('x', 500) FROM generate_series(1, 100) i; CHECKPOINT")
        path = os.path.join(server.data, server.run("SELECT pg_relation_filepath('ledger')")[0][0])
        reads = 'query = "SELECT count(note) FROM ledger"'
        assert is_now(ask(server, reads), "pass", says="answered 100")["measurements"]["checksum_failures"] == 0
        server.stop_server()
        with open(path, "r+b") as file:
            file.seek(8192 + 4000)
            file.write(b"decayed")
        server.start()
        entry = is_now(ask(server, reads), "fail", "bad status", "data corrupted: invalid page in block 1 of relation")
        assert "(XX001)" in entry["says"] and entry["measurements"]["connections"] > 0, entry
        found = wait_until("the count", lambda: (lambda e: e["measurements"]["checksum_failures"] > 0 and e)(ask(server)))
        assert "checksum failures since the statistics began" in is_now(found, "pass")["says"]


# --- replication

def test_a_replica_falls_behind_is_paused_and_loses_its_primary(ask):
    with Postgres(["max_slot_wal_keep_size=2MB", "wal_keep_size=0", "min_wal_size=2MB"], initdb=["--wal-segsize=1"]) as primary:
        primary.run(LEAST)
        primary.run("CREATE ROLE nobody_special LOGIN PASSWORD 'nobody-hunter2'; CREATE TABLE filled (what text)")
        with Postgres(primary=primary) as replica:
            wait_until("streaming", lambda: primary.run("SELECT state FROM pg_stat_replication") == [("streaming",)])
            caught_up = wait_until("no lag", lambda: (lambda e: e["measurements"].get("replication_lag_bytes") == 0 and e)(ask(replica, user="watcher")))
            assert caught_up["outcome"] == "pass" and "a replica, 0B behind" in caught_up["says"], caught_up
            assert caught_up["measurements"]["is_replica"] == 1 and caught_up["measurements"]["replication_lag_seconds"] == 0
            primary.run("INSERT INTO filled VALUES ('first')")  # a replica that never replayed a transaction knows of no lag in seconds
            wait_until("its arrival", lambda: replica.run("SELECT count(*) FROM filled") == [(1,)])
            replica.run("SELECT pg_wal_replay_pause()")
            primary.run("INSERT INTO filled SELECT repeat('x', 1000) FROM generate_series(1, 500)")
            late = wait_until("lag", lambda: (lambda e: e["measurements"].get("replication_lag_bytes", 0) > 400_000 and e)(ask(replica, user="watcher")))
            assert late["measurements"]["replication_lag_seconds"] > 0 and "its replay is paused" in late["says"], late
            seen = is_now(ask(primary, user="watcher"), "pass", says="1 replica, ")
            assert seen["measurements"]["replication_lag_bytes"] > 400_000 and seen["measurements"]["replicas"] == 1
            assert (seen["measurements"]["slots"], seen["measurements"]["slots_inactive"]) == (1, 0)
            blind = is_now(ask(primary, user="nobody_special"), "pass", says="not in pg_monitor: how far 1 replicas are behind is not seen")
            assert not {"replication_lag_bytes", "replication_lag_seconds"} & set(blind["measurements"]) and blind["measurements"]["replicas"] == 1
            replica.run("SELECT pg_wal_replay_resume()")
            wait_until("no lag", lambda: ask(replica)["measurements"].get("replication_lag_bytes") == 0)
            is_now(ask(replica, 'query = "SELECT count(*) FROM filled"\nexpect = 501'), "pass")
            primary.stop_server()
            wait_until("the receiver's end", lambda: replica.run("SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)])
            entry = is_now(ask(replica, user="watcher"), "fail", "expectation", "a replica that receives nothing from its primary")
            assert not {"replication_lag_bytes", "replication_lag_seconds"} & set(entry["measurements"])  # not known, not 0
            primary.start()
            wait_until("streaming", lambda: ask(replica)["outcome"] == "pass")
        # The replica is gone, its slot is not.
        left = wait_until("the slot", lambda: (lambda e: e["measurements"]["slots_inactive"] == 1 and e)(ask(primary, user="nobody_special")))
        assert left["outcome"] == "pass" and "nobody reads the slot replica: " in left["says"], left
        assert left["measurements"]["slot_safe_bytes"] > 0
        for _ in range(6):
            primary.run("INSERT INTO filled SELECT repeat('x', 1000) FROM generate_series(1, 900)")
            primary.run("SELECT pg_switch_wal()")
        kept = is_now(ask(primary), "pass", says="the slot replica is about to be lost")
        assert kept["measurements"]["slot_retained_bytes"] > 4 * 1024 * 1024, kept
        primary.run("CHECKPOINT")
        is_now(ask(primary, user="nobody_special"), "fail", "expectation", "what the slot replica was to keep is lost")


# --- servers that speak the protocol, and lie

@contextlib.contextmanager
def lying(*answers):
    """Speaks PostgreSQL's protocol: asks for the password in clear, then gives these answers, one to each time that something comes, and hangs up."""

    def message(kind, body):
        return kind + struct.pack("!I", len(body) + 4) + body

    def serve():
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            size = struct.unpack("!I", client.recv(4))[0]
            client.recv(size - 4)
            client.sendall(message(b"R", struct.pack("!I", 3)))
            said = client.recv(1000)[5:-1]
            for i, answer in enumerate(answers):
                if i > 0:
                    client.recv(65536)
                client.sendall(b"".join(message(kind, body.replace(b"{password}", said)) for kind, body in answer))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f'host = "127.0.0.1"\nport = {listener.getsockname()[1]}\nsslmode = "disable"\ncleartext_password = true\npassword = "lying-hunter2"\ntimeout = "2s"'
        thread.join()


LET_IN = [(b"R", struct.pack("!I", 0)), (b"Z", b"I")]
PARSED = [(b"1", b""), (b"2", b""), (b"n", b""), (b"C", b"BEGIN\0")]


@pytest.mark.parametrize("answers, reasons", [
    ([[(b"E", b"SFATAL\0VFATAL\0C28P01\0Mwrong: {password}\0\0")]], {"unauthorised"}),
    ([[(b"E", b"SFATAL\0VFATAL\0CXXXXX\0M\xff\xfe {password}\n\x1b[31m\0\0")]], {"bad status"}),
    ([LET_IN, [(b"E", b"SERROR\0C42501\0M{password}\0\0"), (b"Z", b"I"), (b"Z", b"I")]], {"forbidden", "closed", "bad answer"}),
    ([LET_IN], {"closed"}),
    ([LET_IN, PARSED], {"closed"}),
    ([LET_IN, PARSED + [(b"Z", b"I")] * 9], {"closed", "bad answer"}),
    ([LET_IN, [(b"Z", b"I")] * 4], {"closed", "bad answer"}),
    ([LET_IN, [(b"D", struct.pack("!HI", 1, 1 << 30))]], {"closed", "bad answer"}),
    ([LET_IN, [(b"H", b"\0\0\0")]], {"closed", "bad answer", "expectation"}),
    ([LET_IN, [(b"S", b"a\0" + b"x" * 100_000 + b"\0")] * 30], {"closed", "too large"}),
], ids=["echo_at_the_login", "no_state_no_text", "echo_of_a_refusal", "cut_at_once", "cut_in_the_middle", "ends_too_early", "ends_without_answers", "a_row_too_long",
        "a_copy", "too_much"])
def test_a_server_that_lies_is_not_believed_and_told_nothing(probe, answers, reasons):
    with lying(*answers) as where:
        entry = probe("postgres", where)
    assert entry["outcome"] == "fail" and entry["reason"] in reasons, entry
    assert "hunter2" not in str(entry) and entry["says"].isprintable(), entry
