"""The airflow probe against the real servers, 2.11 and 3.1: each test runs with both but where it says."""

import os

import pytest
from airflow import Airflow2, Airflow3, password_of
from conftest import BINARY, is_now
from follow import metrics
from processes import Child, free_port, wait_until

GOOD = "ingest.städte"
SIGKILL = 9


@pytest.fixture(scope="module", params=[Airflow2, Airflow3])
def server(request, tmp_path_factory):
    with request.param(tmp_path_factory.mktemp("airflow")) as started:
        started.run_dag(GOOD)
        spoilt = started.run_dag("spoilt")
        started.mark_failed(spoilt)
        yield started


@pytest.fixture
def ask(probe, server):
    """Runs the probe as a user; no sentence may have a password or a stack trace in it."""

    def run(more="", user="flipback", password=None, dags=""):
        who = f'user = "{user}"\npassword = "{password or password_of(user)}"\n' if user else ""
        entry = probe("airflow", f'url = "{server.url}"\n{who}timeout = "20s"\nevery = "20s"\n{more}\n{dags}')
        assert "hunter2" not in str(entry), entry
        return entry

    return run


def asked_until(ask, says, seconds=60, **how):
    """Asks until a sentence says so: Airflow reads its DAGs' folder now and then."""
    entry = {}

    def found():
        entry.update(ask(**how))
        return says in entry["says"]

    wait_until(says, found, seconds)
    return entry


def test_a_user_with_the_least_right_sees_all_that_is_well(ask, server):
    entry = asked_until(ask, "no import errors", more="max_heartbeat_age = \"1m\"", dags=f'[probes.it.dags]\n"{GOOD}" = {{ within = "1h" }}')
    is_now(entry, "pass", says=f"Airflow {'2' if isinstance(server, Airflow2) else '3'}, scheduler's heartbeat")
    assert f"{GOOD} succeeded" in entry["says"]
    measured = entry["measurements"]
    assert 0 <= measured["scheduler_heartbeat_age"] < 60 and measured["import_errors"] == 0
    assert 0 <= measured["ingest_st__dte.last_success_age"] < 3600
    assert "triggerer_heartbeat_age" not in measured  # never started: no number
    assert ("dag_processor_heartbeat_age" in measured) == isinstance(server, Airflow3)


def test_a_part_that_was_never_started_is_unwell_only_where_it_is_needed(ask):
    is_now(ask(user=None), "pass")
    is_now(ask('needs = ["triggerer"]', user=None), "fail", "expectation", "the triggerer was never started")


def test_a_dag_is_unwell_in_many_ways(ask):
    is_now(ask('dags = ["nowhere"]'), "fail", "absent", "the DAG nowhere does not exist")
    is_now(ask('dags = ["paused_one"]'), "fail", "expectation", "the DAG paused_one is paused")
    is_now(ask('dags = ["never_run"]'), "pass", says="(no run of never_run has ended yet)")
    is_now(ask(dags='[probes.it.dags]\nnever_run = { within = "1h" }'), "fail", "expectation", "no run of never_run has ended yet")
    is_now(ask(dags=f'[probes.it.dags]\n"{GOOD}" = {{ within = "1s" }}'), "fail", "expectation", "expected within 1s")
    entry = is_now(ask(f'dags = ["spoilt", "nowhere", "{GOOD}"]'), "fail", "expectation", "the last run of spoilt failed")
    assert "nowhere does not exist" in entry["says"] and entry["measurements"]["ingest_st__dte.last_success_age"] >= 0


def test_a_run_that_is_queued_or_running_leaves_the_one_before_it_to_judge(ask, server):
    """A paused DAG's run stays queued."""
    assert server.ask("/dags/paused_one/dagRuns", server.trigger)[0] == 200
    entry = ask('dags = ["paused_one"]')
    assert "(no run of paused_one has ended yet)" in entry["says"], entry


def test_an_import_error_is_told_by_its_file_and_never_by_its_stack_trace(ask, server):
    server.write_broken("broken.py")
    try:
        entry = is_now(asked_until(ask, "can't be imported"), "fail", "expectation", "1 of its files can't be imported: ")
        assert "broken.py" in entry["says"] and "no_such_module" not in entry["says"] and entry["measurements"]["import_errors"] == 1
    finally:
        os.unlink(server.path("dags", "broken.py"))
    asked_until(ask, "no import errors")


