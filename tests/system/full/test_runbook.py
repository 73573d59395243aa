"""The runbook's ten checks by its variables alone, without a configuration file: real servers, and stand-ins for Qdrant and Grafana."""

import contextlib
import json
import os
import subprocess

import pytest
from api_server import ApiServer
from conftest import BINARY
from keycloak import Keycloak
from minio import Minio
from neo4j import Neo4j
from postgres import Postgres
from prometheus import Prometheus, Scraped
from redis import Redis
from stand_ins import Grafana, Qdrant

CHECKS = ["postgres", "redis", "api", "api-detailed", "keycloak", "qdrant", "minio", "neo4j", "prometheus", "grafana"]
SECRETS = [Postgres.password, "redis-hunter2", Qdrant.key, Minio.secret, Neo4j.password, Grafana.token, "wrong-hunter2"]


class Everything:
    """The whole stack, and the variables by which its own images and the runbook name it."""

    def __init__(self, folder):
        self.folder = folder
        self.ended = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as started:
            start = started.enter_context
            folder = lambda name: os.path.join(self.folder, name)  # noqa: E731
            self.postgres, self.redis, self.api = start(Postgres()), start(Redis(folder("redis"), password="redis-hunter2")), start(ApiServer(folder("api")))
            self.minio, self.neo4j, self.keycloak = start(Minio(folder("minio"))), start(Neo4j(folder("neo4j"))), start(Keycloak(folder("keycloak")))
            self.scraped = start(Scraped())
            self.prometheus = start(Prometheus(folder("prometheus"), {"api": [self.scraped.address]})).settled()
            self.qdrant, self.grafana = start(Qdrant()), start(Grafana())
            self.minio.client.done("PUT", "/documents")
            self.ended = started.pop_all()
        return self

    def __exit__(self, *unused):
        self.ended.close()

    def variables(self):
        return {
            "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(self.postgres.port), "POSTGRES_DB": "postgres", "POSTGRES_USER": "postgres",
            "POSTGRES_PASSWORD": Postgres.password, "REDIS_URL": self.redis.url, "REDIS_PASSWORD": self.redis.password, "API_URL": self.api.url,
            "KEYCLOAK_URL": self.keycloak.url, "KEYCLOAK_REALM": "main", "KEYCLOAK_CLIENT_ID": "api-client", "QDRANT_URL": self.qdrant.url,
            "QDRANT__SERVICE__API_KEY": Qdrant.key, "MINIO_ENDPOINT": f"127.0.0.1:{self.minio.port}", "MINIO_ROOT_USER": Minio.access,
            "MINIO_ROOT_PASSWORD": Minio.secret, "NEO4J_URI": f"bolt://127.0.0.1:{self.neo4j.bolt}", "NEO4J_AUTH": f"neo4j/{Neo4j.password}",
            "PROMETHEUS_URL": self.prometheus.url, "GRAFANA_URL": self.grafana.url, "GRAFANA_TOKEN": Grafana.token}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with Everything(str(tmp_path_factory.mktemp("everything"))) as started:
        yield started


def check(everything, *words, **changed):
    """What `flipback --check` gives in this environment; it may never print a secret."""
    variables = dict(everything.variables(), PATH=os.environ["PATH"], **changed)
    done = subprocess.run([BINARY, "--check", *words], capture_output=True, text=True, timeout=120, check=False, env=variables)
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
    return done


def outcomes(everything, **changed):
    done = check(everything, "--format", "json", **changed)
    assert done.returncode in (0, 1), done.stderr
    return {entry["name"]: entry for entry in json.loads(done.stdout)["probes"]}


def test_the_runbooks_ten_checks_are_printed_in_its_order(everything):
    done = check(everything)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:len(CHECKS)]] == CHECKS
    assert all(line.split()[0] == "✓" for line in lines[:len(CHECKS)]), done.stdout


@pytest.mark.parametrize("variable,probes,reason", [
    ("POSTGRES_PASSWORD", ["postgres"], "unauthorised"), ("REDIS_PASSWORD", ["redis"], "unauthorised"), ("MINIO_ROOT_PASSWORD", ["minio"], "unauthorised"),
    ("QDRANT__SERVICE__API_KEY", ["qdrant"], "unauthorised"), ("GRAFANA_TOKEN", ["grafana"], "unauthorised"), ("NEO4J_AUTH", ["neo4j"], "unauthorised")])
def test_a_wrong_password_is_its_services_alone(everything, variable, probes, reason):
    wrong = "neo4j/wrong-hunter2" if variable == "NEO4J_AUTH" else "wrong-hunter2"
    found = outcomes(everything, **{variable: wrong})
    assert {name: entry["reason"] for name, entry in found.items() if entry["outcome"] != "pass"} == dict.fromkeys(probes, reason)


@pytest.mark.parametrize("variable,probes", [
    ("POSTGRES_PORT", ["postgres"]), ("REDIS_URL", ["redis"]), ("API_URL", ["api", "api-detailed"]), ("KEYCLOAK_URL", ["keycloak"]), ("QDRANT_URL", ["qdrant"]),
    ("MINIO_ENDPOINT", ["minio"]), ("NEO4J_URI", ["neo4j"]), ("PROMETHEUS_URL", ["prometheus"]), ("GRAFANA_URL", ["grafana"])])
def test_a_service_that_is_not_there_fails_alone(everything, variable, probes):
    nowhere = {"POSTGRES_PORT": "1", "REDIS_URL": "redis://127.0.0.1:1", "MINIO_ENDPOINT": "127.0.0.1:1", "NEO4J_URI": "bolt://127.0.0.1:1"}
    found = outcomes(everything, **{variable: nowhere.get(variable, "http://127.0.0.1:1")})
    assert {name: entry["reason"] for name, entry in found.items() if entry["outcome"] != "pass"} == dict.fromkeys(probes, "refused")


def test_what_the_services_themselves_say_is_said(everything):
    everything.scraped.sick = True
    everything.qdrant.collections["properties"]["status"] = "red"
    everything.grafana.datasources["Prometheus"] = (400, {"message": "connection refused", "status": "ERROR"})
    try:
        everything.prometheus.has("a target down", lambda: any(t["health"] == "down" for t in everything.prometheus.get("/api/v1/targets?state=active")["activeTargets"]))
        found = outcomes(everything)
    finally:
        everything.scraped.sick = False
        everything.qdrant.collections["properties"]["status"] = "green"
        everything.grafana.datasources["Prometheus"] = (200, {"message": "", "status": "OK"})
    unwell = {name: entry["says"] for name, entry in found.items() if entry["outcome"] != "pass"}
    assert unwell.keys() == {"prometheus", "qdrant", "grafana"}
    assert "properties is red" in unwell["qdrant"] and "the datasource Prometheus is unwell" in unwell["grafana"]
