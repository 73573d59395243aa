"""The redis probe against the real server, well and unwell."""

import json
import os
import shutil
import signal
import socket
import time

import pytest
from conftest import is_now
from faulty import Faulty, html
from processes import Child, free_port, program, wait_until
from redis import Redis


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Shared by what leaves it as it was."""
    with Redis(tmp_path_factory.mktemp("redis"), password="hunter2-redis") as started:
        yield started


@pytest.fixture
def redis(tmp_path):
    """Starts a Redis of one's own with these options."""
    started = []

    def start(*options):
        started.append(Redis(tmp_path / f"redis{len(started)}", *options))
        return started[-1].__enter__()

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def ask(probe):
    def run(at, more=""):
        return probe("redis", f'url = "{at if isinstance(at, str) else at.url}"\n{more}')

    return run


# --- memory

def test_it_tells_its_memory_against_the_machine_s_or_the_configured_limit(ask, server):
    with_password = 'password = "hunter2-redis"\n'
    entry = is_now(ask(server, with_password), "pass", says="PONG, ")
    assert entry["says"].endswith(" used (no maxmemory: the machine's memory)"), entry
    seen = entry["measurements"]
    assert seen["memory_max"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert seen["memory_used_ratio"] == pytest.approx(seen["memory_used"] / seen["memory_max"])
    assert seen["connected_clients"] >= 1 and 0 < seen["clients_used_ratio"] < 0.1 and seen["uptime_seconds"] >= 0
    assert seen["evicted_keys"] == 0 and seen["rejected_connections"] == 0 and 0 <= seen["last_save_age"] < 600
    entry = is_now(ask(server, with_password + 'memory_limit = "64MiB"'), "pass", says="no maxmemory: the configured limit")
    assert entry["measurements"]["memory_max"] == 64 * 1024 * 1024


def test_maxmemory_is_what_counts_where_there_is_one(ask, redis):
    entry = ask(redis("--maxmemory", "100mb"), 'memory_limit = "64MiB"')
    assert entry["measurements"]["memory_max"] == 100 * 1024 * 1024
    assert "no maxmemory" not in is_now(entry, "pass")["says"]


def test_a_full_memory_that_evicts_nothing_refuses_writes(ask, redis):
    """PING is answered by PONG as ever."""
    own = redis("--enable-debug-command", "yes")
    own.run("DEBUG", "POPULATE", "4000", "key", "1000")
    own.run("CONFIG", "SET", "maxmemory", "3mb")
    assert own.run("SET", "a", "b").startswith("OOM")
    assert own.run("PING") == "PONG"
    entry = is_now(ask(own), "fail", "expectation", "of 3MiB) and its policy is noeviction: it refuses writes")
    assert entry["measurements"]["memory_used_ratio"] > 1


def test_keys_that_are_evicted_are_counted(ask, redis):
    own = redis("--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-samples", "3")
    for i in range(100):
        own.run("SET", f"key:{i}", "x" * 100000)
        if int(own.run("DBSIZE")) <= i:
            break
    entry = is_now(ask(own), "pass")
    assert entry["measurements"]["evicted_keys"] > 0 and entry["measurements"]["memory_used_ratio"] > 0.5


# --- who may

def test_who_may_not_come_in(ask, server):
    is_now(ask(server), "fail", "unauthorised", "a password is required")
    is_now(ask(server, 'password = "hunter2-other"'), "fail", "unauthorised", "wrong user or password")
    is_now(ask(server, 'user = "nobody"\npassword = "hunter2-redis"'), "fail", "unauthorised", "wrong user or password")
    is_now(ask(f"redis://127.0.0.1:{free_port()}"), "fail", "refused")


def test_the_least_rights_are_ping_and_info(ask, redis):
    own = redis()
    entry = is_now(ask(own.user("watcher", "+ping", "+info")), "pass", says=" used")
    assert {"memory_used_ratio", "evicted_keys", "clients_used_ratio", "last_save_age", "replicas"} <= entry["measurements"].keys()
    entry = is_now(ask(own.user("pinger", "+ping")), "pass", says="may not ask for INFO")
    assert "memory_used" not in entry["measurements"]
    is_now(ask(own.user("mute", "+get")), "fail", "forbidden", "may not PING")
    entry = is_now(ask(own.user("blind", "+info")), "fail", "forbidden", "may not PING")
    assert entry["measurements"]["memory_used"] > 0  # what may be asked is


def test_a_password_with_marks_in_it(ask, redis):
    own = redis()
    own.run("ACL", "SETUSER", "watcher", "on", ">p/w@1", "+ping", "+info")
    is_now(ask(f"redis://watcher:p%2Fw%401@127.0.0.1:{own.port}"), "pass", says=" used")


def test_a_password_is_not_repeated_even_where_redis_repeats_it(ask, redis):
    own = redis("--rename-command", "AUTH", "")
    entry = is_now(ask(f"redis://:hunter2@127.0.0.1:{own.port}"), "fail", "unauthorised", "AUTH was answered with an error")
    assert "hunter2" not in json.dumps(entry)


# --- keys by pattern

def count_of(number, name):
    """Lua, so that it is one command."""
    return ("EVAL", f"for i=1,{number} do redis.call('SET', '{name}:'..i, i) end", "0")


def test_keys_are_counted_by_their_pattern(ask, redis):
    own = redis("--databases", "4")
    own.run(*count_of(2500, "rate_limit"))
    own.run(*count_of(3500, "session"))
    entry = is_now(ask(own, 'keys = { limits = "rate_limit:*", all = "*", none = "nothing:*" }'), "pass", says="2500 limits")
    assert {k: entry["measurements"][f"{k}.keys"] for k in ("limits", "all", "none")} == {"limits": 2500, "all": 6000, "none": 0}
    for where in (ask(f"{own.url}/3", 'keys = { limits = "rate_limit:*" }'), ask(own, 'database = 3\nkeys = { limits = "rate_limit:*" }')):
        assert is_now(where, "pass")["measurements"]["limits.keys"] == 0
    is_now(ask(f"{own.url}/9", 'keys = { limits = "rate_limit:*" }'), "fail", "absent", "the database 9 is not there")


def test_a_scan_ends_at_its_limit_and_counts_nothing_then(ask, redis):
    own = redis()
    own.run(*count_of(20000, "rate_limit"))
    entry = is_now(ask(own, 'scan_limit = 2000\nkeys = { limits = "rate_limit:*" }'), "pass", says="(limits not counted: more keys than scan_limit")
    assert "limits.keys" not in entry["measurements"]
    assert int(own.run("INFO", "commandstats").split("cmdstat_scan:calls=")[1].split(",")[0]) == 2
    assert "cmdstat_keys" not in own.run("INFO", "commandstats")


def test_scanning_needs_the_right_to_and_another_database_one_more(ask, redis):
    """SCAN takes no key, so no pattern of keys limits it: the right to it shows every key's name, and no value."""
    own = redis()
    own.run(*count_of(10, "rate_limit"))
    keys = 'keys = { limits = "rate_limit:*" }'
    entry = is_now(ask(own.user("watcher", "+ping", "+info"), keys), "fail", "forbidden", "may not SCAN")
    assert entry["measurements"]["memory_used"] > 0
    watcher = own.user("watcher", "+ping", "+info", "+scan")
    assert is_now(ask(watcher, keys), "pass")["measurements"]["limits.keys"] == 10
    is_now(ask(watcher + "/1", keys), "fail", "forbidden", "may not SELECT database 1")
    is_now(ask(own.user("watcher", "+ping", "+info", "+scan", "+select") + "/1", keys), "pass", says="0 limits")


# --- persistence

def test_a_redis_that_can_not_save_refuses_writes(ask, redis):
    """PING itself is answered by MISCONF."""
    own = redis("--save", "3600 1")
    own.run("SET", "a", "b")
    assert own.run("BGSAVE")
    wait_until("a snapshot", lambda: "rdb_last_bgsave_status:ok" in own.run("INFO", "persistence") and os.path.exists(own.path("data", "dump.rdb")))
    wait_until("its end", lambda: "rdb_bgsave_in_progress:0" in own.run("INFO", "persistence"))
    assert is_now(ask(own), "pass")["measurements"]["last_save_age"] < 30
    shutil.rmtree(own.path("data"))
    own.run("BGSAVE")
    wait_until("MISCONF", lambda: own.run("PING").startswith("MISCONF"))
    entry = is_now(ask(own), "fail", "expectation", "refuses writes (MISCONF), its last snapshot (BGSAVE) failed")
    assert entry["measurements"]["memory_used"] > 0
    own.run("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    is_now(ask(own), "fail", "expectation", "its last snapshot (BGSAVE) failed")
    own.server.signal(signal.SIGKILL)  # on TERM it would stay: it can't save


# --- replication

def test_a_replica_and_its_master(ask, redis):
    master = redis()
    replica = redis("--replicaof", "127.0.0.1", str(master.port), "--repl-diskless-sync-delay", "0", "--repl-timeout", "60")
    master.run("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    wait_until("replication", lambda: "master_link_status:up" in replica.run("INFO", "replication"))
    wait_until("its word", lambda: "state=online" in master.run("INFO", "replication"))
    entry = is_now(ask(master, 'role = "master"'), "pass", says=", 1 replica")
    assert entry["measurements"]["replicas"] == 1 and "master_link_down_seconds" not in entry["measurements"]
    entry = is_now(ask(replica, 'role = "replica"'), "pass", says=f"a replica of 127.0.0.1:{master.port}")
    assert entry["measurements"]["master_link_down_seconds"] == 0 and "replicas" not in entry["measurements"]
    is_now(ask(replica, 'role = "master"'), "fail", "expectation", "it is a replica, expected a master")
    is_now(ask(master, 'role = "replica"'), "fail", "expectation", "it is a master, expected a replica")

    replica.server.signal(signal.SIGSTOP)
    master.run("SET", "a", "x" * 100000)
    assert ask(master)["measurements"]["replica_lag_bytes"] >= 100000
    replica.server.signal(signal.SIGCONT)
    wait_until("its catching up", lambda: ask(master)["measurements"]["replica_lag_bytes"] < 1000)

    master.stop_server()
    wait_until("its loss", lambda: "master_link_status:down" in replica.run("INFO", "replication"))
    time.sleep(1.1)
    entry = is_now(ask(replica), "fail", "expectation", f"the link to its master 127.0.0.1:{master.port} is down for ")
    assert 1 <= entry["measurements"]["master_link_down_seconds"] < 60 and entry["says"].startswith("the link")
    replica.run("CONFIG", "SET", "replica-serve-stale-data", "no")
    entry = is_now(ask(replica), "fail", "expectation", "it answers nobody while its master is away (MASTERDOWN), the link to its master")
    assert entry["measurements"]["memory_used"] > 0
    master.start()
    wait_until("the link", lambda: ask(replica)["outcome"] == "pass")


def test_a_replica_that_never_had_its_master(ask, redis):
    replica = redis("--replicaof", "127.0.0.1", str(free_port()))
    entry = is_now(ask(replica), "fail", "expectation", "is down and never was up")
    assert "master_link_down_seconds" not in entry["measurements"]


# --- connections

def test_a_redis_without_a_connection_left_is_saturated_and_counts_whom_it_rejected(ask, redis):
    own = redis("--maxclients", "1")
    with socket.create_connection(("127.0.0.1", own.port)) as only:
        only.sendall(b"PING\r\n")
        assert only.recv(100) == b"+PONG\r\n"
        for password in ("", ":hunter2@"):
            for _ in range(5):
                is_now(ask(f"redis://{password}127.0.0.1:{own.port}"), "fail", "saturated")
    entry = wait_until("a place", lambda: [e for e in [ask(own)] if e["outcome"] == "pass"])[0]
    assert entry["measurements"]["rejected_connections"] >= 10 and entry["measurements"]["clients_used_ratio"] == 1


def test_a_redis_that_loads_is_starting_and_says_how_long(ask, redis):
    own = redis("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024", "--enable-debug-command", "yes")
    own.run("DEBUG", "POPULATE", "300", "key", "4096")
    reload = own.start_cli("DEBUG", "RELOAD")
    try:
        wait_until("LOADING", lambda: "LOADING" in own.run("PING"))
        entry = is_now(ask(own, 'keys = { limits = "*" }'), "fail", "starting", "it is loading its data set: ")
        assert " s left" in entry["says"] and entry["measurements"]["memory_used"] > 0 and "limits.keys" not in entry["measurements"]
    finally:
        own.run("CONFIG", "SET", "key-load-delay", "0")
        reload.kill()
        reload.wait()


def test_it_is_reached_by_its_socket(ask, redis, tmp_path):
    path = tmp_path / "own.sock"
    redis("--unixsocket", str(path))
    is_now(ask(f"unix://{path}"), "pass")
    is_now(ask(f"unix://{path}-not"), "fail", "refused")


def test_a_hung_redis_is_timed_out(ask, redis):
    own = redis()
    own.server.signal(signal.SIGSTOP)
    is_now(ask(own, 'timeout = "300ms"'), "fail", "timed out", "while reading the answer")


def test_a_restart_between_two_runs_is_seen_by_the_uptime(ask, redis):
    own = redis()
    wait_until("its second second", lambda: ask(own)["measurements"]["uptime_seconds"] >= 2)
    own.server.signal(signal.SIGKILL)
    own.stop_server()
    is_now(ask(own), "fail", "refused")
    own.start()
    assert is_now(ask(own), "pass")["measurements"]["uptime_seconds"] < 2


def test_tls_is_verified_and_tells_its_days(ask, redis, certificates):
    def served(certificate):
        port = free_port()
        redis("--tls-port", str(port), "--tls-cert-file", f"{certificates}/{certificate}.pem", "--tls-key-file", f"{certificates}/{certificate}.key",
              "--tls-ca-cert-file", f"{certificates}/ca.pem", "--tls-auth-clients", "no")
        return f"rediss://127.0.0.1:{port}"

    good, ours = served("good"), f'ca_file = "{certificates}/ca.pem"\n'
    entry = is_now(ask(good, ours), "pass")
    assert 19 < entry["measurements"]["certificate_left"] / 86400 < 20.1
    is_now(ask(good), "fail", "bad TLS")
    is_now(ask(good, ours + 'server_name = "other.test"'), "fail", "bad TLS", "other.test")
    is_now(ask(served("old"), ours), "fail", "bad TLS", "expired")


# --- a cluster's node, and a Sentinel

def test_a_node_whose_cluster_serves_not_all_slots_has_failed(ask, redis):
    """PING is answered by PONG as ever."""
    own = redis("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    assert own.run("PING") == "PONG"
    is_now(ask(own), "fail", "expectation", "the state of its cluster is fail: 0 of 16384 slots are served")
    own.run("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    wait_until("the cluster", lambda: "cluster_state:ok" in own.run("CLUSTER", "INFO"))
    is_now(ask(own), "pass", says="its cluster is ok")
    is_now(ask(own.user("watcher", "+ping", "+info")), "pass", says="the user may not ask for CLUSTER INFO")
    is_now(ask(own.user("reader", "+ping", "+info", "+cluster|info")), "pass", says="its cluster is ok")
    own.run("CLUSTER", "DELSLOTSRANGE", "0", "99")
    wait_until("the gap", lambda: "cluster_state:fail" in own.run("CLUSTER", "INFO"))
    is_now(ask(own), "fail", "expectation", "16284 of 16384 slots are served")


def test_a_sentinel_is_no_redis_that_holds_data(ask, tmp_path):
    port = free_port()
    (tmp_path / "sentinel.conf").write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n", encoding="ascii")
    sentinel = Child("sentinel", [program("redis-server"), str(tmp_path / "sentinel.conf"), "--sentinel"], str(tmp_path / "sentinel.log"))
    try:
        wait_until("the Sentinel", lambda: socket.create_connection(("127.0.0.1", port)).close() or True, child=sentinel)
        is_now(ask(f"redis://127.0.0.1:{port}"), "fail", "expectation", "it is a Sentinel, which has no data")
    finally:
        sentinel.stop()


@pytest.mark.parametrize("ending, database", [("?db=3", 3), ("/3", 3), ("/2?db=3", 3), ("/3?protocol=3", 3), ("/?x=1&db=3", 3), ("", 0)])
def test_the_database_of_an_url_is_where_keys_are_counted(ask, redis, ending, database):
    own = redis()
    own.run("-n", str(database), "SET", "here", "1")
    is_now(ask(own.url + ending, 'keys = { all = "*" }'), "pass", says="1 all")


def test_a_socket_s_url_may_name_a_database(ask, redis, tmp_path):
    own = redis("--unixsocket", str(tmp_path / "own.sock"))
    own.run("-n", "3", "SET", "here", "1")
    is_now(ask(f"unix://{tmp_path}/own.sock?db=3", 'keys = { all = "*" }'), "pass", says="1 all")


# --- what is no Redis

def says(*parts):
    """A fault that says this whatever it is asked, and hangs up."""
    def fault(client, _request, _ended):
        client.recv(4096)
        for part in parts:
            client.sendall(part)
    return fault


@pytest.mark.parametrize("what, reason", [
    (html, "bad answer"),
    (says(b"+PONG\r\n$100000\r\n# Memory\r\n"), "closed"),  # cut in the middle
    (says(b"*2147483647\r\n"), "bad answer"),  # as many elements as there can be
    (says(b"*1\r\n" * 2000), "bad answer"),
    (says(b"*1\r\n$2\r\nok\r\n"), "bad answer"),
    (says(b"+PONG\r\n", b"+fine\r\n" * 6, b"+no cursor\r\n"), "bad answer"),
    (says(b"+PONG\r\n", b"+fine\r\n" * 6, b"*2\r\n*0\r\n*0\r\n"), "bad answer"),
    (says(b"-ERR hunter2-\xff\xfe\n\r\n" + b"+fine\r\n" * 6), "bad status"),
    (says(b"+PONG\r\n", b"$-1\r\n" * 6, b"*2\r\n$1\r\n7\r\n*1\r\n$999999999\r\n" + b"k" * 2000000), "too large"),
], ids=range(9))
def test_what_is_no_redis(ask, what, reason):
    with Faulty(what, http=False) as server:
        is_now(ask(f"redis://127.0.0.1:{server.port}", 'keys = { all = "*" }'), "fail", reason)


def test_an_answer_that_never_ends_is_timed_out(ask):
    def slow(client, _request, ended):
        while not ended.wait(0.05):
            client.sendall(b"+")

    with Faulty(slow, http=False) as server:
        is_now(ask(f"redis://127.0.0.1:{server.port}", 'timeout = "500ms"'), "fail", "timed out", "while reading the answer")
