"""A key that is read must do something: what the configuration's structs hold is used where something is done with it.

That each key is read into one of them is tests/agent/config/keys_test.cpp's to hold.
"""

import glob
import os
import re

import pytest
from conftest import ROOT

FIELD = re.compile(r"^  (?!friend)[\w:<>, ]+?\s(\w+)(?:\{\}|\s*=\s*[^;]+)?;", re.MULTILINE)
READERS = os.path.join("agent", "config")


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return re.sub(r"//[^\n]*", "", file.read())


def fields(header, struct):
    text = text_of(header)
    body = re.search(rf"^struct {struct} {{\n(.*?)^}};", text, re.MULTILINE | re.DOTALL)[1]
    return FIELD.findall(body)


def sources():
    for room in ("agent", "rules", "probes"):
        for path in glob.glob(os.path.join(ROOT, room, "**", "*.[ch]pp"), recursive=True):
            path = os.path.relpath(path, ROOT)
            if not path.startswith(READERS + os.sep) or path.endswith(("make_probes.cpp", "slot_twins.cpp", "catalogue.cpp")):
                yield path


ALL = "\n".join(text_of(path) for path in sources())
# Held by another field as well, which is the one that is used.
ELSEWHERE = {"slot.site": "live_file.of_slots"}
STRUCTS = {READERS + "/configuration.hpp": ("agent", "record", "nginx", "deployment", "front_door", "live_file", "slot"),
           "rules/rule.hpp": ("rule_source",)}


def every_field():
    for header, structs in STRUCTS.items():
        for struct in structs:
            for field in fields(header, struct):
                if f"{struct}.{field}" not in ELSEWHERE:
                    yield pytest.param(struct, field, id=f"{struct}.{field}")


def test_the_structs_are_found():
    found = [p.id for p in every_field()]
    assert len(found) >= 70 and {"agent.listen", "nginx.pid_command", "slot.checks", "rule_source.mode", "front_door.timeout"} <= set(found)


@pytest.mark.parametrize(("struct", "field"), every_field())
def test_a_field_is_used_outside_of_the_readers(struct, field):
    assert re.search(rf"(?:\.|->|::){field}\b", ALL), f"{struct}.{field} is read from the configuration, and nothing is done with it"
