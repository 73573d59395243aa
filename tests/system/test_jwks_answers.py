"""The jwks probe against an issuer that is wrong in one way at a time; its keys and its tokens are made by OpenSSL."""

import base64
import hashlib
import hmac
import json
import ssl
import time

import pytest
from conftest import BINARY, is_now
from follow import metrics
from issuer import Issuer, Key, base64url
from processes import Child, free_port, wait_until


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {kid: Key(folder, kid) for kid in ("first", "second")}


@pytest.fixture
def issuer(keys):
    with Issuer(keys["first"]) as started:
        yield started


@pytest.fixture
def ask(probe):
    """Runs the probe by the issuer, as a client; no sentence may have the secret or the token in it."""

    def run(issuer, more='audience = "api"', secret=Issuer.secret, name=None):
        entry = probe("jwks", f'issuer = "{name or issuer.name}"\nclient_id = "{issuer.client}"\nclient_secret = "{secret}"\ntimeout = "3s"\n{more}')
        assert "hunter2" not in str(entry) and "eyJ" not in str(entry), entry
        return entry

    return run


def test_a_token_is_verified_against_the_set(ask, issuer):
    entry = is_now(ask(issuer), "pass", says="the issuer is as expected, 1 keys, 1 for signatures (RS256), a token for ")
    measured = entry["measurements"]
    assert measured["keys"] == measured["signing_keys"] == 1 and measured["rotations"] == 0
    assert 250 < measured["token_expires_in"] <= 300
    assert all(measured[f"{what}_seconds"] > 0 for what in ("discovery", "keys", "token"))
    (path, headers, body), = issuer.requests("/token")
    assert body == "grant_type=client_credentials" and base64.b64decode(headers["Authorization"].split()[1]).decode() == f"{issuer.client}:{issuer.secret}"


def test_a_secret_goes_into_the_body_where_the_issuer_wants_it_there(ask, issuer):
    issuer.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    is_now(ask(issuer, more='scope = "openid api"'), "pass")
    (path, headers, body), = issuer.requests("/token")
    assert "Authorization" not in headers and body.endswith(f"&scope=openid%20api&client_id={issuer.client}&client_secret={issuer.secret}")
    issuer.document = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    is_now(ask(issuer), "fail", "expectation", "takes no client's secret")


def test_without_a_client_nothing_is_asked_but_the_document_and_the_set(probe, issuer):
    entry = is_now(probe("jwks", f'issuer = "{issuer.name}"'), "pass")
    assert "token_seconds" not in entry["measurements"] and not issuer.requests("/token")


def test_an_issuer_of_another_name_gets_no_secret(ask, issuer):
    issuer.document = {"issuer": issuer.base + "/realms/other"}
    entry = is_now(ask(issuer), "fail", "expectation", "/realms/other\", expected \"")
    assert entry["measurements"]["keys"] == 1  # what anybody may see is looked at all the same
    assert not issuer.requests("/token")


def test_sets_that_any_client_takes_are_well(ask, issuer, keys):
    """One id for two uses, as Keycloak has it, the other key first; members that say nothing, as Microsoft's library writes them; no type."""
    public = keys["first"].public()
    nothing = {"d": None, "dp": None, "dq": None, "k": None, "oth": [], "p": None, "q": None, "qi": None, "x5c": [], "key_ops": []}
    issuer.keys = [{**keys["second"].public(), "kid": public["kid"], "use": "enc", "alg": "RSA-OAEP"}, {"kid": "bare"}, {**public, **nothing}]
    is_now(ask(issuer), "pass", says="2 keys, 1 for signatures")
    issuer.keys = [public, {**keys["second"].public(), "d": "abc"}]
    is_now(ask(issuer), "fail", "bad answer", "a secret is published")


WRONG_CLAIMS = {
    "issuer": ({"iss": "http://sso.test/realms/main"}, "the token's issuer is \"http://sso.test/realms/main\""),
    "audience": ({"aud": "account"}, "the token's audience is \"account\", expected \"api\""),
    "no audience": ({"aud": None}, "the token's audience is nobody"),
    "ended": ({"exp": 1_000_000_000}, "s ago: a clock is wrong"),
    "no end": ({"exp": None}, "the token has no end (exp)"),
    "not yet": ({"nbf": 9_000_000_000}, "(nbf): a clock is wrong"),
    "given tomorrow": ({"iat": 9_000_000_000}, "(iat): a clock is wrong"),
}


