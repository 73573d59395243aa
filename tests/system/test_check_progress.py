"""What `--check` shows on a terminal while it asks: one line on standard error, gone at the end; in a pipe nothing."""

import os
import pty
import re
import select
import socket
import subprocess
import time
from contextlib import contextmanager
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ

import pytest
from conftest import BINARY


@pytest.fixture
def configuration(tmp_path):
    """A probe that passes at once, and one that is answered by nobody for two seconds."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        path = tmp_path / "flipback.toml"
        path.write_text('[probes.disk]\ntype = "disk"\npaths = ["/"]\n'
                        f'[probes.deaf]\ntype = "http"\nurl = "http://127.0.0.1:{deaf.getsockname()[1]}/"\ntimeout = "2s"\n')
        yield str(path)


@contextmanager
def terminal(columns):
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def shown_by(configuration, *words, columns=80, kind="xterm", interrupt_after=None):
    """What comes to the terminal, by when: [(seconds, text)]; what comes to standard output; the exit status."""
    with terminal(columns) as (ours, theirs):
        began = time.monotonic()
        child = subprocess.Popen([BINARY, "--check", "--config", configuration, *words], stdout=subprocess.PIPE, stderr=theirs, text=True, env=dict(os.environ, TERM=kind))
        os.close(theirs)
        came = []
        while time.monotonic() - began < 60:
            if interrupt_after and time.monotonic() - began > interrupt_after:
                child.send_signal(2)
                interrupt_after = None
            if not select.select([ours], [], [], 0.05)[0]:
                continue
            try:
                text = os.read(ours, 65536).decode()
            except OSError:
                break  # nobody has the other end any more
            came.append((time.monotonic() - began, text))
        printed, _ = child.communicate(timeout=20)
    return came, printed, child.returncode


def screen_after(text):
    """The terminal's last line, as it is left."""
    line = ""
    for piece in re.split(r"(\r|\033\[K|\n)", text):
        if piece == "\033[K":
            line = ""
        elif piece not in ("\r", "\n"):
            line += piece
    return line


def test_on_a_terminal_it_says_how_many_are_answered_and_which_are_awaited_and_takes_it_away(configuration):
    came, printed, status = shown_by(configuration)
    text = "".join(piece for _, piece in came)
    assert status == 1 and "✗ deaf" in printed and "\033" not in printed
    assert "1 of 2 answered, waiting for deaf" in text
    assert text.endswith("\r\033[K") and screen_after(text) == "" and "\n" not in text


def test_it_is_painted_where_it_changes_and_at_most_five_times_a_second(configuration):
    came, _, _ = shown_by(configuration)
    assert "".join(piece for _, piece in came).count("waiting for") == 1
    assert came[0][0] >= 0.19, "what is answered at once is not worth a line"


def test_a_check_that_ends_at_once_paints_nothing(configuration):
    came, printed, status = shown_by(configuration, "--only", "disk")
    assert status == 0 and "✓ disk" in printed and came == []


def test_a_narrow_terminal_is_not_written_past(configuration):
    came, _, _ = shown_by(configuration, columns=24)
    lines = [line for line in re.split(r"\r|\033\[K", "".join(piece for _, piece in came)) if line]
    assert lines == ["1 of 2 answered, waitin"]


def test_interrupted_it_leaves_no_line_behind(configuration):
    came, printed, status = shown_by(configuration, interrupt_after=1)
    assert screen_after("".join(piece for _, piece in came)) == "" and status == 3 and "? deaf" in printed


def test_while_it_waits_it_says_for_how_long_still(configuration):
    came, _, _ = shown_by(configuration, "--wait", "4s")
    text = "".join(piece for _, piece in came)
    assert re.search(r"\r\033\[Kwaiting for deaf: \ds left", text), text
    assert re.search(r"waiting for deaf \(timed out after 2s", text) and screen_after(text) == ""


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_can_not_erase_is_shown_nothing(configuration, kind):
    came, printed, _ = shown_by(configuration, kind=kind)
    assert came == [] and "✗ deaf" in printed


def test_in_a_pipe_nothing_is_shown(configuration):
    done = subprocess.run([BINARY, "--check", "--config", configuration], capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ, TERM="xterm"))
    assert done.stderr == "" and done.returncode == 1
