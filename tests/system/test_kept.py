"""What a person has written into a live file, and a rollback overwrites, is found again by what the agent says to type."""

import os
import re
import subprocess

import pytest
from killing_ground import Ground
from orders import RULE, Host
from processes import wait_until

EDITED = "# managed by certbot, \u00fcber alles\n"


@pytest.fixture(scope="module", params=["one", "text", "link"])
def ground(request):
    with Ground(request.param) as made:
        yield made


@pytest.fixture
def host(ground):
    with Host(ground) as made:
        yield made


def edit(ground):
    """As a person does it, in the live file itself; of a link, to another place. Gives what is there now."""
    live = ground.live("api")
    if ground.switch == "link":
        with open(ground.path("sites", "api-by-hand"), "w", encoding="utf-8") as file:
            file.write(ground.site_text("api", "green"))
        os.unlink(live)
        os.symlink("../sites/api-by-hand", live)
    else:
        with open(live, "a", encoding="utf-8") as file:
            file.write(EDITED)
    return said_by(live)


def said_by(path):
    if os.path.islink(path):
        return os.readlink(path)
    with open(path, "rb") as file:
        return file.read()


def have_it_back(says, live):
    """Types what was said, after it has been seen that it is about this file."""
    command = re.search(r"to have it back: (.*)", says).group(1)
    assert live in command
    subprocess.run(["/bin/sh", "-c", command], check=True, timeout=20)


def kept(agent):
    return wait_until("a word of what is kept", lambda: agent.of("rollback.kept"), child=agent.child)[-1]["says"]


def test_a_hand_edited_live_file_that_a_person_rolls_back_is_kept(host):
    agent = host.start()
    host.cut_over(agent)
    live = host.ground.live("api")
    mine = edit(host.ground)
    done = host.ask("rollback", "--reason", "it is bad")
    assert done.returncode == 0 and "is live, proven in" in done.stdout, done.stderr
    assert said_by(live) != mine
    assert host.ground.served(times=4) == {"b1"}
    says = kept(agent)
    assert host.status()["kept"] == says and says in host.ask("status").stdout
    have_it_back(says, live)
    assert said_by(live) == mine


@pytest.mark.parametrize("instant", ["renamed", "reload", "rollback.closed"])
def test_it_is_kept_though_the_agent_is_killed_in_between(host, instant):
    agent = host.start()
    host.cut_over(agent)
    live = host.ground.live("api")
    mine = edit(host.ground)
    agent.before = host.ground.identities()
    host.order()
    agent.kill(instant, 0, 20)
    assert said_by(live) != mine
    again = host.start()
    wait_until("what is live", lambda: again.of("rollback.recovered", "deployment.baseline"), child=again.child)
    wait_until("what is kept", lambda: host.status()["kept"], child=again.child)
    have_it_back(host.status()["kept"], live)
    assert said_by(live) == mine


@pytest.mark.parametrize("ground", ["one"], indirect=True)
def test_what_was_undone_is_kept_too(host):
    agent = host.start()
    host.cut_over(agent)
    mine = edit(host.ground)
    host.ground.spoil("blue")
    assert host.ask("rollback", "--reason", "it is bad").returncode == 1
    assert agent.wait("rollback.closed")[-1]["outcome"] == "undone"
    assert said_by(host.ground.live("api")) == mine
    says = kept(agent)
    with open(re.search(r"have it back: cp (\S+)", says).group(1), "rb") as file:
        assert file.read() == mine
