"""Every kind of probe against servers that do everything wrong: a precise reason, in time, without a secret, and nothing left behind."""

import base64
import contextlib
import json
import os
import re
import ssl
import subprocess
import time
import tomllib

import pytest
from conftest import BINARY, ROOT
from faulty import (Faulty, cut, deep, echo, garbage, heard, heard_for_tls, html, huge, hung, led_away, limited, moved, no_status, not_utf8, own_error, reset,
                    silent, slow, truncated, zipped)
from processes import free_port

# Every secret begins like this one, so that one search finds whichever was told.
SECRET = "hunter2"
FORMS = (SECRET, base64.b64encode(b"hunter2-")[:10].decode(), base64.b64encode(b"reader:hunter2-")[:18].decode())

# A kind of probe that speaks HTTP ("kind-how" where it is asked in several ways), and its table; {url} is the server. Every question that it can
# ask is asked, with credentials where it takes any.
HTTP = {
    "airflow": 'url = "{url}"\nuser = "reader"\npassword = "hunter2-airflow"\nimport_errors = true\ndags = ["nightly"]',
    "exposition": 'url = "{url}/metrics"\nuser = "reader"\npassword = "hunter2-exposition"',
    "grafana": 'url = "{url}"\ntoken = "hunter2-grafana"',
    "http-sends": 'url = "{url}/health"\nmethod = "POST"\nbody = "code=hunter2-body"\nexpect = {{ "/status" = "healthy" }}',
    "http": 'url = "{url}/health"\nuser = "reader"\npassword = "hunter2-http"\nheaders = {{ Cookie = "hunter2-cookie" }}\nexpect = {{ "/status" = "healthy" }}',
    "journey": 'url = "{url}"\nsteps = [{{ name = "token", path = "/token", form = {{ username = "reader", password = "hunter2-journey" }}, '
               'capture = {{ token = "/access_token" }} }}, {{ name = "me", path = "/me", headers = {{ Authorization = "Bearer {{token}}" }} }}]',
    "journey-json": 'url = "{url}"\nsteps = [{{ name = "token", path = "/token", headers = {{ X-Device = "hunter2-device" }}, '
                    'json = {{ password = "hunter2-json", factors = {{ code = "hunter2-code", more = ["hunter2-more"] }} }}, '
                    'capture = {{ token = "/access_token" }} }}]',
    "journey-body": 'url = "{url}"\nsteps = [{{ name = "token", path = "/token", body = "code=hunter2-text", capture = {{ token = "/access_token" }} }}]',
    "jwks": 'url = "{url}/certs"',
    "jwks-health": 'url = "{url}/certs"\nhealth = "{url}/health/ready"',
    "jwks-issuer": 'issuer = "{url}/realms/main"\nclient_id = "flipback"\nclient_secret = "hunter2-jwks"\naudience = "api"',
    "neo4j": 'url = "{url}"\nuser = "reader"\npassword = "hunter2-neo4j"',
    "prometheus": 'url = "{url}"\ntoken = "hunter2-prometheus"\njobs = ["api"]',
    "promql": 'url = "{url}"\nquery = "up"\nuser = "reader"\npassword = "hunter2-promql"',
    "qdrant": 'url = "{url}"\napi_key = "hunter2-qdrant"\ncollections = ["properties"]\nmetrics = true',
    "rate_limit": 'url = "{url}/api"\ntoken = "hunter2-rate"\nheaders = {{ X-Tenant = "hunter2-tenant" }}\nrequests = 3\nin_agent = true',
    "s3": 'url = "{url}"\naccess_key = "hunter2-access"\nsecret_key = "hunter2-secret"\nsession_token = "hunter2-session"\nbuckets = ["documents"]\n'
          'round_trip = "documents/probes/"\nnewest = {{ db = {{ bucket = "backups", prefix = "db/" }} }}',
    "sentry": 'url = "{url}"\ntoken = "hunter2-sentry"\norganization = "estate"\nrelease = "api@1"',
}
# Those with a protocol of their own; {port} is the server's.
OTHERS = {
    "postgres": 'host = "127.0.0.1"\nport = {port}\nuser = "reader"\npassword = "hunter2-postgres"\npostgis = true\nmigrations = "ae10"\n'
                'row_security = {{ role = "app" }}\nqueries = {{ unpaid = "SELECT 7" }}',
    "postgres-url": 'url = "postgresql://reader:hunter2-pgurl@127.0.0.1:{port}/app"',
    "redis-url": 'url = "redis://reader:hunter2-redisurl@127.0.0.1:{port}/0"',
    "redis": 'host = "127.0.0.1"\nport = {port}\nuser = "reader"\npassword = "hunter2-redis"\nkeys = {{ limits = "rate_limit:*" }}',
    "tcp": 'address = "127.0.0.1:{port}"\nsend = "hunter2-tcp"\nexpect = "220 "',
    "neo4j": 'url = "bolt://127.0.0.1:{port}"\nuser = "reader"\npassword = "hunter2-bolt"',
}


