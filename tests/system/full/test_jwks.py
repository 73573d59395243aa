"""The jwks probe against the real Keycloak."""

import subprocess

import pytest
from conftest import BINARY, is_now
from follow import metrics
from keycloak import REALM, Keycloak
from processes import Child, free_port, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Keycloak(tmp_path_factory.mktemp("keycloak")) as started:
        yield started


@pytest.fixture
def realm(server, request):
    """A realm of one's own, which the test may spoil."""
    name = request.node.name
    server.admin("POST", "", dict(REALM, realm=name))
    return name


@pytest.fixture
def ask(probe, server):
    """Runs the probe by the issuer, as a client; no sentence may have a secret or a token in it."""

    def run(realm="main", more='audience = "api"', client=server.client, secret=server.secret):
        entry = probe("jwks", f'issuer = "{server.issuer(realm)}"\nclient_id = "{client}"\nclient_secret = "{secret}"\nhealth = "{server.health}"\ntimeout = "10s"\n{more}')
        assert "hunter2" not in str(entry) and "eyJ" not in str(entry), entry
        return entry

    return run


def certs(server, realm="main"):
    return f'url = "{server.issuer(realm)}/protocol/openid-connect/certs"\ntimeout = "10s"'


def test_a_healthy_realm(ask, probe, server):
    entry = is_now(ask(), "pass", says="ready, the issuer is as expected, 2 keys, 1 for signatures (RS256, RSA-OAEP), a token for ")
    measured = entry["measurements"]
    assert (measured["keys"], measured["signing_keys"], measured["rotations"]) == (2, 1, 0) and 250 < measured["token_expires_in"] <= 300
    assert all(measured[f"{what}_seconds"] > 0 for what in ("discovery", "keys", "token"))
    is_now(probe("jwks", certs(server)), "pass", says="2 keys, 1 for signatures (RS256, RSA-OAEP)")
    is_now(probe("jwks", certs(server) + '\nalgorithms = ["ES256"]'), "fail", "expectation", "no key is for ES256")


def test_a_token_leaves_no_session_behind(ask, server):
    of_it = next(client for client in server.admin("GET", "/main/clients") if client["clientId"] == server.client)
    for _ in range(3):
        is_now(ask(), "pass")
    assert server.admin("GET", f"/main/clients/{of_it['id']}/session-count") == {"count": 0}


def test_a_client_with_any_character_in_its_name_and_secret(ask):
    odd = REALM["clients"][1]
    is_now(ask(more="", client=odd["clientId"], secret=odd["secret"]), "pass")


def test_who_gets_no_token_and_why(ask):
    entry = is_now(ask(secret="wrong-hunter2"), "fail", "unauthorised", "answered 401: unauthorized_client, \"Invalid client or Invalid client credentials\"")
    assert entry["measurements"]["keys"] == 2
    is_now(ask(client="nobody"), "fail", "unauthorised", "invalid_client")
    is_now(ask(client="no-service-account"), "fail", "unauthorised", "Client not enabled to retrieve service account")
    is_now(ask(more='scope = "nowhere"'), "fail", "bad status", "invalid_scope, \"Invalid scopes: nowhere\"")
    is_now(ask(more='audience = "other"'), "fail", "expectation", "the token's audience is \"api\", \"account\", expected \"other\"")


def test_tokens_are_verified_by_every_kind_of_key(ask, server, realm):
    kinds = [("PS512", "rsa-generated", {}), ("EdDSA", "eddsa-generated", {"eddsaEllipticCurveKey": ["Ed25519"]})]
    kinds += [(f"ES{bits}", "ecdsa-generated", {"ecdsaEllipticCurveKey": [curve]}) for bits, curve in ((256, "P-256"), (384, "P-384"), (512, "P-521"))]
    for algorithm, provider, config in kinds:
        server.add_key(1000, realm, algorithm, provider, config)
        server.change(realm, defaultSignatureAlgorithm=algorithm)
        is_now(ask(realm), "pass", says=f" s ({algorithm})")


def test_one_imported_key_for_both_uses_has_one_id(ask, server, realm):
    """Keycloak makes an id out of the key itself."""
    pem = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    for algorithm, provider in (("RSA-OAEP", "rsa-enc"), ("RS256", "rsa")):
        server.add_key(1000, realm, algorithm, provider, {"privateKey": [pem]})
    _, set_of_keys = server.ask("GET", f"/realms/{realm}/protocol/openid-connect/certs")
    uses = {}
    for key in set_of_keys["keys"]:
        uses.setdefault(key["kid"], set()).add(key["use"])
    assert {"sig", "enc"} in uses.values(), uses
    is_now(ask(realm), "pass", says="4 keys, 2 for signatures")


