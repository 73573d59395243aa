"""What becomes of a rollback that goes wrong on its way: a reload that lies or is refused, a kill and then somebody's mistake, a full disk."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest
from conftest import BINARY
from file_systems import FileSystems
from killing import Life
from killing_ground import Ground
from orders import RULE, Host
from processes import wait_until

@pytest.fixture(scope="module")
def ground():
    with Ground("one") as made:
        yield made


@pytest.fixture
def host(ground):
    with Host(ground) as made:
        yield made


@pytest.mark.parametrize("and_then", ["exit 1", "sleep 100"])
def test_a_reload_command_that_reloads_and_then_fails_or_hangs_is_judged_by_what_users_reach(host, and_then):
    host.with_reload(f"kill -HUP $(cat {host.ground.path('nginx.pid')}); {and_then}\n")
    agent = host.start()
    host.cut_over(agent)
    done = host.ask("rollback", "--reason", "it is bad")
    assert done.returncode == 0 and "is live, proven in" in done.stdout, done.stderr
    assert agent.wait("rollback.closed")[-1]["outcome"] == "rolled back"
    host.all_say("blue")


def test_after_a_reload_command_that_does_nothing_and_says_ok_the_file_says_what_users_reach(host):
    host.with_reload("exit 0\n")
    host.text = host.text.replace("[deployment]\n", '[deployment]\nprove_within = "1s"\n')
    agent = host.start()
    host.cut_over(agent)
    done = host.ask("rollback", "--reason", "it is bad")
    closed = agent.wait("rollback.closed")[-1]
    assert done.returncode == 1 and "nginx started no new workers" in done.stderr
    assert closed["outcome"] in ("undone", "not undone") and closed["reached"] in ("green", "can't tell"), closed
    host.all_say("green")


@contextlib.contextmanager
def ordered_and_installed(host):
    """A person waits at `flipback rollback`, and the live file has been replaced."""
    person = subprocess.Popen([BINARY, "rollback", "--reason", "it is bad", "--socket", host.ground.path("state", "flipback.sock")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until("the install", lambda: host.ground.named() == ["blue"])
        yield person
    finally:
        person.kill()
        person.communicate()


def test_stopped_in_the_middle_of_an_ordered_rollback_the_agent_says_what_is_so_before_it_goes(host):
    host.with_reload("exec sleep 100\n")
    agent = host.start()
    host.cut_over(agent)
    with ordered_and_installed(host) as person:
        os.kill(agent.child.pid, signal.SIGTERM)
        printed, complaints = person.communicate(timeout=20)
    assert (person.returncode, printed) == (1, "")
    assert complaints == ("the agent is being stopped while the rollback to blue is under way: the switch names blue; "
                          "the agent's next start proves it, or undoes it\n")
    agent.child.process.wait(20)
    assert agent.of("rollback.interrupted")


def test_a_reload_in_the_middle_of_an_ordered_rollback_leaves_the_person_waiting_for_its_end(host):
    host.with_reload(f"sleep 0.3; kill -HUP $(cat {host.ground.path('nginx.pid')})\n")
    agent = host.start()
    host.cut_over(agent)
    with ordered_and_installed(host) as person:
        os.kill(agent.child.pid, signal.SIGHUP)
        printed, complaints = person.communicate(timeout=20)
    assert person.returncode == 0 and "is live, proven in" in printed, complaints
    agent.wait("config.reloaded")
    assert host.ask("status").returncode == 0


@contextlib.contextmanager
def somebodys_mistake(ground):
    with open(ground.path("nginx.conf"), encoding="utf-8") as file:
        right = file.read()
    try:
        with open(ground.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(right + "this is no directive;\n")
        yield
    finally:
        with open(ground.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(right)


def test_killed_after_the_reload_with_somebodys_mistake_in_nginx_conf_the_failed_slot_is_not_put_back(host):
    agent = host.start()
    host.cut_over(agent)
    host.order()
    agent.kill("reload", 0, 20)
    wait_until("blue", lambda: host.ground.served(times=4) == {"b1"})
    with somebodys_mistake(host.ground):
        again = host.start()
        told = again.wait("rollback.recovered")[-1]
        assert told["reached"] == "blue" and told["outcome"] == "unproven" and "nginx refuses its configuration" in told["says"], told
        assert host.ground.named() == ["blue"] and host.ground.served(times=4) == {"b1"}
    assert host.ground.leftovers() == []


def test_killed_before_the_reload_with_somebodys_mistake_in_nginx_conf_the_file_says_what_users_reach(host):
    host.with_slow_test()
    agent = host.start()
    host.cut_over(agent)
    host.order()
    agent.kill("renamed", 0, 20)
    assert host.ground.named() == ["blue"] and host.ground.served(times=4) == {"g1"}
    with somebodys_mistake(host.ground):
        again = host.start()
        told = again.wait("rollback.recovered")[-1]
        assert told["reached"] == "green" and told["outcome"] == "undone", told
        assert host.ground.named() == ["green"] and host.ground.served(times=4) == {"g1"}


def test_killed_with_the_reload_refused_it_is_undone_and_said_so(host):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        agent = host.start()
        host.cut_over(agent)
        site = host.ground.site("api", "blue")
        right = host.ground.site_text("api", "blue")
        try:
            with open(site, "w", encoding="utf-8") as file:  # nginx's test does not bind: only the reload finds out
                file.write(right.replace("  listen", f"  listen 127.0.0.1:{taken.getsockname()[1]};\n  listen", 1))
            host.order()
            agent.kill("reload", 0, 20)
            again = host.start()
            told = again.wait("rollback.recovered")[-1]
        finally:
            with open(site, "w", encoding="utf-8") as file:
                file.write(right)
    assert told["outcome"] == "undone" and told["reached"] in ("green", "can't tell"), told
    wait_until("the baseline", lambda: again.of("deployment.baseline"), child=again.child)
    host.all_say("green")


def test_killed_again_right_after_recovery_the_own_rollback_is_no_cutover(host):
    agent = host.start()
    host.cut_over(agent)
    host.order()
    agent.kill("test", 0, 20)
    again = host.start()
    again.wait("rollback.recovered")
    again.end()
    third = host.start()
    wait_until("what is live", lambda: third.of("rollback.recovered", "deployment.baseline"), child=third.child)
    host.ground.be("blue", "b1", "work")
    wait_until("the breach", lambda: [e for e in third.of("verdict.changed") if e["rule"] == "bad" and e["to"] == "breached"], child=third.child)
    wait_until("a word about it", lambda: third.of("rollback.withheld", "rollback.asked", "rollback.blocked"), child=third.child)
    assert not [e for life in (again, third) for e in life.of("deployment.cutover", "rollback.decided")]
    host.all_say("blue")


def test_with_no_log_an_identity_alone_proves_a_recovery(host):
    host.text = host.ground.configuration(1, RULE, False)
    agent = host.start()
    host.cut_over(agent)
    host.order()
    agent.kill("test", 0, 20)
    again = host.start()
    told = again.wait("rollback.recovered")[-1]
    assert told["outcome"] == "rolled back" and told["reached"] == "blue", told
    host.all_say("blue")


@pytest.fixture
def full_disk(host, tmp_path):
    """The agent's state is on a small disk of its own, which can be filled."""
    with FileSystems(tmp_path) as disks:
        host.text = host.text.replace(f'state = "{host.ground.path("state", "flipback.db")}"', f'state = "{disks.small}/flipback.db"')
        assert disks.small in host.text
        yield disks


