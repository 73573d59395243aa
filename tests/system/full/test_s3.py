"""The s3 probe against a real MinIO."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import is_now
from minio import Minio, allow
from processes import program, wait_until

KEYS = f'access_key = "{Minio.access}"\nsecret_key = "{Minio.secret}"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Minio(tmp_path_factory.mktemp("minio")) as started:
        for bucket in ("documents", "backups", "probes"):
            started.client.done("PUT", f"/{bucket}")
        yield started


@pytest.fixture
def ask(probe, server):
    """Runs the probe with the root user's keys, or others; no sentence may have one of them in it."""

    def run(more="", keys=KEYS, at=None, environment=None):
        entry = probe("s3", f'url = "{at or server.url}"\ntimeout = "5s"\n{keys}{more}', environment=environment)
        assert "hunter2" not in json.dumps(entry) and server.access not in json.dumps(entry), entry
        return entry

    return run


def test_without_credentials_its_health_is_asked(ask):
    entry = is_now(ask(keys=""), "pass", says="MinIO, ready, write quorum 1")
    assert entry["measurements"]["drives_healing"] == 0 and "buckets" not in entry["measurements"]


def test_with_credentials_its_buckets_are_listed_or_asked_one_by_one(ask, server):
    assert is_now(ask(), "pass", says="3 buckets")["measurements"]["buckets"] == 3
    assert is_now(ask('buckets = ["documents", "backups"]'), "pass", says="2 buckets")["measurements"]["buckets"] == 2
    server.client.done("PUT", "/gone-soon")
    is_now(ask('buckets = ["gone-soon"]'), "pass")
    server.client.done("DELETE", "/gone-soon")
    entry = is_now(ask('buckets = ["gone-soon", "documents"]'), "fail", "absent", "GET /gone-soon: the bucket does not exist")
    assert entry["measurements"]["buckets"] == 1


def test_who_may_not_come_in(ask):
    one = 'buckets = ["documents", "backups"]'
    is_now(ask(one, f'access_key = "{Minio.access}"\nsecret_key = "hunter2-wrong"\n'), "fail", "unauthorised", "the secret key is wrong")
    is_now(ask(one, f'access_key = "hunter2-unknown"\nsecret_key = "{Minio.secret}"\n'), "fail", "unauthorised", "the access key is unknown")
    is_now(ask(one, KEYS + 'session_token = "hunter2-token"\n'), "fail", "unauthorised")
    is_now(ask(one + '\nregion = "eu-central-1"'), "pass")  # MinIO takes every region


class OddlyNamed(Minio):
    """A MinIO takes whatever text as its keys."""

    access, secret = "Zugang für alle", "hunter2 für Bäume und Häuser"


def test_keys_and_names_with_spaces_and_letters_of_other_languages_are_signed(probe, tmp_path):
    with OddlyNamed(tmp_path / "minio") as server:
        keys = f'access_key = "{server.access}"\nsecret_key = "{server.secret}"\n'
        def ask(more, keys=keys):
            return probe("s3", f'url = "{server.url}"\ntimeout = "5s"\n{keys}{more}')
        is_now(ask(""), "pass", says="0 buckets")
        is_now(ask("", keys.replace("Häuser", "Hauser")), "fail", "unauthorised", "the secret key is wrong, or a proxy")
        os.makedirs(os.path.join(server.drives[0], "dokumente"))
        is_now(ask('buckets = ["dokumente"]\nround_trip = "dokumente/prüf stelle/+ & ü/"'), "pass")
        is_now(ask('[probes.it.newest.alt]\nbucket = "dokumente"\nprefix = "älter + neu/"'), "fail", "absent", "nothing")


SKEW = """
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
int clock_gettime(clockid_t id, struct timespec *t) {
  int r = syscall(SYS_clock_gettime, id, t);
  if (id == CLOCK_REALTIME) t->tv_sec += 1200;
  return r;
}
"""