def kind_of(name):
    return name.partition("-")[0]


# A fault, and the reasons that say it right.
BAD = {"bad answer"}
FAULTS = {
    hung: {"timed out"},
    slow: {"timed out"},
    silent: {"closed"},
    reset: {"closed"},
    cut: {"closed"},
    html: BAD,
    truncated: BAD,
    huge: {"too large"},
    not_utf8: BAD,
    deep: BAD,
    garbage: BAD,
    no_status: {"absent", "bad status"},
    own_error: {"bad status"},
    limited: {"limited"},
    moved: {"bad status"},
}
# Where a kind rightly sees a fault otherwise.
OTHERWISE = {("rate_limit", fault): {"expectation"} for fault in (html, truncated, not_utf8, deep)}  # the status is all that it looks at
OTHERWISE |= {("rate_limit", limited): {"pass"}} | {(name, limited): {"unknown: limited"} for name in HTTP if kind_of(name) in ("http", "journey")}
OTHERWISE |= {("journey", "400 Bad Request"): {"unauthorised"}}  # so OAuth 2 refuses a login

# Faults that need no HTTP: what comes is no answer of this protocol, whichever it is.
RAW = {
    hung: {"timed out"},
    silent: {"closed"},
    reset: {"closed", "refused"},
    html: {"bad answer", "expectation", "too large"},
    garbage: {"bad answer", "expectation", "too large", "closed"},
    huge: {"bad answer", "expectation", "too large"},
}


def check(tmp_path, tables, seconds=10, environment=None):
    """`--check` of all tables (name → (kind, table)) at once: entries by name, and everything that was printed."""
    path = tmp_path / "probes.toml"
    path.write_text("".join(f'[probes.{name}]\ntype = "{kind}"\n{table}\n\n' for name, (kind, table) in tables.items()), encoding="utf-8")
    began = time.monotonic()
    done = subprocess.run([BINARY, "--check", "--format", "json", "--config", path], capture_output=True, text=True, timeout=60, check=False,
                          env=dict(os.environ, **(environment or {})))
    took = time.monotonic() - began
    assert done.returncode in (0, 1, 3), done.stderr
    assert took < seconds, f"{took:.1f} s"
    return {entry["name"]: entry for entry in json.loads(done.stdout)["probes"]}, done.stdout + done.stderr


def reason_of(entry):
    """Of a failure its reason; of what is none "pass", or "unknown: " and the reason."""
    return {"fail": entry["reason"], "pass": "pass", "unknown": f"unknown: {entry['reason']}"}[entry["outcome"]]


def hold(entries, printed, expected):
    """Holds every entry against the reasons that are right for it; a sentence names something, and no secret."""
    assert not any(form in printed for form in FORMS), printed
    wrong = {name: entry for name, entry in entries.items() if reason_of(entry) not in expected(name)}
    assert not wrong, json.dumps(wrong, indent=1)
    for entry in entries.values():
        assert len(entry["says"]) > 10 and "\n" not in entry["says"] and entry["says"].isprintable(), entry


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_fault_has_its_reason(tmp_path, fault):
    with Faulty(fault) as server:
        tables = {name: (kind_of(name), table.format(url=f"http://127.0.0.1:{server.port}") + '\ntimeout = "2s"') for name, table in HTTP.items()}
        hold(*check(tmp_path, tables), lambda name: OTHERWISE.get((name, fault), FAULTS[fault]))