def start_within(host, disks):
    path = host.ground.path("state", "flipback.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(host.text)
    life = Life(host.ground, len(host.lives), path, within=disks.within)
    host.lives.append(life)
    return life


def test_a_hold_that_was_confirmed_outlasts_sighup_with_a_disk_that_takes_nothing(host, full_disk):
    agent = start_within(host, full_disk)
    host.cut_over(agent)
    full_disk.fill_up()
    done = host.ask("hold", "--for", "1h", "--reason", "I look at it myself")
    assert done.returncode == 0 and "it is not on disk" in done.stdout, done.stderr
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    host.ground.be("green", "g1", "work")
    blocked = wait_until("the hold's word", lambda: [e for e in agent.of("rollback.blocked") if e["guard"] == "hold"], child=agent.child)
    assert "I look at it myself" in blocked[0]["says"] and not agent.of("rollback.decided")
    host.all_say("green")


def test_the_latch_outlasts_sighup_with_a_disk_that_takes_nothing(host, full_disk):
    agent = start_within(host, full_disk)
    host.cut_over(agent)
    full_disk.fill_up()
    host.ground.be("green", "g1", "work")
    assert agent.wait("rollback.closed")[-1]["outcome"] == "rolled back"
    wait_until("a word about the disk", lambda: [e for e in agent.of("store.failed") if "latch" in e["says"]], child=agent.child)
    agent.child.signal(signal.SIGHUP)
    agent.wait("config.reloaded")
    assert host.status()["latched"] is True
    host.ground.be("blue", "b1", "work")
    wait_until("the breach", lambda: [e for e in agent.of("verdict.changed") if e["rule"] == "bad" and e["to"] == "breached"], child=agent.child)
    wait_until("a word about it", lambda: agent.of("rollback.withheld", "rollback.asked", "rollback.blocked"), child=agent.child)
    assert len(agent.of("rollback.decided")) == 1
    host.all_say("blue")


def test_a_disk_that_is_full_since_the_cutover_stops_no_rollback_nor_its_journal_and_what_it_overwrote_is_kept_once_there_is_room(host, full_disk):
    agent = start_within(host, full_disk)
    host.cut_over(agent)
    journal = os.path.join(full_disk.seen, "flipback.journal")
    wait_until("the journal's room", lambda: os.path.exists(journal) and os.path.getsize(journal) > 200_000, child=agent.child)
    full_disk.fill_up()
    done = host.ask("rollback", "--reason", "it is bad")
    assert done.returncode == 0 and "unrecorded" not in done.stdout, done.stdout + done.stderr
    assert not [e for e in agent.of("rollback.step") if e["step"] == "journal"] and not agent.of("rollback.no_room", "rollback.kept")
    host.all_say("blue")
    shutil.copyfile(journal, host.ground.path("state", "flipback.journal"))
    _, _, rows = host.ground.journal()
    assert [json.loads(row)["is"] for row in rows] == ["begun", "put", "tested", "reloading", "reloaded", "looked", "ended"]
    os.unlink(os.path.join(full_disk.seen, "filling"))
    assert f"{full_disk.small}/flipback.incidents/" in agent.wait("rollback.kept")[-1]["says"]


def test_a_state_on_a_disk_that_is_read_only_is_said_once_with_the_cause(host, full_disk):
    subprocess.run([*full_disk.within, "mount", "-o", "remount,ro", full_disk.small], check=True, timeout=20)
    agent = start_within(host, full_disk)
    agent.wait("deployment.baseline")
    [unreadable] = agent.of("store.unreadable")
    assert f"{full_disk.small}/flipback.db.lock: Read-only file system" in unreadable["says"]
    assert "epoch, hold, latch, failures" in unreadable["says"]
    assert "No such file" not in " ".join(e["says"] for e in agent.of("store.trouble", "store.unreadable"))


def test_a_state_that_is_made_immutable_under_the_agent_stops_no_rollback_and_is_written_once_it_can_be(host):
    """As a snapshot tool or a careful admin leaves it."""
    agent = host.start()
    host.cut_over(agent)
    state = host.ground.path("state")
    try:
        subprocess.run(["chattr", "-R", "-f", "+i", state], check=False, timeout=20)  # a socket can't be
        assert subprocess.run(["touch", os.path.join(state, "flipback.db")], check=False, capture_output=True).returncode != 0
        held = host.ask("hold", "--for", "1h", "--reason", "I look at it myself")
        assert held.returncode == 0 and "it is not on disk" in held.stdout, held.stdout + held.stderr
        done = host.ask("rollback", "--reason", "it is bad")
        assert done.returncode == 0 and "unrecorded" in done.stdout, done.stdout + done.stderr
        host.all_say("blue")
        assert agent.child.alive()
    finally:
        subprocess.run(["chattr", "-R", "-f", "-i", state], check=False, timeout=20)
    wait_until("the latch on disk", lambda: [e for e in agent.of("store.stored") if "latch" in e["says"]], 30, child=agent.child)
    agent.child.stop()
    again = host.start()
    wait_until("its look", lambda: again.of("agent.ready"), child=again.child)
    now = host.status()
    assert now["latched"] is True and "I look at it myself" in str(now), now
