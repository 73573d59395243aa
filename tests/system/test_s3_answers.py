"""The s3 probe against answers that a real S3 gives only now and then; those that a MinIO gives are asked of one (full/test_s3.py)."""

import datetime
import http.server
import json
import re
import threading
import urllib.parse

import pytest
from conftest import is_now

HEAD = {"Server": "MinIO"}
LIVE, READY, CLUSTER = ("GET", "/minio/health/live"), ("GET", "/minio/health/ready"), ("GET", "/minio/health/cluster")
WELL = {LIVE: (200, HEAD, ""), READY: (200, HEAD, ""), CLUSTER: (200, HEAD | {"x-minio-write-quorum": "3"}, "")}


class Answers:
    """Answers by method and path; a value is (status, headers, body) or a function of the request that gives one. What was asked is kept."""

    def __init__(self, answers):
        asked = self.asked = []

        class One(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = urllib.parse.unquote(url.path)
                asked.append((self.command, path, query))
                found = answers.get((self.command, path)) or answers.get(self.command, (404, {}, ""))
                if isinstance(found, Regional):
                    found = found(path, query, body, self.headers["Authorization"])
                status, headers, text = found(path, query, body) if callable(found) else found
                text = text.encode()
                self.send_response_only(status)
                for name, value in {"Date": self.date_time_string(), **headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_DELETE = handle_any

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), One)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def ask(probe):
    def run(server, more="", keys='access_key = "AKIDHUNTER2"\nsecret_key = "hunter2-secret"\nminio = false\n', timeout="5s"):
        entry = probe("s3", f'url = "{server.url}"\ntimeout = "{timeout}"\n{keys}{more}')
        assert not re.search("hunter2", json.dumps(entry), re.I), entry
        return entry

    return run


def error(status, code, message="as I say, AKIDHUNTER2 hunter2-secret"):
    return status, {}, f"<Error><Code>{code}</Code><Message>{message}</Message><AWSAccessKeyId>AKIDHUNTER2</AWSAccessKeyId></Error>"