@pytest.mark.parametrize("fault", RAW, ids=lambda f: f.__name__)
def test_a_fault_below_http_has_its_reason(tmp_path, fault):
    with Faulty(fault, http=False) as server:
        tables = {name: (kind_of(name), table.format(port=server.port) + '\ntimeout = "2s"') for name, table in OTHERS.items()}
        hold(*check(tmp_path, tables), lambda name: OTHERWISE.get((name, fault), RAW[fault]))


def test_a_port_where_nothing_listens_is_refused(tmp_path):
    port = free_port()
    tables = {f"{name}-http": (kind_of(name), table.format(url=f"http://127.0.0.1:{port}")) for name, table in HTTP.items()}
    tables |= {name: (kind_of(name), table.format(port=port)) for name, table in OTHERS.items()}
    hold(*check(tmp_path, tables), lambda name: {"refused"})


@pytest.mark.parametrize("status, reasons", [("401 Unauthorized", {"unauthorised"}), ("403 Forbidden", {"forbidden"}), ("400 Bad Request", {"bad status"}),
                                             ("200 OK", {"bad answer", "expectation", "bad status", "unauthorised"})])
def test_a_server_that_repeats_what_it_was_sent_makes_nobody_tell_a_secret(tmp_path, status, reasons):
    with Faulty(echo(status)) as server:
        tables = {name: (kind_of(name), table.format(url=f"http://127.0.0.1:{server.port}")) for name, table in HTTP.items()}
        hold(*check(tmp_path, tables), lambda name: OTHERWISE.get((name, status), reasons))


@pytest.mark.parametrize("before", [0, *range(110, 190, 7)])
def test_a_server_that_leads_away_to_what_it_was_sent_makes_nobody_tell_a_secret(tmp_path, before):
    with Faulty(led_away(before)) as server:
        tables = {name: (kind_of(name), table.format(url=f"http://127.0.0.1:{server.port}")) for name, table in HTTP.items()}
        tables |= {f"{name}-followed": (kind_of(name), table.format(url=f"http://127.0.0.1:{server.port}") + "\nredirects = 3")
                   for name, table in HTTP.items() if name == "http"}
        entries, printed = check(tmp_path, tables)
        assert not any(form[:9] in printed for form in FORMS) and "hunter" not in printed, printed
        assert all(entry["outcome"] != "pass" for name, entry in entries.items() if name != "rate_limit"), entries


# Where a source file hides what a person wrote: how often, and the keys that it hides so, with the tables that they stand in.
HIDES = {
    "http.cpp": (2, ["http.body", "http.headers.Cookie"]),
    "jwks/terms.cpp": (1, ["jwks.client_secret"]),
    "journey/payload.cpp": (3, ["journey.steps.form.password", "journey.steps.json.password", "journey.steps.json.factors.code",
                                "journey.steps.json.factors.more", "journey.steps.body"]),
    "journey/step.cpp": (2, ["journey.steps.headers.X-Device"]),
    "neo4j.cpp": (1, ["neo4j.password"]),
    "net/api.cpp": (5, ["http.headers.Cookie", "exposition.password", "grafana.token"]),
    "net/http_settings.cpp": (2, ["journey.steps.headers.X-Device", "http.headers.Cookie"]),
    "net/url.cpp": (1, ["redis.url"]),
    "postgres.cpp": (1, ["postgres.password"]),
    "postgres/address.cpp": (2, ["postgres.url"]),
    "qdrant.cpp": (1, ["qdrant.api_key"]),
    "rate_limit.cpp": (1, ["rate_limit.headers.X-Tenant"]),
    "redis.cpp": (1, ["redis.password"]),
    "s3.cpp": (4, ["s3.access_key", "s3.secret_key", "s3.session_token"]),
}
HIDING = re.compile(r"\bhidden\(\S|\btake\(\"|\bhide_sent\(|\bread_headers\(|\bpassword = secret\(")


