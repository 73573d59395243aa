"""The documents' examples are configurations that the agent takes, and what the agent says is in the README."""

import glob
import os
import re
import shlex
import subprocess

import pytest
from conftest import BINARY, ROOT

WHOLE = re.compile(r"^\[(probes\.\w+|targets\.\w+|deployment|nginx)\]$", re.MULTILINE)


DOCUMENTS = sorted(os.path.relpath(path, ROOT) for path in [*glob.glob(os.path.join(ROOT, "*.md")), *glob.glob(os.path.join(ROOT, "*", "README.md")),
                                                            *glob.glob(os.path.join(ROOT, "packaging", "docs", "*.md"))])


def examples():
    for document in DOCUMENTS:
        with open(os.path.join(ROOT, document), encoding="utf-8") as file:
            blocks = re.findall(r"^```toml\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
        for block in blocks:
            if (found := WHOLE.search(block)) and not block.startswith("user "):  # that is the helper's: tests/system/test_helper.py
                yield pytest.param(block, id=f"{document}:{found[1]}")


def test_every_kind_of_target_has_its_section_and_an_example():
    registered = set(re.findall(r'target_kind\{"(\w+)"', text_of("agent", "notify", "registry.cpp")))
    sections = page("notifications.md").split("\n## Targets\n", 1)[1].split("\n## ", 1)[0].split("\n### ")[1:]
    assert len(registered) >= 9 and {section.split("\n", 1)[0] for section in sections} == registered
    for section in sections:
        assert f'= "{section.split(chr(10), 1)[0]}"' in section.split("```toml", 1)[1]


def test_there_are_examples():
    assert len(list(examples())) >= 25


@pytest.mark.parametrize("example", examples())
def test_an_example_is_valid(tmp_path, example):
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "address").write_text("https://hooks.slack.com/services/T000/B000/XXXX\n")
    text = re.sub(r'(\w+_file\s*=\s*)"[^"]*"', rf'\1"{tmp_path}/secret"', example)
    text = re.sub(r'(webhook_file\s*=\s*)"[^"]*"', rf'\1"{tmp_path}/address"', text)
    (tmp_path / "flipback.toml").write_text(text)
    done = subprocess.run([BINARY, "validate", tmp_path / "flipback.toml"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def text_of(*document):
    with open(os.path.join(ROOT, *document), encoding="utf-8") as file:
        return file.read()


def page(name):
    return text_of("packaging", "docs", name)


def sources():
    for path in glob.glob(os.path.join(ROOT, "agent", "**", "*.cpp"), recursive=True):
        with open(path, encoding="utf-8") as file:
            yield path, file.read()


def told_kinds():
    """Every text that has the shape of an event's kind, in files that make events."""
    kinds = set()
    for _, text in sources():
        if re.search(r"\bevent\b|\btell_?\(|\btold_as\(", text):
            kinds |= set(re.findall(r'"([a-z]+\.[a-z]+(?:_[a-z]+)*)"', text))
    return kinds - {"nginx.service", "index.html", "openapi.json"}  # a unit of systemd's, files of the page and the API


def test_every_kind_of_event_is_documented_and_no_other():
    table = page("events.md").split("| kind | when |", 1)[1].split("\n\n", 1)[0]
    documented = {kind for row in table.splitlines() for kind in re.findall(r"`(\w+\.\w+)`", row.split(" | ")[0])}
    assert len(documented) > 40
    assert told_kinds() == documented


def test_no_event_is_made_in_a_way_that_the_test_above_does_not_see():
    made = set()
    for _, text in sources():
        made |= set(re.findall(r'(?:\bevent(?: \w+)?\{|\btell_?\(\{?|\btold_as\((?:t, by, )?)\s*"([^"]+)"', text))
    assert len(made) > 25
    assert made <= told_kinds()


def test_every_metric_of_the_agents_own_is_documented():
    names = {name for _, text in sources() for name in re.findall(r'"(flipback_[a-z_]+)"', text)}
    assert len(names) > 15
    assert [name for name in sorted(names) if f"`{name}`" not in page("events.md")] == []


WITHOUT_AN_AGENT = {"init", "validate", "replay", "version"}


def subcommands(*of):
    shown = subprocess.run([BINARY, *of, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    return re.findall(r"^  ([a-z]+) ", shown.split("Subcommands:", 1)[1], re.MULTILINE)


def test_every_verb_has_its_row():
    rows = re.findall(r"^\| `([a-z ]+?)(?: [A-Z\[-][^`]*)?` \| `flipback ", page("verbs.md"), re.MULTILINE)
    of_several_words = ("window", "notify")
    verbs = set(subcommands()) - WITHOUT_AN_AGENT - set(of_several_words)
    verbs |= {f"{first} {name}" for first in of_several_words for name in subcommands(first)}
    assert set(rows) == verbs


def test_every_example_of_a_verb_is_a_command_line_that_it_takes(tmp_path):
    lines = re.findall(r"^\| `[^`]+` \| `flipback ([^`]+)` \|", page("verbs.md"), re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        asked = subprocess.run([BINARY, *shlex.split(line), "--socket", tmp_path / "none"], capture_output=True, text=True, timeout=20, check=False)
        assert "no agent listens on" in asked.stderr, f"{line}: {asked.stderr}"


def test_what_events_tell_to_type_is_a_command_line_that_it_takes(tmp_path):
    typed = {line for _, text in sources() for line in re.findall(r"`flipback ([a-z]+(?: [^`{]+)?)`", text)}
    assert {"approve", "rollback --reason TEXT", "unhold"} <= typed
    for line in typed:
        if line.split()[0] in WITHOUT_AN_AGENT:
            asked = subprocess.run([BINARY, *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
            assert "--help` says what is expected" not in asked.stderr, f"{line}: {asked.stderr}"
            continue
        asked = subprocess.run([BINARY, *shlex.split(line), "--socket", tmp_path / "none"], capture_output=True, text=True, timeout=20, check=False)
        assert "no agent listens on" in asked.stderr, f"{line}: {asked.stderr}"


@pytest.mark.parametrize("verb", [["status"], ["window", "close"], ["hold", "--for", "1h", "--reason", "x"]])
def test_the_configuration_may_stand_before_and_after_a_verb(tmp_path, verb):
    file = tmp_path / "flipback.toml"
    file.write_text(f'[agent]\nlisten = ""\nsocket = "{tmp_path}/its-own"\n[probes.a]\ntype = "tcp"\naddress = "127.0.0.1:9"\n')
    for words in (["--config", file, *verb], [*verb, "--config", file]):
        asked = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=20, check=False)
        assert (asked.returncode, f"no agent listens on {tmp_path}/its-own" in asked.stderr) == (2, True), asked.stderr


def test_a_configuration_that_is_not_there_asks_no_other_agent(tmp_path):
    asked = subprocess.run([BINARY, "--config", tmp_path / "none.toml", "status"], capture_output=True, text=True, timeout=20, check=False)
    assert asked.returncode == 2 and "can't read --config" in asked.stderr, asked.stderr


def test_the_first_page_is_short_and_names_tests_that_there_are():
    assert len(text_of("README.md").splitlines()) <= 200
    there = {name for path in glob.glob(os.path.join(ROOT, "tests", "system", "test_*.py")) for name in re.findall(r"^def (test_\w+)\(", text_of(path), re.MULTILINE)}
    named = re.findall(r"^\| .* \| `(test_\w+)` \|$", text_of("README.md"), re.MULTILINE)
    assert len(named) >= 10 and set(named) <= there, set(named) - there


def test_every_page_is_linked_from_the_first():
    linked = set(re.findall(r"\]\(([^)#]+\.md)", text_of("README.md")))
    assert set(DOCUMENTS) - {"README.md"} <= linked


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_every_link_within_the_documents_leads_somewhere(document):
    def anchors(path):
        with open(path, encoding="utf-8") as file:
            headings = re.findall(r"^#+ (.*)$", file.read(), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        links = re.findall(r"\]\(((?!https?:)[^)]+)\)", file.read())
    for link in links:
        path, _, anchor = link.partition("#")
        target = os.path.join(ROOT, os.path.dirname(document), path) if path else os.path.join(ROOT, document)
        assert os.path.exists(target), link
        assert not anchor or anchor in anchors(target), link
