"""`--check --format junit`, held against the schema that Jenkins reads."""

import os
import subprocess
from xml.etree import ElementTree

from test_check_formats import answering, check  # noqa: F401


def junit_is_valid(text, folder):
    """By the schema that Jenkins reads, as pytest's own tests have it."""
    path = folder / "junit.xml"
    path.write_text(text, encoding="utf-8")
    root = ElementTree.parse(path).getroot()
    servers = os.environ.get("FLIPBACK_SERVERS") or os.path.expanduser("~/.cache/flipback/servers")
    schema = os.path.join(servers, "junit", "junit-10.xsd")
    done = subprocess.run(["xmllint", "--noout", "--schema", schema, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def test_junit_is_what_its_schema_wants(tmp_path, answering):
    done = check(tmp_path, "junit")
    assert done.returncode == 1
    suite = junit_is_valid(done.stdout, tmp_path).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    cases = {case.get("name"): case for case in suite}
    assert "refused" in cases["dead"].find("failure").get("message") and cases["named"].find("error") is not None
    assert len(cases["disk"]) == 1 and float(cases["dead"].get("time")) < 5
    hostile = junit_is_valid(check(tmp_path, "junit", answering).stdout, tmp_path)
    assert "<b>&| # it's = 1" in hostile.find(".//failure").get("message")