def at(ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def page(*objects, following=""):
    """Of (key, age in seconds, size)."""
    contents = "".join(f"<Contents><Key>{key}</Key><LastModified>{at(age)}</LastModified><Size>{size}</Size></Contents>" for key, age, size in objects)
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return 200, {}, f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{contents}{more}</ListBucketResult>'


# --- MinIO's health

OFFLINE = {"x-minio-server-status": "offline"}


@pytest.mark.parametrize("changed, outcome, reason, says", [
    ({}, "pass", None, "MinIO, ready, write quorum 3"),
    ({LIVE: (200, HEAD | OFFLINE, "")}, "fail", "starting", "GET /minio/health/live answered 200, but x-minio-server-status: offline"),
    ({READY: (200, HEAD | OFFLINE, "")}, "fail", "starting", "GET /minio/health/ready answered 200, but x-minio-server-status: offline"),
    ({READY: (503, HEAD, "")}, "fail", "bad status", "GET /minio/health/ready answered 503"),
    ({LIVE: (429, HEAD, "")}, "fail", "limited", "GET /minio/health/live answered 429"),
    ({CLUSTER: (503, HEAD | {"x-minio-server-status": "bucket-metadata-offline"}, "")}, "fail", "starting", "the cluster is not initialised: bucket-metadata-offline"),
    ({CLUSTER: (503, HEAD | {"x-minio-write-quorum": "3"}, "")}, "fail", "expectation", "has lost its write quorum (of 3 drives): it can't even be read"),
    ({CLUSTER: (412, HEAD, "")}, "fail", "bad status", "GET /minio/health/cluster answered 412"),
    ({LIVE: (200, {"Server": "nginx"}, "")}, "fail", "bad answer", "does not say that it is a MinIO"),
], ids=range(9))
def test_minio_s_health(ask, changed, outcome, reason, says):
    with Answers(WELL | changed) as server:
        is_now(ask(server, keys=""), outcome, reason, says)


def test_drives_that_heal_are_counted_and_a_proxy_may_hide_a_minio(ask):
    with Answers(WELL | {LIVE: (200, {"Server": "nginx"}, ""), CLUSTER: (200, {"x-minio-healing-drives": "2"}, "")}) as server:
        assert is_now(ask(server, keys="minio = true\n"), "pass")["measurements"]["drives_healing"] == 2


# --- errors

@pytest.mark.parametrize("answer, reason, says", [
    (error(403, "AccessDenied"), "forbidden", "GET /a answered 403 AccessDenied: as I say"),
    (error(403, "InvalidAccessKeyId"), "unauthorised", "the access key is unknown"),
    (error(403, "SignatureDoesNotMatch"), "unauthorised", "the secret key is wrong, or a proxy on the way changes the Host or the path"),
    (error(400, "ExpiredToken"), "unauthorised", "the session token has ended"),
    (error(404, "NoSuchBucket"), "absent", "GET /a: the bucket does not exist"),
    (error(503, "SlowDown"), "limited", "503 SlowDown"),
    (error(503, "SlowDownRead"), "expectation", "too few drives"),
    (error(503, "XMinioServerNotInitialized"), "starting", "not initialised"),
    (error(507, "XMinioStorageFull"), "bad status", "507 XMinioStorageFull"),
    (error(301, "PermanentRedirect"), "bad status", "301 PermanentRedirect"),
    ((403, {}, ""), "forbidden", "GET /a answered 403"),
    ((200, {}, ""), "bad answer", "the body is empty, expected XML"),
    ((200, {}, "<html></html>"), "bad answer", "it is no S3"),
    ((200, {}, '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'), "bad answer", "has a document type"),
    ((200, {}, "<a>" * 100000), "bad answer", "nested too deep"),
], ids=range(15))
def test_an_error_has_its_reason(ask, answer, reason, says):
    with Answers({"GET": answer}) as server:
        is_now(ask(server, 'buckets = ["a"]'), "fail", reason, says)


def test_a_clock_that_is_off_is_said_so(ask):
    for date, says in (("Sat, 01 Jan 2000 00:00:00 GMT", "ahead of the server's"), ("Fri, 01 Jan 2100 00:00:00 GMT", "behind the server's")):
        status, _, body = error(403, "RequestTimeTooSkewed")
        with Answers({"GET": (status, {"Date": date}, body)}) as server:
            is_now(ask(server, 'buckets = ["a", "b"]'), "fail", "bad status", says)
            assert len(server.asked) == 1


def test_wrong_credentials_are_tried_once(ask):
    with Answers({"GET": error(403, "SignatureDoesNotMatch")}) as server:
        ask(server, 'buckets = ["a", "b"]\nround_trip = "c/x"\nnewest.db = { bucket = "d" }')
        assert [path for _, path, _ in server.asked] == ["/a"]


def test_one_bucket_that_is_not_there_hides_nothing_of_the_others(ask):
    with Answers({("GET", "/a"): error(404, "NoSuchBucket"), ("GET", "/b"): page(), ("GET", "/c"): error(403, "AccessDenied")}) as server:
        entry = is_now(ask(server, 'buckets = ["a", "b", "c"]'), "fail", "absent", "GET /a: the bucket does not exist, GET /c answered 403")
        assert entry["measurements"]["buckets"] == 1


class Regional:
    """Answers to what is signed for one region alone, as Amazon's do."""

    def __init__(self, region, named=None):
        self.region, self.named, self.signed_for = region, named or region, []

    def __call__(self, path, query, body, authorization):
        self.signed_for.append(authorization.split("/")[2])
        if self.signed_for[-1] == self.region:
            return page(("a", 1, 1))
        return 400, {}, f"<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>{self.named}</Region></Error>"


def test_the_region_that_is_asked_for_is_tried_once_and_said(ask):
    regional = Regional("eu-central-1")
    with Answers({"GET": regional}) as server:
        is_now(ask(server, 'buckets = ["a", "b"]'), "pass", says="the server asks for the region eu-central-1, not us-east-1")
        assert regional.signed_for == ["us-east-1", "eu-central-1", "eu-central-1"]
        regional.signed_for.clear()
        assert "region" not in is_now(ask(server, 'buckets = ["a"]\nregion = "eu-central-1"'), "pass")["says"]
    lying = Regional("eu-central-1", named="eu-west-3")
    with Answers({"GET": lying}) as server:
        is_now(ask(server, 'buckets = ["a"]'), "fail", "bad status", "AuthorizationHeaderMalformed")
        assert lying.signed_for == ["us-east-1", "eu-west-3"]
    for named in ("", "eu/../x", "x" * 100):
        lying = Regional("eu-central-1", named=named or " ")
        with Answers({"GET": lying}) as server:
            is_now(ask(server, 'buckets = ["a"]'), "fail", "bad status", "AuthorizationHeaderMalformed")
            assert lying.signed_for == ["us-east-1"]


# --- newest

def test_the_newest_of_several_pages_counts(ask):
    pages = {"": page(("db/1.dump", 9000, 10), following="p+/2"), "p+/2": page(("db/2.dump", 3600, 2048), ("db/2.dump.sha", 10, 1), ("db/", 5, 0), following="p3"),
             "p3": page(("db/0.dump", 99999, 1))}
    with Answers({("GET", "/b"): lambda path, query, body: pages[query.get("continuation-token", "")]}) as server:
        entry = is_now(ask(server, 'newest.db = { bucket = "b", prefix = "db/", suffix = ".dump", max_age = "2h", min_size = "2KiB" }'), "pass", says="db 1h")
        assert 3600 <= entry["measurements"]["db.age"] < 3700 and entry["measurements"]["db.size"] == 2048
        assert server.asked[0][2]["prefix"] == "db/"
        is_now(ask(server, 'newest.db = { bucket = "b", suffix = ".dump", max_age = "30m" }'), "fail", "expectation", "db/2.dump, is 1h old, expected at most 30m")
        is_now(ask(server, 'newest.db = { bucket = "b", suffix = ".dump", min_size = "1MiB" }'), "fail", "expectation", "db/2.dump, has 2KiB, expected at least 1MiB")
        is_now(ask(server, 'newest.db = { bucket = "b", prefix = "db/", suffix = ".none" }'), "fail", "absent", "nothing is under b/db/*.none")


def test_ages_are_by_the_server_s_clock(ask):
    hour_ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    _, _, body = page(("db/1", 0, 10))
    with Answers({"GET": (200, {"Date": hour_ahead.strftime("%a, %d %b %Y %H:%M:%S GMT")}, body)}) as server:
        assert 3500 < ask(server, 'newest.db = { bucket = "b" }')["measurements"]["db.age"] < 3700


def test_a_search_among_too_many_objects_ends_and_measures_nothing(ask):
    endless = {("GET", "/b"): lambda *unused: page(("db/1", 3600, 10), following="more")}
    with Answers(endless) as server:
        entry = is_now(ask(server, 'newest.db = { bucket = "b", prefix = "db/", max_age = "2h" }'), "pass", says="too many objects under b/db/, give a longer prefix")
        assert len(server.asked) == 20 and "db.age" not in entry["measurements"]
        is_now(ask(server, 'newest.db = { bucket = "b", prefix = "db/", max_age = "30m" }'), "unknown", "no prerequisite", "too many objects")


# --- a write, a read, a delete

class Stored:
    """Objects as an S3 keeps them, with faults to order."""

    def __init__(self, wrong=None, **instead):
        self.objects, self.wrong, self.instead = {}, wrong, instead

    def answers(self):
        def put(path, _query, body):
            self.objects[path] = body.decode()
            return 200, {}, ""

        def get(path, _query, _body):
            if path not in self.objects:
                return page(*((key, 700 if "old" in key else 5, 1) for key in self.listed()))
            return 200, {}, self.wrong or self.objects[path]

        def delete(path, _query, _body):
            self.objects.pop(path, None)
            return 204, {}, ""

        return {"PUT": put, "GET": get, "DELETE": delete} | self.instead

    def listed(self):
        return [path.removeprefix("/b/") for path in self.objects]


def test_a_round_trip_leaves_nothing(ask):
    stored = Stored()
    with Answers(stored.answers()) as server:
        entry = is_now(ask(server, 'round_trip = "b/probes/"'), "pass", says="written in ")
        assert entry["measurements"]["write_seconds"] > 0 and entry["measurements"]["read_seconds"] > 0
        assert [method for method, _, _ in server.asked] == ["PUT", "GET", "DELETE", "GET"] and not stored.objects
        assert server.asked[0][1].startswith("/b/probes/flipback-probe-")


@pytest.mark.parametrize("stored, reason, says", [
    (Stored(wrong="something else"), "expectation", "is not read as it was written"),
    (Stored(GET=error(500, "InternalError")), "bad status", "500 InternalError"),
], ids=["other content", "no read"])
def test_what_was_written_is_deleted_however_it_is_read(ask, stored, reason, says):
    with Answers(stored.answers()) as server:
        is_now(ask(server, 'round_trip = "b/probes/"'), "fail", reason, says)
        assert not stored.objects and "DELETE" in [method for method, _, _ in server.asked]


def test_what_can_not_be_written_or_deleted_is_said_so(ask):
    with Answers(Stored(PUT=error(507, "XMinioStorageFull")).answers()) as server:
        is_now(ask(server, 'round_trip = "b"'), "fail", "bad status", "507 XMinioStorageFull")
        assert [method for method, _, _ in server.asked] == ["PUT"]
    with Answers(Stored(DELETE=error(403, "AccessDenied")).answers()) as server:
        is_now(ask(server, 'round_trip = "b/"'), "fail", "forbidden", "DELETE /b/flipback-probe-")


def test_what_a_cut_off_run_left_behind_is_swept_after_ten_minutes(ask):
    stored = Stored()
    stored.objects = {"/b/probes/flipback-probe-old": "x", "/b/probes/flipback-probe-new": "x"}
    with Answers(stored.answers()) as server:
        is_now(ask(server, 'round_trip = "b/probes/"'), "pass")
        assert list(stored.objects) == ["/b/probes/flipback-probe-new"]


def test_only_what_a_run_left_behind_is_swept(ask):
    """A server may list more than it was asked for."""
    stored = Stored()
    stored.objects = {"/b/probes/old-photo": "x", "/b/old-photo": "x", "/b/flipback-probe-old": "x"}
    with Answers(stored.answers()) as server:
        is_now(ask(server, 'round_trip = "b/probes/"'), "pass")
        assert len(stored.objects) == 3


def test_the_version_that_was_written_is_the_one_deleted(ask):
    stored = Stored()
    put = stored.answers()["PUT"]
    with Answers(stored.answers() | {"PUT": lambda *how: put(*how)[:1] + ({"x-amz-version-id": "v/1"}, "")}) as server:
        is_now(ask(server, 'round_trip = "b/probes/"'), "pass")
        assert next(query for method, _, query in server.asked if method == "DELETE") == {"versionId": "v/1"}


def test_a_round_trip_that_hangs_is_timed_out_and_its_object_is_swept_later(ask):
    stored, ended = Stored(), threading.Event()
    with Answers(stored.answers() | {"GET": lambda *unused: ended.wait(20) and page()}) as server:
        try:
            is_now(ask(server, 'round_trip = "b/probes/"', timeout="500ms"), "fail", "timed out", "while waiting")
        finally:
            ended.set()
        assert len(stored.objects) == 1 and "flipback-probe-" in next(iter(stored.objects))
