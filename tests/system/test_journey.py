"""The journey probe against FastAPI as its guides have it: a token by OAuth 2's password form, and what it opens."""

import os
import time

import pytest
from api_server import ApiServer
from conftest import is_now
from faulty import Faulty, answer, echo, hung
from nginx_server import Nginx
from processes import free_port

SECRET = "hunter2"

ME = """
[[probes.it.steps]]
name = "me"
path = "/api/v1/users/me"
headers = { Authorization = "Bearer {token}" }
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as started:
        yield started


@pytest.fixture
def walk(probe):
    """Runs a journey; no sentence may have a password in it, nor a token."""

    def run(url, steps, more="", environment=None):
        entry = probe("journey", f'url = "{url}"\n{more}\n{steps}', environment=environment)
        assert SECRET not in str(entry), entry
        return entry

    return run


def login(password=ApiServer.password, more=""):
    return f"""
[[probes.it.steps]]
name = "token"
method = "POST"
path = "/api/v1/auth/token"
form = {{ username = "test@example.com", password = "{password}" }}
capture = {{ token = "/access_token" }}
{more}
"""


def test_a_user_logs_in_and_is_known(walk, api):
    expect = 'expect = { status = 200, "/token_type" = "bearer", "/access_token" = { present = true } }'
    entry = is_now(walk(api.url, login(more=expect) + ME + 'expect = { "/email" = "test@example.com", "/roles" = { contains = "reader" } }'), "pass", says="token ")
    assert "me " in entry["says"]
    measured = entry["measurements"]
    assert measured["token.seconds"] > 0 and measured["me.seconds"] > 0
    assert measured["steps_passed"] == 2 and measured["limited"] == 0


def test_the_failing_step_is_named_and_ends_the_journey(walk, api):
    before = len(api.asked())
    entry = is_now(walk(api.url, login() + ME + 'expect = { "/email" = "other@example.com" }' + ME.replace('"me"', '"again"')),
                   "fail", "expectation", 'step me: /email is "test@example.com", expected "other@example.com"')
    assert entry["measurements"]["steps_passed"] == 1 and "again.seconds" not in entry["measurements"]
    assert [asked.rsplit(" ", 1)[0] for asked in api.asked()[before:]] == ["POST /api/v1/auth/token", "GET /api/v1/users/me"]
    is_now(walk(api.url, login() + ME.replace("/users/me", "/nowhere")), "fail", "bad status", "step me: answered 404, expected 200")


def test_a_wrong_password_is_tried_once(walk, api):
    before = len(api.asked())
    is_now(walk(api.url, login("hunter2-wrong") + ME), "fail", "unauthorised", "step token: answered 401, expected 200")
    assert api.asked()[before:] == ["POST /api/v1/auth/token 401"]


def test_a_login_refused_with_400_is_one_too(walk, tmp_path):
    """So FastAPI's first guide answers, and OAuth 2 itself."""
    with ApiServer(tmp_path / "api", LOGIN_REFUSAL="400") as guide:
        is_now(walk(guide.url, login("hunter2-wrong")), "fail", "unauthorised", "step token: answered 400, expected 200")


def test_a_token_that_opens_nothing(walk, api):
    """The server repeats the token that it does not know; nobody is told."""
    steps = login().replace("/access_token", "/token_type") + ME + 'expect = { status = 401, "/detail" = "x" }'
    is_now(walk(api.url, steps), "fail", "expectation", 'step me: /detail is "no such token: ***"')
    is_now(walk(api.url, login().replace("/access_token", "/token_type") + ME), "fail", "unauthorised", "step me: answered 401")


def test_a_captured_token_is_not_shown(walk, api):
    post = '[[probes.it.steps]]\nname = "echo"\npath = "/api/v1/echo"\njson = { say = "{token}" }\nexpect = { "/say" = "x" }'
    entry = is_now(walk(api.url, login() + post), "fail", "expectation", 'step echo: /say is "***", expected "x"')
    assert len(entry["says"]) < 60
    is_now(walk(api.url, login(more='expect = { "/access_token" = "x" }')), "fail", "expectation", 'step token: /access_token is "***", expected "x"')