def keys_with_a_secret(of, under):
    """ "journey.steps.form.password": each key, in whatever tables and lists it stands, whose value is one that is sought."""
    if isinstance(of, dict):
        return {key for name, one in of.items() for key in keys_with_a_secret(one, f"{under}.{name}")}
    if isinstance(of, list):
        return {key for one in of for key in keys_with_a_secret(one, under)}
    return {under} if SECRET in str(of) else set()


def test_every_key_that_holds_a_secret_is_among_those_that_are_sought():
    """So that the next probe can't forget it: where a source hides what a person wrote, at the top or in a table of a table, a table above has it."""
    hides = {}
    folder = os.path.join(ROOT, "probes")
    for within, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(within, name)
            with open(path, encoding="utf-8") as file:
                times = len(HIDING.findall(file.read())) if name.endswith(".cpp") else 0
            if times:
                hides[os.path.relpath(path, folder)] = times
    assert hides == {file: times for file, (times, _) in HIDES.items()}, "a key that hides its value is new, or gone: tell HIDES, and a table above"
    sought = set()
    for name, table in [*HTTP.items(), *OTHERS.items()]:
        sought |= keys_with_a_secret(tomllib.loads(table.format(url="http://127.0.0.1:1", port=1)), kind_of(name))
    assert not {key for _, keys in HIDES.values() for key in keys} - sought, sought


def https(certificates, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    return context


@pytest.mark.parametrize("certificate, server_name, says", [("good", "other.test", "other.test"), ("old", "service.test", "expired"),
                                                            ("alone", "service.test", "self-signed")])
def test_a_certificate_that_can_not_be_trusted_is_said_so(tmp_path, certificates, certificate, server_name, says):
    with Faulty(html, tls=https(certificates, certificate)) as server:
        tls = f'\nca_file = "{certificates}/ca.pem"\nserver_name = "{server_name}"'
        tables = {name: (kind_of(name), table.format(url=f"https://127.0.0.1:{server.port}") + tls) for name, table in HTTP.items()}
        entries, printed = check(tmp_path, tables)
        hold(entries, printed, lambda name: {"bad TLS"})
        assert all(says in entry["says"] for entry in entries.values()), entries


def test_a_server_that_speaks_no_tls_is_said_so(tmp_path):
    with Faulty(html, http=False) as server:
        tables = {name: (kind_of(name), table.format(url=f"https://127.0.0.1:{server.port}") + '\ntimeout = "2s"') for name, table in HTTP.items()}
        hold(*check(tmp_path, tables), lambda name: {"bad TLS"})


# What each protocol of its own needs to speak TLS.
TLS = {"postgres": '\nsslmode = "require"', "redis": "\ntls = true", "tcp": "\ntls = true", "neo4j": ""}


@pytest.mark.parametrize("fault", [heard, silent, reset, heard_for_tls], ids=lambda f: f.__name__)
def test_a_server_that_hangs_up_in_the_tls_handshake_has_failed(tmp_path, fault):
    """Socket stand-in: a hang-up has the number 1 among the errors of TLS, which among the system's is "not permitted"."""
    with Faulty(fault, http=False) as server:
        tables = {name: (kind_of(name), table.format(url=f"https://127.0.0.1:{server.port}")) for name, table in HTTP.items()}
        tables |= {f"{kind}-tls": (kind, table.format(port=server.port).replace("bolt://", "bolt+s://") + TLS[kind]) for kind, table in OTHERS.items() if kind in TLS}
        if fault is heard_for_tls:
            tables = {name: table for name, table in tables.items() if name == "postgres-tls"}
        entries, printed = check(tmp_path, tables)
        hold(entries, printed, lambda name: {"closed"})


def test_a_compressed_answer_is_said_to_be_one(tmp_path):
    with Faulty(zipped) as server:
        tables = {name: (kind_of(name), table.format(url=f"http://127.0.0.1:{server.port}")) for name, table in HTTP.items() if name != "rate_limit"}
        entries, printed = check(tmp_path, tables)
        hold(entries, printed, lambda name: BAD)
        unsaid = {name: entry["says"] for name, entry in entries.items() if "gzip" not in entry["says"]}
        assert not unsaid
