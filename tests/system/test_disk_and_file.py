"""The probes of this host's own file systems: what is free, and how old the newest backup is."""

import json
import os
import subprocess
import time

import pytest
from conftest import BINARY, Agent, is_now
from service import Service

HOUR = 3600
# Without root's right to look at everything.
POWERLESS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.getuid() == 0 else []


class Watched(Service):
    """An agent with these probes, which it asks ten times a second."""

    def __init__(self, folder, probes):
        super().__init__(folder)
        self.probes = probes

    def start(self):
        text = f'[agent]\nlisten = ""\nstate = "{self.path("flipback.db")}"\nlog_format = "json"\nlog_level = "debug"\nspread = "1ms"\n'
        for name, table in self.probes.items():
            text += f'[probes.{name}]\nevery = "100ms"\n{table}\n'
        with open(self.path("flipback.toml"), "w", encoding="utf-8") as file:
            file.write(text)
        self.agent = Agent(self, self.path("flipback.toml")).ready()


def df(path):
    """The share that is free, as df has it."""
    told = subprocess.run(["df", "--block-size=1", "--output=used,avail", path], capture_output=True, text=True, check=True).stdout.split()
    used, available = map(int, told[-2:])
    return available / (used + available)


def backup(folder, name, hours_ago=0.0, size=1000):
    path = folder / name
    path.write_bytes(b"x" * size)
    then = time.time() - hours_ago * HOUR
    os.utime(path, (then, then))
    return path


