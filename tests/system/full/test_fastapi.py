"""The http, journey and rate_limit probes against FastAPI with slowapi."""

import pytest
from api_server import ApiServer
from conftest import is_now
from service import fetched


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    python = f"{fetched('fastapi')}/bin/python"
    with ApiServer(tmp_path_factory.mktemp("limited"), app="limited_app", python=python, RATE="100/hour") as started:
        yield started


def test_the_runbooks_requests_are_limited(probe, limited):
    where = f'url = "{limited.url}/api/v1/properties"\n'
    # It says retry-after on its 200s too: only the status tells.
    is_now(probe("http", where + 'expect = { status = 200, "header:Retry-After" = { present = true } }'), "pass")
    entry = is_now(probe("rate_limit", where), "pass", says="6 of 105 requests were answered 429")
    assert entry["measurements"]["limited"] == 6 and 90 <= entry["measurements"]["first_limited_at"] <= 100
    is_now(probe("http", where), "unknown", "limited", "answered 429")
    steps = '[[probes.it.steps]]\nname = "list"\npath = "/api/v1/properties"'
    is_now(probe("journey", f'url = "{limited.url}"\n{steps}'), "unknown", "limited", "step list: answered 429")
    is_now(probe("http", f'url = "{limited.url}/health"'), "pass")
