"""The postgres probe through a real PgBouncer, which lends connections by transactions."""

import psycopg2
import pytest
from conftest import is_now
from pgbouncer import PgBouncer
from postgres import Postgres
from processes import free_port, wait_until

PASSWORD = "bouncer-hunter2"


@pytest.fixture
def server():
    with Postgres() as started:
        started.run(f"CREATE ROLE lookout LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO lookout; CREATE TABLE alembic_version (version_num text); "
                    "INSERT INTO alembic_version VALUES ('ae10'); GRANT SELECT ON alembic_version TO lookout")
        yield started


@pytest.fixture
def ask(probe):
    """Runs the probe; no sentence may have the password in it."""

    def run(port, more="", password=PASSWORD):
        entry = probe("postgres", f'host = "127.0.0.1"\nport = {port}\nuser = "lookout"\npassword = "{password}"\ndatabase = "postgres"\n{more}')
        assert "hunter2" not in str(entry), entry
        return entry

    return run


def test_it_passes_through_a_pool_of_transactions(ask, server):
    more = 'migrations = "ae10"\nqueries = { seven = "SELECT 7" }\n'
    direct = is_now(ask(server.port, more), "pass")
    with PgBouncer(server.port, {"lookout": PASSWORD}) as bouncer:
        for _ in range(3):  # the pool's connection is the same, with what the run before left on it
            entry = is_now(ask(bouncer.port, more), "pass")
            assert set(entry["measurements"]) == set(direct["measurements"]) and entry["measurements"]["seven"] == 7, entry
        is_now(ask(bouncer.port, 'query = "SELECT count(*) FROM not_there"'), "fail", None, "42P01")
        is_now(ask(bouncer.port, password="another-hunter2"), "fail", "unauthorised")
    is_now(ask(bouncer.port), "fail", "refused")
    with PgBouncer(server.port, {"lookout": PASSWORD}, ["max_client_conn=1"]) as bouncer:
        one = psycopg2.connect(host="127.0.0.1", port=bouncer.port, user="lookout", password=PASSWORD, dbname="postgres")
        is_now(ask(bouncer.port), "fail", "saturated", "no more connections allowed")
        one.close()


def test_that_the_server_behind_it_is_down_is_said(ask, server):
    with PgBouncer(server.port, {"lookout": PASSWORD}) as bouncer:
        is_now(ask(bouncer.port), "pass")
        server.stop_server()
        # It lets a client wait for its server, until it has failed to log in there itself.
        waited = ask(bouncer.port, 'timeout = "2s"')
        assert (waited["outcome"], waited["reason"]) in (("fail", "timed out"), ("fail", "unreachable")), waited
        assert "pooler" in waited["says"], waited
        wait_until("a word of PgBouncer's", lambda: ask(bouncer.port, 'timeout = "2s"')["reason"] == "unreachable", 20)
        is_now(ask(bouncer.port), "fail", "unreachable", "a pooler answers, and the server behind it does not: server login has been failing")
        server.start()
        wait_until("the server by PgBouncer", lambda: ask(bouncer.port)["outcome"] == "pass", 30)
    with PgBouncer(free_port(), {"lookout": PASSWORD}) as bouncer:  # it never had a server
        is_now(ask(bouncer.port, 'timeout = "2s"'), "fail", "timed out", "nothing is answered, as by a pooler whose server is down: timed out after 2s while authenticating")
