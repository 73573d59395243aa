"""`flipback watch`: status, live, in a terminal and in a pipe, until something is so."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from conftest import BINARY, Traffic
from processes import wait_until
from test_rollback import cut_over_and_break
from test_verbs import ask, typed


def watch(stack, *words, **how):
    return subprocess.Popen([BINARY, "watch", *words, "--socket", stack.path("flipback.sock")], text=True, **how)


def read_for(terminal, seconds):
    text = b""
    until = time.time() + seconds
    while time.time() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 65536)
    return text.decode()


def test_it_waits_until_a_cutover_is_proven(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    with watch(stack, "--until", "proven", "--for", "20s", stdout=subprocess.PIPE) as child:
        shown = child.communicate(timeout=30)[0]
    assert child.returncode == 0 and re.search(r"^live +green with v1\.1\.0$", shown.split("\n\n")[-2], re.M), shown
    assert re.search(r"^window +open, 14m\d+s left$", shown, re.M) and re.search(r"^ready +yes$", shown, re.M)


def test_what_is_not_seen_any_more_is_not_proven(stack, fast_agent):
    """nginx that hangs leads nobody anywhere, whatever its files say."""
    agent = fast_agent()
    agent.wait("deployment.baseline")
    wait_until("it to be proven", lambda: re.search(r"^live +blue with v1\.0\.0\nproven +since before \d{4}-", ask(stack, "status")[1], re.M))
    os.killpg(stack.nginx.pid, signal.SIGSTOP)
    try:
        status = wait_until("it to be said", lambda: re.search(r"^live .*\(not proven at this moment: the front door has not answered for \d+s: .+\)$",
                                                              ask(stack, "status")[1], re.M))
        assert "\nproven" not in status.string
        with watch(stack, "--until", "proven", "--for", "4s", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            complaints = child.communicate(timeout=30)[1]
        assert child.returncode == 1 and "it is not proven after 4s" in complaints
    finally:
        os.killpg(stack.nginx.pid, signal.SIGCONT)
    with watch(stack, "--until", "proven", "--for", "20s", stdout=subprocess.DEVNULL) as child:
        assert child.wait(timeout=30) == 0


def test_it_waits_until_all_is_quiet_and_not_for_ever(stack, fast_agent):
    agent = fast_agent("observe")
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="breached")
    with watch(stack, "--until", "quiet", "--for", "2s", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        shown, complaints = child.communicate(timeout=30)
    assert child.returncode == 1 and f"it is not quiet after 2s; type `{typed(stack)} status`" in complaints
    assert re.search(r"^breached +error-rate: traffic\.error_rate over .* the limit is > 5%, for \d+s$", shown, re.M), shown
    identity = agent.of("incident.began")[0]["incident"]
    assert re.search(rf"^incident +{identity} is not over\ntype +`flipback (--socket \S+ )?incidents {identity}`$", shown, re.M), shown
    assert max(len(screen.splitlines()) for screen in shown.split("\n\n")) <= 24
    stack.mend("green")
    with watch(stack, "--until", "quiet", stdout=subprocess.PIPE) as child:
        child.communicate(timeout=60)
    assert child.returncode == 0


def test_on_a_terminal_it_paints_and_leaves_the_screen_whole_when_interrupted(stack, fast_agent):
    fast_agent().wait("deployment.baseline")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with watch(stack, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        first = read_for(ours, 1)
        assert "\x1b[H" in first and re.search(r"live +blue with v1\.0\.0", first)
        assert ask(stack, "hold", "--for", "1h", "--reason", "a sale")[0] == 0
        later = read_for(ours, 2)
        assert "a sale" in later and later.count("\x1b[H") <= 11
        child.send_signal(2)
        assert child.wait(timeout=10) == 0
    os.close(ours)
    os.close(theirs)


def test_without_an_agent_it_ends(stack, fast_agent):
    agent = fast_agent()
    agent.wait("deployment.baseline")
    with watch(stack, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        wait_until("the first screen", lambda: select.select([child.stdout], [], [], 0.1)[0])
        agent.child.stop()
        complaints = child.communicate(timeout=30)[1]
    assert child.returncode == 2 and "no agent listens on" in complaints
    for wrong in ("0s", "soon"):
        done = subprocess.run([BINARY, "watch", "--for", wrong], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2 and "expected a duration" in done.stderr
