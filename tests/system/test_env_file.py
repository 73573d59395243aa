"""An application's own .env, as it is: no configuration, and only what can't be used is unknown."""

import http.server
import json
import subprocess
import threading

import pytest
from conftest import BINARY

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA==\n-----END RSA PRIVATE KEY-----"


class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *unused):
        pass


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/usr/bin"})


def written(tmp_path, text):
    path = tmp_path / ".env.production"
    path.write_bytes(text.encode())
    return str(path)


def test_an_applications_env_file_needs_no_configuration(api, tmp_path):
    path = written(tmp_path, f"\ufeff[production]\r\nJWT_KEY=\"{PEM}\"\r\napp.name=estate\r\nFROM_SHELL\r\nAPI_URL='{api}'\r\nSENTRY_DSN=<dsn>\r\n")
    done = run("--check", "--format", "json", "--env-file", path)
    assert done.returncode == 3, done
    probes = {p["name"]: p for p in json.loads(done.stdout)["probes"]}
    assert {name: p["outcome"] for name, p in probes.items()} == {"api": "pass", "api-detailed": "pass", "sentry": "unknown"}
    assert "SENTRY_DSN" in probes["sentry"]["says"] and "<dsn>" not in done.stdout
    done = run("validate", "--env-file", path)
    assert done.returncode == 0, done
    assert f"note: {path}: passed over line 1 (expected NAME=value), line 5 (expected NAME=value), line 6 (has no =)" in done.stderr
    assert "note: sentry can't be asked: SENTRY_DSN" in done.stderr and "3 probes" in done.stdout


def test_a_line_that_is_not_understood_costs_what_is_made_of_it(api, tmp_path):
    path = written(tmp_path, f"API_URL={api}\nREDIS_URL='redis://127.0.0.1' hunter2\n")
    done = run("--check", "--format", "json", "--env-file", path)
    redis = json.loads(done.stdout)["probes"][0]
    assert (redis["name"], redis["outcome"]) == ("redis", "unknown")
    assert redis["says"] == f"REDIS_URL can't be read: {path}:2: there is something after its closing quote"


def test_an_env_file_that_is_not_there_is_an_error(tmp_path):
    done = run("--check", "--env-file", str(tmp_path / "none"))
    assert done.returncode == 2 and f'--env-file: can\'t read "{tmp_path}/none": No such file or directory' in done.stderr, done