def test_our_clock_that_is_off_is_said_so(ask, tmp_path):
    (tmp_path / "skew.c").write_text(SKEW)
    subprocess.run([program("clang-19", "cc"), "-shared", "-fPIC", "-o", tmp_path / "skew.so", tmp_path / "skew.c"], check=True)
    entry = ask('buckets = ["documents"]', environment={"LD_PRELOAD": str(tmp_path / "skew.so")})
    is_now(entry, "fail", "bad status", "our clock is 20m ahead of the server's")


# --- rights

LIST_ALL = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": ["arn:aws:s3:::*"]}
ROUND_TRIP = (allow("PutObject", "GetObject", "DeleteObject", on="probes/check/flipback-probe-*"), allow("ListBucket", on="probes"))


def test_a_bucket_needs_the_right_to_list_it(ask, server):
    keys = server.restricted(allow("ListBucket", on="documents"))
    is_now(ask('buckets = ["documents"]', keys), "pass")
    entry = is_now(ask('buckets = ["documents", "backups"]', keys), "fail", "forbidden", "GET /backups answered 403 AccessDenied")
    assert entry["measurements"]["buckets"] == 1
    is_now(ask('buckets = ["not-there"]', keys), "fail", "forbidden")  # what may not be seen may not be missed
    assert is_now(ask("", server.restricted(LIST_ALL)), "pass")["measurements"]["buckets"] == 3


def test_the_newest_needs_it_for_its_prefix_alone(ask, server):
    server.client.done("PUT", "/backups/rights/1.dump", body=b"x" * 10)
    keys = server.restricted(dict(allow("ListBucket", on="backups"), Condition={"StringLike": {"s3:prefix": ["rights/*"]}}))
    assert ask('newest.db = { bucket = "backups", prefix = "rights/" }', keys)["measurements"]["db.size"] == 10
    is_now(ask('newest.db = { bucket = "backups", prefix = "other/" }', keys), "fail", "forbidden")


def test_a_round_trip_needs_its_own_rights(ask, server):
    where = 'round_trip = "probes/check/"'
    is_now(ask(where, server.restricted(*ROUND_TRIP)), "pass", says="written in ")
    entry = is_now(ask(where, server.restricted(ROUND_TRIP[0])), "pass", says="without s3:ListBucket what a run leaves behind stays")
    assert entry["measurements"]["read_seconds"] > 0
    is_now(ask(where, server.restricted(ROUND_TRIP[1])), "fail", "forbidden", "PUT /probes/check/flipback-probe-")
    is_now(ask('round_trip = "probes/elsewhere/"', server.restricted(*ROUND_TRIP)), "fail", "forbidden")
    assert server.client.keys("probes") == []


# --- what is stored

def test_the_newest_backup_is_measured(ask, server):
    client = server.client
    client.done("PUT", "/backups/db/ä b+c%/2026.dump", body=b"x" * 5000)
    client.done("PUT", "/backups/db/ä b+c%/2026.dump.sha256", body=b"x")
    newest = 'newest.db = { bucket = "backups", prefix = "db/ä b+c%/", suffix = ".dump", max_age = "26h", min_size = "4KiB" }'
    entry = is_now(ask(newest), "pass", says="4.88KiB")
    assert 0 <= entry["measurements"]["db.age"] < 60 and entry["measurements"]["db.size"] == 5000
    is_now(ask(newest.replace("4KiB", "1MiB")), "fail", "expectation", "expected at least 1MiB")
    time.sleep(1.1)
    is_now(ask(newest.replace("26h", "1s")), "fail", "expectation", "db/ä b+c%/2026.dump, is ")
    is_now(ask('newest.db = { bucket = "backups", prefix = "nothing/" }'), "fail", "absent", "nothing is under backups/nothing/")
    is_now(ask('newest.db = { bucket = "nowhere" }'), "fail", "absent", "the bucket does not exist")