@pytest.mark.parametrize("what", WRONG_CLAIMS)
def test_a_claim_that_does_not_hold_is_said(ask, issuer, what):
    changed, says = WRONG_CLAIMS[what]
    issuer.token = issuer.signer.token(issuer.claims(**changed))
    entry = is_now(ask(issuer), "fail", "expectation", says)
    assert entry["measurements"]["keys"] == 1 and entry["measurements"]["token_seconds"] > 0


def by_hmac(issuer):
    """Signed with the published key as the secret: whoever lets the token choose its algorithm takes it."""
    text = base64url({"alg": "HS256", "kid": "first"}) + "." + base64url(issuer.claims())
    return text + "." + base64url(hmac.new(json.dumps(issuer.keys[0]).encode(), text.encode(), hashlib.sha256).digest())


def changed(issuer):
    header, _, signature = issuer.signer.token(issuer.claims()).split(".")
    return f"{header}.{base64url(issuer.claims(sub='admin'))}.{signature}"


FORGED = {
    "by nobody": (lambda issuer: f"{base64url({'alg': 'none'})}.{base64url(issuer.claims())}.", "expectation", "algorithm \"none\""),
    "by hmac": (by_hmac, "expectation", "algorithm \"HS256\""),
    "changed": (changed, "expectation", "signature is not that of key \"first\""),
    "with crit": (lambda issuer: issuer.signer.token(issuer.claims(), crit=["exp"]), "bad answer", "crit"),
    "by an algorithm that is not the key's": (lambda issuer: issuer.signer.token(issuer.claims(), alg="PS256"), "expectation", "which that key is not for"),
    "opaque": (lambda issuer: "hunter2-opaque", "bad answer", "the token is no JWT"),
    "encrypted": (lambda issuer: "eyJh.b.c.d.e", "bad answer", "encrypted"),
    "cut short": (lambda issuer: issuer.signer.token(issuer.claims())[:-20], "expectation", "signature"),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_is_not_the_issuers_is_refused(ask, issuer, how):
    make, reason, says = FORGED[how]
    issuer.token = make(issuer)
    is_now(ask(issuer), "fail", reason, says)


def test_a_token_of_a_key_that_came_meanwhile_makes_the_set_be_fetched_once_more(ask, issuer, keys):
    issuer.signer, issuer.rotate_to = keys["second"], [keys["second"].public(), keys["first"].public()]
    entry = is_now(ask(issuer), "pass", says="signing keys rotated: new \"second\"")
    assert entry["measurements"]["rotations"] == 1 and len(issuer.requests("/certs")) == 2


def test_a_token_of_a_key_that_never_comes_is_a_failure(ask, issuer, keys):
    issuer.signer = keys["second"]
    is_now(ask(issuer), "fail", "absent", "key \"second\", which is not in the set")
    assert len(issuer.requests("/certs")) == 2 and len(issuer.requests("/token")) == 1


REFUSED = {
    "wrong secret": (401, {"error": "invalid_client", "error_description": "wrong: issuer-hunter2"}, "unauthorised", "invalid_client, \"wrong: ***\""),
    "no right": (403, {"error": "access_denied", "error_description": "Realm not enabled"}, "forbidden", "Realm not enabled"),
    "no such grant": (400, {"error": "unauthorized_client"}, "forbidden", "unauthorized_client"),
    "limited": (429, {"error": "slow_down"}, "limited", "429"),
    "unwell": (500, b"java.lang.NullPointerException", "bad status", "500"),
    "html": (200, b"<html>Log in</html>", "bad answer", "HTML"),
    "no token": (200, {"token_type": "Bearer"}, "bad answer", "without an access_token"),
    "huge": (200, b'{"access_token":"' + b"x" * 10_000_000 + b'"}', "too large", "1MiB"),
    "not utf-8": (200, b'{"access_token":"\xff\xfe"}', "bad answer", "not JSON"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_token_endpoint_that_gives_none_says_why(ask, issuer, how):
    status, body, reason, says = REFUSED[how]
    issuer.answer_token = lambda: (status, body)
    entry = is_now(ask(issuer), "fail", reason, says)
    assert entry["measurements"]["keys"] == 1 and len(issuer.requests("/token")) == 1


def test_a_secret_is_hidden_however_a_server_repeats_it(ask, issuer):
    secret = "a/hunter2 b"
    issuer.answer_token = lambda: (400, {"error": issuer.asked[-1][1]["Authorization"], "error_description": secret + " a%2Fhunter2%20b"})
    entry = is_now(ask(issuer, secret=secret), "fail", "bad status", "***")
    assert base64.b64encode(b"flipback:a%2Fhunter2%20b").decode() not in entry["says"]


def test_a_token_endpoint_that_hangs_ends_the_run_in_time(probe, issuer):
    issuer.answer_token = lambda: time.sleep(2) or (200, {})
    entry = probe("jwks", f'issuer = "{issuer.name}"\nclient_id = "flipback"\nclient_secret = "x"\ntimeout = "700ms"')
    is_now(entry, "fail", "timed out")


def test_keys_are_asked_where_the_document_says_they_are(ask, issuer, keys):
    with Issuer(keys["first"]) as other:
        issuer.document = {"jwks_uri": other.base + "/certs"}
        is_now(ask(issuer), "pass")
        assert other.requests("/certs") and not issuer.requests("/certs")
    is_now(ask(issuer), "fail", "refused", str(other.port))


def test_an_address_stands_in_for_an_issuer_whose_name_leads_nowhere(ask, issuer):
    name = "https://sso.test:8443/realms/main"
    issuer.document = {"issuer": name, "jwks_uri": "https://sso.test:8443/certs", "token_endpoint": "https://sso.test:8443/token"}
    issuer.token = issuer.signer.token(issuer.claims(iss=name))
    is_now(ask(issuer, name=name, more=f'address = "{issuer.base}"'), "pass")
    assert [(path, headers["Host"]) for path, headers, _ in issuer.asked] == [
        (path, "sso.test:8443") for path in ("/realms/main/.well-known/openid-configuration", "/certs", "/token")]


def test_an_issuer_of_https_may_name_no_address_of_http(ask, keys, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "good.pem", certificates / "good.key")
    trusted = f'ca_file = "{certificates}/ca.pem"'
    with Issuer(keys["first"], tls=context) as issuer:
        entry = is_now(ask(issuer, more=trusted), "pass")
        assert entry["measurements"]["certificate_left"] > 86400
        is_now(ask(issuer, more=f'{trusted}\nserver_name = "other.test"'), "fail", "bad TLS", "other.test")
        plain = issuer.base.replace("https", "http")
        issuer.document = {"jwks_uri": plain + "/certs"}
        is_now(ask(issuer, more=trusted), "fail", "expectation", "expected https")
        issuer.document = {"token_endpoint": plain + "/token"}
        is_now(ask(issuer, more=trusted), "fail", "expectation", "expected https")


def test_an_algorithm_must_have_a_key_and_the_issuers_word(ask, issuer):
    is_now(ask(issuer, more='algorithms = ["RS256"]'), "pass")
    issuer.document = {"id_token_signing_alg_values_supported": ["ES256"]}
    is_now(ask(issuer, more='algorithms = ["RS256"]'), "fail", "expectation", "does not sign ID tokens by RS256")
    is_now(ask(issuer, more='algorithms = ["ES256"]'), "fail", "expectation", "no key is for ES256")


@pytest.mark.parametrize("document, says", [({"jwks_uri": None}, "has no jwks_uri"), ({"token_endpoint": None}, "has no token_endpoint"),
                                            ({"jwks_uri": "http+unix:///run/docker.sock:/info"}, "does not begin with http:// or https://")])
def test_a_document_that_lacks_something_is_said_so(ask, issuer, document, says):
    issuer.document = document
    is_now(ask(issuer), "fail", "bad answer", says)


def test_a_rotation_is_told_once_and_counted(tmp_path, issuer, keys):
    port = free_port()
    (tmp_path / "agent.toml").write_text(f'[agent]\nlisten = "127.0.0.1:{port}"\nstate = "{tmp_path}/state.db"\n'
                                         f'[probes.sso]\ntype = "jwks"\nurl = "{issuer.base}/certs"\nevery = "200ms"\ntimeout = "200ms"\n'
                                         '[[rules]]\nname = "rotated"\nwhen = "sso.rotations > 0"\nthen = "alert"\n')
    agent = Child("flipback", [BINARY, "--config", str(tmp_path / "agent.toml")], str(tmp_path / "flipback.log"))

    def rotations():
        return next((value for (metric, labels), value in metrics(f"http://127.0.0.1:{port}").items() if metric == "flipback_signal" and "sso.rotations" in labels), None)

    try:
        wait_until("the first runs", lambda: rotations() == 0, 20, agent)
        issuer.keys = [keys["second"].public(), keys["first"].public()]
        wait_until("the rotation", lambda: rotations() == 1, 20, agent)
        issuer.keys = [keys["second"].public()]
        wait_until("the old key's end", lambda: rotations() == 2, 20, agent)
        wait_until("both are told", lambda: agent.output().count("probe.noticed") >= 2, 5, agent)
        assert agent.output().count("probe.noticed") == 2, agent.output()
    finally:
        agent.stop()