def test_keys_that_rotate_are_counted_and_no_failure(tmp_path, server, realm, ask):
    port = free_port()
    (tmp_path / "agent.toml").write_text(f'[agent]\nlisten = "127.0.0.1:{port}"\nstate = "{tmp_path}/state.db"\n'
                                         f'[probes.sso]\ntype = "jwks"\n{certs(server, realm)}\nevery = "500ms"\n'
                                         '[[rules]]\nname = "rotated"\nwhen = "sso.rotations > 0"\nthen = "alert"\n')
    agent = Child("flipback", [BINARY, "--config", str(tmp_path / "agent.toml")], str(tmp_path / "flipback.log"))

    def signals():
        return {labels: value for (metric, labels), value in metrics(f"http://127.0.0.1:{port}").items() if metric == "flipback_signal"}

    def rotations():
        return next((value for labels, value in signals().items() if "sso.rotations" in labels), None)

    old, = server.signing_keys(realm)
    provider, = server.key_providers(realm)
    try:
        wait_until("the first run", lambda: rotations() == 0, 30, agent)
        server.add_key(1000, realm)
        wait_until("the new key", lambda: rotations() == 1, 30, agent)
        provider["config"]["active"] = ["false"]
        server.admin("PUT", f"/{realm}/components/{provider['id']}", provider)
        assert old in server.signing_keys(realm)  # a passive key is published still
        is_now(ask(realm), "pass", says="3 keys, 2 for signatures")
        server.admin("DELETE", f"/{realm}/components/{provider['id']}")
        assert old not in server.signing_keys(realm)
        wait_until("the old key's end", lambda: rotations() == 2, 30, agent)
        is_now(ask(realm), "pass", says="2 keys, 1 for signatures")
    finally:
        agent.stop()


def test_a_disabled_realm_publishes_its_keys_but_gives_no_token(ask, probe, server, realm):
    server.change(realm, enabled=False)
    is_now(probe("jwks", certs(server, realm)), "pass")
    is_now(ask(realm), "fail", "forbidden", "answered 403: access_denied, \"Realm not enabled\"")


def test_a_deleted_realm_is_absent(ask, probe, server, realm):
    server.admin("DELETE", f"/{realm}")
    is_now(ask(realm), "fail", "absent", "answered 404: Realm does not exist")
    is_now(probe("jwks", certs(server, realm)), "fail", "absent", "answered 404: Realm does not exist")


def test_the_issuer_follows_the_host_that_it_is_asked_as(probe, server):
    client = f'client_id = "{server.client}"\nclient_secret = "{server.secret}"\ntimeout = "10s"\n'
    is_now(probe("jwks", f'issuer = "http://sso.test/realms/main"\naddress = "{server.url}"\n{client}'), "pass", says="a token for ")
    entry = probe("jwks", f'issuer = "{server.url.replace("127.0.0.1", "localhost")}/realms/main/"\naddress = "{server.url}"\n{client}')
    is_now(entry, "fail", "expectation", "/realms/main\", expected \"")  # a slash is another name
    assert "token_seconds" not in entry["measurements"]


def test_the_readiness_is_on_the_management_port_alone(probe, server):
    is_now(probe("jwks", f'{certs(server)}\nhealth = "{server.health}"'), "pass", says="ready, 2 keys")
    is_now(probe("jwks", f'{certs(server)}\nhealth = "{server.url}/health/ready"'), "fail", "absent", "management port")
    is_now(probe("jwks", f'{certs(server)}\nhealth = "http://127.0.0.1:{free_port()}/health/ready"'), "fail", "refused")


def test_a_server_whose_database_is_down_publishes_its_keys_but_is_not_ready(ask, probe, server):
    is_now(ask(), "pass")  # what it knows is kept
    server.database.stop_server()
    try:
        wait_until("Keycloak to notice", lambda: ask()["outcome"] == "fail", 60, server.server)
        is_now(probe("jwks", certs(server)), "pass", says="2 keys, 1 for signatures")
        entry = is_now(ask(), "fail", "expectation", "its readiness is DOWN: \"Keycloak database connections async health check\" since ")
        assert "/token answered " in entry["says"] and entry["measurements"]["keys"] == 2
    finally:
        server.database.start()
    wait_until("Keycloak to recover", lambda: ask()["outcome"] == "pass", 60, server.server)


def test_a_server_that_restarts_is_refused_meanwhile(ask, server):
    """The last test of this server: a start takes its time."""
    server.server.stop(patience=30)
    server.children.remove(server.server)
    entry = is_now(ask(), "fail", "refused", str(server.port))
    assert str(server.management) in entry["says"]
