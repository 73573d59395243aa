"""The HTTP API against its own document: whatever is sent, no answer is a server's failure, and none is undocumented."""

import os
import subprocess

import pytest
from api_client import TOKEN
from test_api import served  # noqa: F401

SERVERS = os.environ.get("FLIPBACK_SERVERS") or os.path.expanduser("~/.cache/flipback/servers")
SETTINGS = """
[phases.coverage]
unexpected-methods = ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"]
"""


@pytest.mark.parametrize("token", [TOKEN, "another-token-0123456789"], ids=["who_may", "who_may_not"])
def test_whatever_is_sent_is_answered_as_documented(stack, served, tmp_path, token):  # noqa: F811
    agent, client = served()
    agent.wait("deployment.baseline")
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    done = subprocess.run([os.path.join(SERVERS, "schemathesis", "bin", "schemathesis"), "--config-file", tmp_path / "schemathesis.toml", "run",
                           "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"
                           "unsupported_method,use_after_free,ensure_resource_availability",
                           # Streams end with whoever reads them; their own tests are in test_api.py.
                           "--exclude-path", "/api/v1/events", "--max-examples", "40", "--seed", "1", "--no-color", "--header", f"Authorization: Bearer {token}",
                           f"http://127.0.0.1:{client.port}/api/v1/openapi.json"], capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    print(done.stdout[-20000:], done.stderr)
    assert done.returncode == 0
    told = {e["kind"] for e in agent.update()}
    assert agent.child.alive() and "agent.task_failed" not in told
    # The documented example puts green live: who may has it so, and nobody else.
    assert ("flip.decided" in told) == (token == TOKEN) and (token == TOKEN or "rollback.decided" not in told)
