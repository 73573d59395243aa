"""The main job on real nginx, real slots and real traffic."""

import glob
import os
import random
import signal
import subprocess
import time

from conftest import BINARY, FAST, Agent, Traffic
from processes import wait_until


def cut_over_and_break(stack, agent, fault="errors 0.5"):
    agent.wait("deployment.baseline")
    wait_until("traffic", lambda: agent.of("verdict.changed", rule="error-rate", to="ok"))
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("green", fault)


def nginx_is_whole(stack):
    test = subprocess.run(stack.nginx_command("-t"), capture_output=True, text=True, check=False)
    assert test.returncode == 0, test.stderr
    with open(stack.live_site, encoding="utf-8") as file:
        live = file.read()
    assert live in (stack.site_text("blue"), stack.site_text("green"))
    held = ("flipback-lock", "flipback-room")
    leftovers = [name for name in os.listdir(os.path.dirname(stack.live_site)) if name.startswith(".") and not name.endswith(held)]
    return live, leftovers


def test_a_release_that_answers_errors_is_rolled_back_and_no_request_is_lost(stack, fast_agent):
    agent = fast_agent()
    traffic = Traffic(stack)
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "rolled back"
    assert stack.live() == "blue"
    time.sleep(1)
    users = traffic.stop()
    assert users.errors(), "green never answered an error: nothing was tested"
    assert users.broken("fresh") == []
    steps = [e["step"] for e in agent.of("rollback.step")]
    assert steps == ["preflight", "install", "test", "reload", "prove"]
    assert nginx_is_whole(stack) == (stack.site_text("blue"), [])


def test_a_slow_release_is_rolled_back(stack, fast_agent):
    slow = """
[[rules]]
name = "latency"
when = "traffic.p95 over 2s > 1000ms"
after = "2s"
min_samples = 20
then = "rollback"
"""
    agent = fast_agent(extra=slow)
    Traffic(stack)
    cut_over_and_break(stack, agent, "latency 1.3")
    assert agent.wait("rollback.closed")["rule"] == "latency"
    assert stack.live() == "blue"