def test_a_dag_whose_file_is_gone_is_absent_though_its_entry_stays(ask, server):
    is_now(ask('dags = ["removed"]'), "pass")
    server.write_dags("dags.py", [GOOD, "spoilt", "never_run", "paused_one"])
    is_now(asked_until(ask, "is in no file any more", more='dags = ["removed"]', seconds=90), "fail", "absent", "the DAG removed")


def test_who_may_not_ask_is_told_from_who_is_not_known(ask, server):
    is_now(ask(password="wrong-hunter2", more=f'dags = ["{GOOD}"]'), "fail", "unauthorised")
    is_now(ask('token = "no-hunter2"', user=None), "fail", "unauthorised", "the token was refused")
    is_now(ask(user="outsider", more='import_errors = true'), "fail", "forbidden", "may not ask for import errors")
    is_now(ask(user="outsider", more=f'dags = ["{GOOD}"]'), "fail", "forbidden", f"may not ask for the DAG {GOOD}")
    if isinstance(server, Airflow2):  # a role of one's own, without one right
        is_now(ask(user="narrow", more=f'dags = ["{GOOD}"]'), "pass", says="(may not ask for import errors)")
        is_now(ask(user="narrow", more='import_errors = true'), "fail", "forbidden")
    else:
        is_now(ask(f'token = "{server.token("flipback")}"', user=None), "pass", says="no import errors")


def test_a_fixed_version_is_asked_alone(ask, server):
    mine, other = ("2", "3") if isinstance(server, Airflow2) else ("3", "2")
    is_now(ask(f'version = "{mine}"'), "pass")
    is_now(ask(f'version = "{other}"'), "fail", "bad status", "answered 404")


def test_a_killed_scheduler_is_noticed_before_airflow_notices_it(ask, server):
    server.stop_part("scheduler", SIGKILL)
    entry = asked_until(ask, "though it is called healthy", more='max_heartbeat_age = "4s"', user=None, seconds=30)
    is_now(entry, "fail", "expectation", "at most 4s are right")
    is_now(asked_until(ask, "the scheduler is unhealthy", user=None), "fail", "expectation")
    server.start_part("scheduler")
    wait_until("the scheduler", lambda: server.state()["scheduler"]["status"] == "healthy", 120)


def test_a_web_server_that_restarts_between_two_runs_is_asked_anew(tmp_path, server):
    """With 3 the token of before is refused then: the secret that signed it is another."""
    port = free_port()
    (tmp_path / "agent.toml").write_text(f'[agent]\nlisten = "127.0.0.1:{port}"\nstate = "{tmp_path}/state.db"\n[probes.it]\ntype = "airflow"\nurl = "{server.url}"\n'
                                         f'user = "flipback"\npassword = "{password_of("flipback")}"\nevery = "3s"\ntimeout = "3s"\nmax_heartbeat_age = "1m"\n')
    agent = Child("flipback", [BINARY, "--config", str(tmp_path / "agent.toml")], str(tmp_path / "flipback.log"))

    def up():
        return next((value for (name, _), value in metrics(f"http://127.0.0.1:{port}").items() if name == "flipback_probe_up"), None)

    try:
        wait_until("a run that is well", lambda: up() == 1, 60, agent)
        server.stop_part(server.web)
        wait_until("a run that is not", lambda: up() == 0, 60, agent)
        server.more["AIRFLOW__API_AUTH__JWT_SECRET"] = "i" * 64
        server.start_part(server.web)
        wait_until("a run that is well again", lambda: up() == 1, 180, agent)
        assert "hunter2" not in agent.output()
    finally:
        agent.stop()


def test_a_part_that_ends_is_unwell_at_once(ask, server):
    """Nothing is started anew: only what needs no scheduler comes after it."""
    for part in server.parts:
        server.stop_part(part)
        is_now(ask(user=None), "fail", "expectation", f"the {part.replace('-', '_')} is unhealthy, its last heartbeat")


@pytest.mark.parametrize("server", [Airflow2], indirect=True)
def test_a_database_that_is_gone_leaves_nothing_to_say_of_the_rest(ask, server):
    """Only 2: its web server asks the database itself."""
    server.hide_database()
    entry = is_now(asked_until(ask, "metadatabase"), "fail", "expectation", "the metadatabase is unhealthy")
    assert "scheduler" not in entry["says"]  # nobody knows
    server.show_database()
    wait_until("the database", lambda: server.state()["metadatabase"]["status"] == "healthy", 60)
