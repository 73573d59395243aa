"""The documents' examples are configurations that the agent takes."""

import os
import re
import subprocess

import pytest
from conftest import BINARY, ROOT

WHOLE = re.compile(r"^\[(probes\.\w+|deployment|nginx)\]$", re.MULTILINE)


def examples():
    for document in ("README.md", os.path.join("probes", "README.md")):
        with open(os.path.join(ROOT, document), encoding="utf-8") as file:
            blocks = re.findall(r"^```toml\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
        for block in blocks:
            if found := WHOLE.search(block):
                yield pytest.param(block, id=f"{document}:{found[1]}")


def test_there_are_examples():
    assert len(list(examples())) >= 25


@pytest.mark.parametrize("example", examples())
def test_an_example_is_valid(tmp_path, example):
    (tmp_path / "secret").write_text("hunter2\n")
    text = re.sub(r'(\w+_file\s*=\s*)"[^"]*"', rf'\1"{tmp_path}/secret"', example)
    (tmp_path / "flipback.toml").write_text(text)
    done = subprocess.run([BINARY, "validate", tmp_path / "flipback.toml"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
