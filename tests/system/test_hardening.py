"""What Debian's hardening asks of a binary, read from those that are tested."""

import os
import re
import subprocess

import pytest
from conftest import BINARY

HELPER = os.path.join(os.path.dirname(BINARY), "flipback-helper")
MAIL = os.path.join(os.path.dirname(BINARY), "flipback-mail")
each = pytest.mark.parametrize("binary", [BINARY, HELPER, MAIL], ids=os.path.basename)


def readelf(binary, *words):
    return subprocess.run(["readelf", "-W", *words, binary], capture_output=True, text=True, check=True, timeout=60).stdout


@each
def test_the_binary_is_position_independent_and_its_relocations_are_read_only(binary):
    assert re.search(r"Type:\s+DYN", readelf(binary, "-h"))
    dynamic = readelf(binary, "-d")
    assert re.search(r"FLAGS_1.*\bNOW\b", dynamic) and re.search(r"FLAGS_1.*\bPIE\b", dynamic) and "TEXTREL" not in dynamic
    segments = readelf(binary, "-l")
    assert "GNU_RELRO" in segments
    [stack] = [line for line in segments.splitlines() if "GNU_STACK" in line]
    assert " RW " in stack and "RWE" not in stack


@each
def test_the_stack_is_guarded_and_copies_are_checked(binary):
    symbols = readelf(binary, "--dyn-syms")
    assert "__stack_chk_fail@" in symbols
    assert re.search(r"__(memcpy|memmove|read|snprintf|vsnprintf|strcpy|fprintf|recv)_chk@", symbols)


@each
def test_jumps_land_where_they_are_meant_to(binary):
    """The linker marks the whole only where each part of it is marked, and not every library's is: so code of ours is looked at."""
    if "X86-64" not in readelf(binary, "-h"):
        return  # the only processor of ours that has it
    main = next(int(line.split()[1], 16) for line in readelf(binary, "--syms").splitlines() if line.endswith(" main"))
    code = subprocess.run(["objdump", "-d", f"--start-address={main}", f"--stop-address={main + 16}", binary], capture_output=True, text=True, check=True,
                          timeout=60).stdout
    assert "endbr64" in code