def test_a_good_release_stays(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    time.sleep(5)
    assert stack.live() == "green"
    assert not agent.of("rollback.decided")


def test_without_a_cutover_nothing_acts(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    stack.go_bad("blue", "errors 0.5")
    agent.wait("rollback.withheld", rule="error-rate")
    assert stack.live() == "blue"
    assert not agent.of("rollback.decided")


def test_in_observe_mode_it_says_what_it_would_do_once_and_does_nothing(stack, fast_agent):
    agent = fast_agent(mode="observe")
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.withheld", guard="mode")
    time.sleep(2)
    assert stack.live() == "green"
    assert len(agent.of("rollback.withheld")) == 1


def test_a_sick_stable_slot_is_never_made_live(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("blue", "sick")
    time.sleep(1.5)
    stack.go_bad("green", "errors 0.5")
    blocked = agent.wait("rollback.blocked", guard="healthy")
    assert "rolling back would not help" in blocked["says"]
    time.sleep(2)
    assert stack.live() == "green"
    stack.mend("blue")  # the guard is asked again
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert stack.live() == "blue"


def test_a_release_is_rolled_back_once_even_across_a_kill(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("rollback.closed")
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    again = Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    # Whether the journal had been closed before the kill is chance: then it is completed once more, and nothing is decided anew.
    wait_until("what is live to be known", lambda: again.of("deployment.baseline") or again.of("rollback.recovered"))
    stack.go_bad("blue", "errors 0.5")
    again.wait("verdict.changed", rule="error-rate", to="breached")
    time.sleep(2)
    assert not again.of("rollback.decided")
    assert stack.live() == "blue"


def test_a_rule_that_is_pending_at_a_restart_goes_on_and_does_not_begin_anew(stack):
    lasting = 14
    text = stack.configuration(short_rules=False, extra=FAST.replace('after = "2s"', f'for = "{lasting}s"\nuntil = "traffic.error_rate over 3s < 4%"'))
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="pending")
    pending = time.time()
    time.sleep(7)  # what the rules say is kept every 5 s
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    again = Agent(stack, stack.path("flipback.toml"), "flipback-again").ready()
    restarted = time.time()
    said = again.wait("verdict.changed", rule="error-rate", to="breached")
    assert lasting - 1 < time.time() - pending < restarted - pending + lasting - 4, said
    assert again.wait("rollback.closed")["outcome"] == "rolled back"
    assert stack.live() == "blue"


def test_killed_at_any_moment_nginx_is_whole_and_the_rollback_is_completed_or_begun_anew(stack, fast_agent):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for attempt in range(4):
        stack.mend("green")
        stack.cut_over("blue")
        wait_until("blue", lambda: stack.live() == "blue")
        stack.forget_agents()
        os.truncate(stack.access_log, 0)  # what was wrong before this cutover would be caught up with, and be no fault of this release
        agent = fast_agent()
        traffic = Traffic(stack)
        cut_over_and_break(stack, agent, "errors 0.9")
        agent.wait("rollback.decided")
        time.sleep(chance.uniform(0, 0.12))
        agent.child.signal(signal.SIGKILL)
        agent.child.process.wait()
        nginx_is_whole(stack)
        again = Agent(stack, stack.path("flipback.toml"), f"flipback-after-{attempt}").ready()
        time.sleep(1.5)
        live, leftovers = nginx_is_whole(stack)
        assert leftovers == []
        slot = "blue" if live == stack.site_text("blue") else "green"
        wait_until("nginx to serve what its file says", lambda expected=slot: stack.live() == expected)
        assert len(again.of("rollback.decided")) == 0, "the latch was forgotten"
        again.child.stop()
        traffic.child.stop()


def test_a_site_that_nginx_refuses_is_undone(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    cut_over_and_break(stack, agent, "errors 0")
    with open(stack.site("blue"), "a", encoding="utf-8") as file:
        file.write("this is no directive;\n")
    stack.go_bad("green", "errors 0.5")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "undone"
    assert "nginx -t" in closed["says"]
    live, leftovers = nginx_is_whole(stack)
    assert live == stack.site_text("green")
    assert leftovers == []
    assert stack.live() == "green"


def test_a_link_to_a_slots_file_is_replaced_and_the_slots_files_stay(stack, fast_agent):
    os.unlink(stack.live_site)
    os.symlink(stack.site("blue"), stack.live_site)
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    os.unlink(stack.live_site)
    os.symlink(stack.site("green"), stack.live_site)
    subprocess.run(stack.nginx_command("-s", "reload"), check=True, capture_output=True)
    agent.wait("deployment.cutover")
    stack.go_bad("green", "errors 0.5")
    assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert os.readlink(stack.live_site) == stack.site("blue")
    for slot in ("blue", "green"):
        with open(stack.site(slot), encoding="utf-8") as file:
            assert file.read() == stack.site_text(slot)


def test_hung_postgres_redis_and_name_server_delay_neither_probes_nor_the_flip(stack, fast_agent):
    import socket
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    named = """
[probes.by-name]
type = "http"
url = "http://service.test/health"
every = "200ms"
timeout = "150ms"
"""
    agent = fast_agent(extra=named, agent=f'name_servers = ["127.0.0.1:{deaf.getsockname()[1]}"]')
    Traffic(stack)
    cut_over_and_break(stack, agent, "errors 0")
    stack.postgres.signal(signal.SIGSTOP)
    stack.redis.signal(signal.SIGSTOP)
    agent.wait("probe.changed", probe="postgres", outcome="fail")
    agent.wait("probe.changed", probe="redis", outcome="fail")
    agent.wait("probe.changed", probe="by-name", outcome="unknown")
    stack.go_bad("green", "errors 0.5")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "rolled back"
    assert stack.live() == "blue"
    deaf.close()


def test_where_our_own_question_tells_nothing_what_users_reach_proves_it(stack, fast_agent):
    agent = fast_agent()
    Traffic(stack)
    agent.wait("deployment.baseline")
    with open(stack.site("blue"), "w", encoding="utf-8") as file:  # blue hides its identity behind the front door
        file.write(stack.site_text("blue").replace("location / {", "location = /health { return 204; }\n  location / {"))
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    stack.go_bad("green", "errors 0.5")
    assert agent.wait("rollback.closed", 40)["outcome"] == "rolled back"
    assert "blue" in open(stack.live_site, encoding="utf-8").readline()


def test_a_manual_change_in_the_last_moment_is_respected(stack):
    waits = FAST.replace('after = "2s"', 'for = "2s"')
    agent = Agent(stack, stack.write_configuration(stack.configuration(short_rules=False, extra=waits))).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    agent.wait("verdict.changed", rule="error-rate", to="pending")
    with open(stack.live_site, "a", encoding="utf-8") as file:
        file.write("# a person was here\n")
    deadline = time.time() + 15
    while time.time() < deadline and not agent.of("rollback.closed"):
        time.sleep(0.1)
    # A person is changing the switch: a person decides, and not a byte of theirs is lost.
    assert agent.of("rollback.closed") == []
    assert agent.of("rollback.asked", guard="intent")
    with open(stack.live_site, encoding="utf-8") as file:
        assert file.read() == stack.site_text("green") + "# a person was here\n"


def configured_otherwise(stack, text, change):
    """The agent's configuration, with an nginx.conf for `nginx -T` in which every site file has been changed so."""
    os.makedirs(stack.path("nginx", "otherwise"), exist_ok=True)
    with open(stack.path("nginx", "otherwise", "site"), "w", encoding="utf-8") as file:
        file.write(change(stack.site_text("blue")))
    with open(stack.path("nginx", "nginx.conf"), encoding="utf-8") as file:
        conf = file.read().replace("sites-enabled", "otherwise")
    with open(stack.path("nginx", "otherwise.conf"), "w", encoding="utf-8") as file:
        file.write(conf)
    return text.replace("nginx/nginx.conf", "nginx/otherwise.conf")


def test_a_log_that_nginx_writes_only_at_times_is_no_base_for_rates(stack):
    text = configured_otherwise(stack, stack.configuration(), lambda site: site.replace(" flipback;", " flipback if=$arg_logged;"))
    agent = Agent(stack, stack.write_configuration(text)).ready()
    said = agent.wait("probe.changed", probe="traffic", outcome="unknown")
    assert "if=" in said["says"]


def test_a_log_without_the_user_agent_drives_no_rollback(stack):
    fast = 'after = "10s"\nmin_samples = 50'
    text = stack.configuration().replace(fast, 'after = "2s"\nmin_samples = 20').replace("over 10s", "over 2s").replace("over 3s", "over 2s")
    assert text != stack.configuration()
    text = configured_otherwise(stack, text, lambda site: "log_format bare escape=json '{\"status\":\"$status\"}';\n" + site.replace(" flipback;", " bare;"))
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    said = agent.wait("rollback.blocked", guard="evidence")
    assert "no user agent" in said["says"]
    time.sleep(1)
    assert stack.live() == "green"
    assert agent.of("rollback.decided") == []


def script(stack, name, text):
    path = stack.path(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def test_what_a_person_wrote_after_the_install_is_not_undone(stack, start_agent):
    reload = script(stack, "flipback-reload", f"echo '# a person was here' >> {stack.live_site}; exit 1\n")
    text = stack.configuration().replace("[nginx]\n", f'[nginx]\nreload = "command"\nreload_command = ["{reload}"]\n')
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent)
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "operator took over", closed
    with open(stack.live_site, encoding="utf-8") as file:
        assert file.read() == stack.site_text("blue") + "# a person was here\n"


def test_killed_while_nginx_refuses_the_candidate_the_next_start_puts_the_live_file_back(stack, fast_agent):
    slow = script(stack, "flipback-nginx", f"grep -q 'no directive' {stack.live_site} && sleep 5\nexec {stack.nginx_command()[0]} \"$@\"\n")
    agent = fast_agent()
    path = agent.child.process.args[-1]
    agent.child.stop()
    with open(path, encoding="utf-8") as file:
        test = ", ".join(f'"{word}"' for word in [slow, *stack.nginx_command("-t")[1:]])
        text = file.read().replace("[nginx]\n", f"[nginx]\ntest_command = [{test}]\n")
    assert slow in text
    agent = Agent(stack, stack.write_configuration(text)).ready()
    Traffic(stack)
    cut_over_and_break(stack, agent, "errors 0")
    with open(stack.site("blue"), "a", encoding="utf-8") as file:
        file.write("this is no directive;\n")
    stack.go_bad("green", "errors 0.5")
    agent.wait("rollback.step", step="install")
    agent.child.signal(signal.SIGKILL)
    agent.child.process.wait()
    again = Agent(stack, path)
    assert "green stays live" in again.wait("rollback.recovered")["says"]
    live, leftovers = nginx_is_whole(stack)
    assert live == stack.site_text("green") and leftovers == []
    assert stack.live() == "green"


def test_a_bad_hand_edit_of_the_live_file_is_mended_by_a_persons_rollback(stack, fast_agent):
    agent = fast_agent()
    traffic = Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    with open(stack.live_site, "a", encoding="utf-8") as file:
        file.write("no_such_directive;\n")
    said = agent.wait("deployment.not_ready", blocking=True)
    assert "no_such_directive" in said["says"] and " rollback --reason TEXT`" in said["says"], said
    done = subprocess.run([BINARY, "rollback", "--reason", "somebody has slipped", "--socket", stack.path("flipback.sock")], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    closed = agent.wait("rollback.closed")
    assert (closed["outcome"], closed["reached"], stack.live()) == ("rolled back", "blue", "blue"), closed
    assert nginx_is_whole(stack) == (stack.site_text("blue"), [])
    assert traffic.stop().broken("fresh") == []


def test_with_a_damaged_database_a_breach_says_that_the_record_can_not_be_read_and_what_to_type(stack, fast_agent):
    agent = fast_agent()
    traffic = Traffic(stack)
    agent.wait("deployment.baseline")
    stack.cut_over("green")
    agent.wait("deployment.cutover")
    agent.child.signal(signal.SIGTERM)
    agent.child.process.wait()
    for file in glob.glob(stack.path("flipback.db*")):
        with open(file, "wb") as state:
            state.write(b"no database" * 1000)
    agent = fast_agent()
    assert "which slot to go back to is not known either" in agent.wait("store.unreadable")["says"]
    agent.wait("deployment.baseline", live="green")
    stack.go_bad("green", "errors 0.5")
    blocked = agent.wait("rollback.blocked", guard="memory")
    for part in ("could not be read at the start", "window open --stable SLOT`", "rollback --force --reason TEXT`"):
        assert part in blocked["says"], blocked
    assert agent.of("rollback.withheld") == []
    traffic.stop()
