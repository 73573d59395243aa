"""The helper's units, as systemd itself reads them."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

UNITS = os.path.join(ROOT, "packaging", "systemd")
MOST_EXPOSED = 23  # in tenths

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(*words):
    return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_takes_them_as_they_are(tmp_path):
    for name in ("flipback-helper.socket", "flipback-helper.service"):
        with open(os.path.join(UNITS, name), encoding="utf-8") as file:
            # What they start, and their manual page, are installed with the package.
            (tmp_path / name).write_text(re.sub("^ExecStart=.*", "ExecStart=/bin/true", file.read(), flags=re.MULTILINE))
    done = analyze("verify", "--man=no", tmp_path / "flipback-helper.socket", tmp_path / "flipback-helper.service")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_helper_is_shut_in_as_far_as_nginx_s_own_test_lets_it_be():
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", os.path.join(UNITS, "flipback-helper.service"))
    assert done.returncode == 0, done.stdout