def test_the_newest_of_more_than_a_page_is_found(ask, server):
    client = server.client
    client.done("PUT", "/backups/many/a-first", body=b"1")
    for i in range(1005):
        client.done("PUT", f"/backups/many/b{i:04}", body=b"22")
    client.done("PUT", "/backups/many/a-first", body=b"333")  # the newest is on the first page
    assert ask('newest.db = { bucket = "backups", prefix = "many/" }')["measurements"]["db.size"] == 3
    client.done("PUT", "/backups/many/z-last", body=b"4444")  # and here on the second
    assert ask('newest.db = { bucket = "backups", prefix = "many/" }')["measurements"]["db.size"] == 4


def test_a_round_trip_leaves_nothing_and_no_versions(ask, server):
    entry = is_now(ask('round_trip = "probes/check/"'), "pass", says="written in ")
    assert entry["measurements"]["write_seconds"] > 0 and entry["measurements"]["read_seconds"] > 0
    server.client.done("PUT", "/versioned")
    server.client.done("PUT", "/versioned", {"versioning": ""}, b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
    is_now(ask('round_trip = "versioned"'), "pass")
    left = server.client.done("GET", "/versioned", {"versions": ""})
    assert b"<Version>" not in left and b"<DeleteMarker>" not in left, left
    assert server.client.keys("probes") == []


# --- faults

def test_a_hung_minio_is_timed_out_and_a_killed_one_refuses_until_it_is_back(ask, server):
    server.server.signal(signal.SIGSTOP)
    started = time.monotonic()
    is_now(ask('buckets = ["documents"]'), "fail", "timed out")
    assert time.monotonic() - started < 8
    server.server.signal(signal.SIGCONT)
    is_now(ask('buckets = ["documents"]'), "pass")
    server.server.signal(signal.SIGKILL)
    server.stop_server()
    is_now(ask('buckets = ["documents"]'), "fail", "refused")
    server.start()
    is_now(ask('buckets = ["documents"]'), "pass")


def test_a_cluster_that_lost_its_quorum_is_live_and_ready_all_the_same(ask, tmp_path):
    with Minio(tmp_path / "four", drives=4) as four:
        four.client.done("PUT", "/documents")
        questions = 'buckets = ["documents"]'
        is_now(ask(questions, at=four.url), "pass", says="write quorum 3")
        for drive in four.drives[:2]:
            os.rename(drive, drive + "-away")
        wait_until("the loss", lambda: four.health("cluster") == 503, 20)
        assert four.health("live") == 200 and four.health("ready") == 200
        entry = is_now(ask(questions, at=four.url), "fail", "expectation", "the cluster has lost its write quorum (of 3 drives): it can still be read")
        assert entry["measurements"]["buckets"] == 1
        is_now(ask('round_trip = "documents"', at=four.url), "fail", "expectation", "the cluster has lost its write quorum")
        os.rename(four.drives[2], four.drives[2] + "-away")
        wait_until("the next loss", lambda: four.health("cluster/read") == 503, 20)
        is_now(ask(questions, at=four.url), "fail", "expectation", "it can't even be read")
        for drive in four.drives[:3]:
            if os.path.exists(drive):
                os.rename(drive, drive + "-new")  # MinIO makes an empty one in its place
            os.rename(drive + "-away", drive)
        wait_until("its return", lambda: ask(questions, at=four.url)["outcome"] == "pass", 60)


def test_tls(ask, certificates, tmp_path):
    with Minio(tmp_path / "tls", certificate=(certificates / "good.key", certificates / "good.pem")) as secure:
        ours = f'ca_file = "{certificates}/ca.pem"\n'
        entry = is_now(ask(ours, at=secure.url), "pass", says="0 buckets")
        assert 19 < entry["measurements"]["certificate_left"] / 86400 < 20.1
        is_now(ask(at=secure.url), "fail", "bad TLS")
        is_now(ask(ours + 'server_name = "other.test"', at=secure.url), "fail", "bad TLS", "other.test")
        entry = ask(at=secure.url.replace("https", "http"))
        assert entry["outcome"] == "fail" and entry["reason"] in ("bad status", "bad answer", "closed"), entry