def powerless(tmp_path, kind, table):
    """One entry of `--check`, asked by somebody who may not look at everything."""
    (tmp_path / "powerless.toml").write_text(f'[probes.it]\ntype = "{kind}"\n{table}\n')
    done = subprocess.run([*POWERLESS, BINARY, "--check", "--format", "json", "--config", tmp_path / "powerless.toml"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["probes"][0]


def test_a_disk_has_free_what_df_says(probe, tmp_path):
    entry = is_now(probe("disk", f'paths = "{tmp_path}"'), "pass", says=f"{tmp_path} has ")
    assert entry["measurements"]["free_ratio"] == pytest.approx(df(tmp_path), abs=0.01)
    told = os.statvfs(tmp_path)
    assert entry["measurements"]["free_bytes"] == pytest.approx(told.f_bavail * told.f_frsize, rel=0.05)


def test_a_disk_without_paths_is_the_root(probe):
    is_now(probe("disk", ""), "pass", says="/ has ")


def test_the_least_of_all_paths_is_measured(probe, tmp_path):
    paths = [str(tmp_path), "/dev/shm", "/"]
    entry = is_now(probe("disk", f"paths = {json.dumps(paths)}"), "pass", says="the least of 3: ")
    assert entry["measurements"]["free_ratio"] == pytest.approx(min(map(df, paths)), abs=0.01)


def test_less_than_min_free_fails_and_is_measured_all_the_same(probe, tmp_path):
    entry = is_now(probe("disk", f'paths = "{tmp_path}"\nmin_free = "100%"'), "fail", "expectation", "expected at least 100%")
    assert entry["measurements"]["free_ratio"] < 1


def test_a_path_that_is_not_there_fails_and_nothing_is_measured(probe, tmp_path):
    entry = is_now(probe("disk", f'paths = ["/", "{tmp_path}/gone"]'), "fail", "absent", f"{tmp_path}/gone does not exist")
    assert not entry["measurements"]


def test_a_disk_that_we_may_not_look_at_is_unknown(tmp_path):
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    try:
        entry = powerless(tmp_path, "disk", f'paths = "{tmp_path}/closed/inner"')
    finally:
        (tmp_path / "closed").chmod(0o700)
    is_now(entry, "unknown", "no prerequisite", f"{tmp_path}/closed/inner can't be looked at: Permission denied")


def test_the_newest_of_the_backups_counts(probe, tmp_path):
    backup(tmp_path, "backup_20260101_030000.sql", 30, 4000)
    backup(tmp_path, "backup_20260102_030000.sql", 6, 5000)
    backup(tmp_path, "backup_20260102_030000.sql.sha256", 6)
    entry = is_now(probe("file", f'path = "{tmp_path}/backup_*.sql"\nmax_age = "26h"\nmin_size = "4kB"'), "pass", says="backup_20260102_030000.sql 6h old, ")
    assert entry["measurements"]["files"] == 2
    assert entry["measurements"]["size"] == 5000
    assert entry["measurements"]["age"] == pytest.approx(6 * HOUR, abs=60)


def test_a_backup_too_old_and_too_small_fails_and_is_measured_all_the_same(probe, tmp_path):
    backup(tmp_path, "backup_1.sql", 30, 10)
    entry = is_now(probe("file", f'path = "{tmp_path}/backup_*.sql"\nmax_age = "26h"\nmin_size = "1MiB"'), "fail", "expectation",
                   "backup_1.sql is 1d6h old, expected at most 1d2h")
    assert "backup_1.sql has 10B, expected at least 1MiB" in entry["says"]
    assert entry["measurements"]["age"] == pytest.approx(30 * HOUR, abs=60)


def test_a_file_from_the_future_has_no_age(probe, tmp_path):
    backup(tmp_path, "backup_1.sql", -5)
    assert probe("file", f'path = "{tmp_path}/backup_1.sql"\nmax_age = "1h"')["measurements"]["age"] == 0


def test_no_file_that_matches_fails(probe, tmp_path):
    (tmp_path / "backup_1.sql").mkdir()
    entry = is_now(probe("file", f'path = "{tmp_path}/backup_*.sql"'), "fail", "absent", f"there is no file {tmp_path}/backup_*.sql")
    assert entry["measurements"] == {"files": 0}
    is_now(probe("file", f'path = "{tmp_path}/gone/*"'), "fail", "absent", f"{tmp_path}/gone does not exist")


@pytest.mark.parametrize("mode", [0, 0o400], ids=["not_listed", "listed_alone"])
def test_a_folder_that_we_may_not_look_into_is_unknown(tmp_path, mode):
    (tmp_path / "closed").mkdir()
    backup(tmp_path / "closed", "backup_1.sql")
    (tmp_path / "closed").chmod(mode)
    try:
        entry = powerless(tmp_path, "file", f'path = "{tmp_path}/closed/*.sql"')
    finally:
        (tmp_path / "closed").chmod(0o700)
    is_now(entry, "unknown", "no prerequisite", "can't be looked at: Permission denied")


def test_a_name_that_would_break_a_line_does_not(probe, tmp_path):
    backup(tmp_path, "backup_\n\x1b[31mred.sql")
    assert probe("file", f'path = "{tmp_path}/backup_*"')["says"].isprintable()


def test_a_backup_older_than_a_day_alerts_until_there_is_a_new_one(tmp_path):
    backup(tmp_path, "backup_1.sql", 25)
    with Watched(tmp_path / "agent", {"backup": f'type = "file"\npath = "{tmp_path}/backup_*.sql"'}) as watched:
        told = watched.agent.wait("verdict.changed", rule="backup:backup", to="breached")
        assert told["severity"] == "warning" and "backup.age is 1d1h" in told["says"], told
        backup(tmp_path, "backup_2.sql")
        watched.agent.wait("verdict.changed", rule="backup:backup", to="ok")


def test_without_their_probes_disk_and_backup_are_off_and_listed_so(tmp_path):
    with Watched(tmp_path, {"report": 'type = "file"\npath = "/etc/passwd"'}) as watched:
        off = [e["says"] for e in watched.agent.of("rule.off")]
        assert "disk is off: no probe gives a free_ratio" in off
        assert "backup is off: no probe gives the age of something whose name begins with backup" in off