def test_fastapi_takes_the_form_as_a_form_only(walk, api):
    as_json = login().replace("form =", "json =")
    is_now(walk(api.url, as_json), "fail", "bad status", "step token: answered 422")
    is_now(walk(api.url, as_json.replace("/auth/token", "/auth/json") + ME), "pass")


def test_the_password_comes_from_a_file_or_the_environment_as_it_is(walk, api, tmp_path):
    (tmp_path / "password").write_text(ApiServer.password + "\n", encoding="utf-8")
    is_now(walk(api.url, login().replace(f'password = "{ApiServer.password}"', f'password_file = "{tmp_path}/password"') + ME), "pass")
    is_now(walk(api.url, login("${LOGIN_PASSWORD}") + ME, environment={"LOGIN_PASSWORD": ApiServer.password}), "pass")
    is_now(walk(api.url, login("${LOGIN_PASSWORD}") + ME, environment={"LOGIN_PASSWORD": "hunter2{token}"}), "fail", "unauthorised")


def test_captured_values_are_encoded_where_they_go(walk, api):
    steps = login() + ME + 'capture = { id = "/id" }' + '[[probes.it.steps]]\nname = "user"\npath = "/api/v1/users/{id}"\nexpect = { "/who" = "a/b c" }'.join(("\n", ""))
    is_now(walk(api.url, steps), "pass")


def test_a_step_elsewhere_gets_only_what_it_was_given(walk, api):
    seen = []

    def keeps(client, request, _ended):
        seen.append(request.decode())
        client.sendall(answer(b"{}"))

    with Faulty(keeps) as other:
        steps = login() + f'[[probes.it.steps]]\nname = "other"\nurl = "http://127.0.0.1:{other.port}/x"\n' + ME
        is_now(walk(api.url, steps, 'host = "api.test"'), "pass")
    assert "api.test" not in seen[0] and "Authorization" not in seen[0] and seen[0].startswith("GET /x HTTP/1.1")


def test_what_is_not_there_to_capture(walk, api):
    is_now(walk(api.url, login().replace("/access_token", "/token") + ME), "fail", "expectation", "step token: /token is not there, where token is captured")
    with Faulty(echo("200 OK")) as server:
        is_now(walk(f"http://127.0.0.1:{server.port}", login().replace("/access_token", "/errors")), "fail", "expectation", "/errors is an object or an array")


def test_the_step_at_which_the_time_ran_out_is_named(walk, api):
    with Faulty(hung) as server:
        began = time.monotonic()
        steps = login() + f'[[probes.it.steps]]\nname = "slow"\nurl = "http://127.0.0.1:{server.port}/"\n'
        is_now(walk(api.url, steps, 'timeout = "1s"'), "fail", "timed out", "step slow: timed out after 1s while waiting for the answer")
        assert time.monotonic() - began < 5
    is_now(walk(f"http://127.0.0.1:{free_port()}", login()), "fail", "refused", "step token: ")


def test_one_connection_serves_all_steps(walk, tmp_path):
    with Nginx(tmp_path / "nginx", {"api": 'location / { return 200 "$connection $connection_requests"; }'}, "log_format c '$connection'; access_log log c;") as nginx:
        steps = "".join(f'[[probes.it.steps]]\nname = "s{i}"\npath = "/{i}"\n' for i in range(5))
        is_now(walk(f"http://127.0.0.1:{nginx.ports['api']}", steps), "pass")
        with open(nginx.path("log"), encoding="ascii") as log:
            assert len(set(log.read().split())) == 1


def test_a_limited_step_says_nothing_of_the_service(walk, tmp_path):
    with Nginx(tmp_path / "nginx", {"api": "location / { limit_req zone=few; limit_req_status 429; try_files /page =404; }"},
               "limit_req_zone $server_port zone=few:1m rate=1r/m;") as nginx:
        with open(os.path.join(nginx.folder, "html", "page"), "w", encoding="ascii") as page:
            page.write("page")
        steps = "".join(f'[[probes.it.steps]]\nname = "s{i}"\npath = "/{i}"\n' for i in range(2))
        entry = is_now(walk(f"http://127.0.0.1:{nginx.ports['api']}", steps), "unknown", "limited", "step s1: answered 429")
        assert entry["measurements"]["limited"] == 1 and entry["measurements"]["steps_passed"] == 1
