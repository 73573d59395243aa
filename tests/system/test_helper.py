"""An agent without any right of root's, on an nginx whose files are root's: what it does through the helper, and what a hostile caller with
its user can do, and can't."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import BINARY, ROOT, Agent, Traffic
from cutting_over import BY_SITE, goes_bad_and_is_rolled_back, is_watched, sites
from helping import AGENT, Between, Helper, ask, roots_folder
from layout import SERVER, Layout
from processes import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, whose files they are")

HELPER = os.path.join(os.path.dirname(BINARY), "flipback-helper")
BY_TEXT = ('live_site = "%(dir)s/conf.d/api.conf"', 'text = ["server 127.0.0.1:%(blue)s;"]', 'text = ["server 127.0.0.1:%(green)s;"]')
BY_LINK = ('live_link = "%(dir)s/sites-enabled/default"', 'target = "../sites-available/blue"', 'target = "../sites-available/green"')
IN_PIECES = {"conf.d/api.conf": "upstream api { server 127.0.0.1:%(blue)s; keepalive 8; }\n", "sites-enabled/default": SERVER}


def copied():
    files = sites()
    return files | {"sites-enabled/default": files["sites-available/blue"]}


class Hosts(Layout):
    def tree(self):
        """Without what the helper keeps beside a file until nobody has asked for an undo for a minute."""
        return {path: said for path, said in super().tree().items() if not path.endswith("flipback-kept")}


class Host:
    """An nginx that is root's alone, the helper, and an agent that is nobody."""

    def __init__(self, folder, stack, switch=BY_SITE, files=None):
        self.layout = Hosts(os.path.join(folder, "host"), stack, files or copied())
        self.layout.__enter__()
        self.switch = switch
        os.mkdir(os.path.join(folder, "helper"))
        self.helper = Helper(HELPER, os.path.join(folder, "helper"), self.settings())
        self.own = os.path.join(folder, "agent")  # all that it may write
        os.mkdir(self.own)
        os.chown(self.own, AGENT.pw_uid, AGENT.pw_gid)
        self.agents = 0

    def __enter__(self):
        self.helper.__enter__()
        return self

    def __exit__(self, *_):
        self.helper.__exit__()
        self.layout.stop()

    def nginx(self):
        path = self.layout.path
        return f'[nginx]\nprefix = "{self.layout.folder}"\nconf = "{path("nginx.conf")}"\npid = "{path("nginx.pid")}"\n'

    def settings(self, switch=None):
        switch, blue, green = (self.layout.fill(text) for text in switch or self.switch)
        return f"{self.nginx()}[deployment]\n{switch}\n[slots.blue]\n{blue}\n[slots.green]\n{green}\n"

    def start_agent(self, socket=None):
        nginx = self.nginx().removeprefix("[nginx]\n") + f'helper = "{socket or self.helper.socket}"\nerror_log = "{self.layout.path("error.log")}"\n'
        text = self.layout.configuration(*self.switch, nginx=nginx).replace(self.layout.path("flipback."), os.path.join(self.own, "flipback."))
        self.agents += 1
        as_nobody = ["setpriv", f"--reuid={AGENT.pw_uid}", f"--regid={AGENT.pw_gid}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
        return Agent(self.layout, self.layout.write_configuration(text), f"flipback-{self.agents}", within=as_nobody).ready()

    def path(self, name):
        return self.layout.path(name)

    def live(self):
        with open(self.path("sites-enabled/default"), "rb") as file:
            return file.read()

    def says(self, slot):
        with open(self.path(f"sites-available/{slot}"), "rb") as file:
            return file.read()

    def install(self, slot, now=None):
        """The order that makes it that slot's."""
        hashes = [hashlib.sha256(text).hexdigest() for text in (now or self.live(), self.says(slot))]
        return f"install {slot} {' '.join(hashes)}\n"

    def ask(self, said, **how):
        return ask(self.helper.socket, said, **how)


@pytest.fixture
def on_host(stack):
    with contextlib.ExitStack() as all_of:
        folder = roots_folder()
        all_of.callback(shutil.rmtree, folder)
        yield lambda **how: all_of.enter_context(Host(folder, stack, **how))


def cut_over(host):
    """As root does by hand."""
    layout = host.layout
    if host.switch is BY_SITE:
        layout.copy("sites-available/green", "sites-enabled/default")
    elif host.switch is BY_LINK:
        layout.link("../sites-available/green", "sites-enabled/default")
    else:
        layout.sed("s/%(blue)s/%(green)s/", "conf.d/api.conf")
    layout.reload()


@pytest.mark.parametrize("kind", ["site", "text", "link"])
def test_an_agent_without_rights_rolls_back_through_the_helper(on_host, kind):
    switch, files = {"site": (BY_SITE, None), "text": (BY_TEXT, IN_PIECES),
                     "link": (BY_LINK, sites({"sites-enabled/default": ("link", "../sites-available/blue")}))}[kind]
    host = on_host(switch=switch, files=files)
    agent = host.start_agent()
    Traffic(host.layout)
    before = is_watched(host.layout, agent)
    assert {owner for _, _, owner, _ in before.values()} == {0}
    cut_over(host)
    goes_bad_and_is_rolled_back(host.layout, agent, before)
    assert [e["step"] for e in agent.of("rollback.step")] == ["preflight", "install", "test", "reload", "prove"]
    told = host.helper.told()
    assert all(line.startswith("user 65534 ") for line in told), told
    assert [verb for verb in (line.split('"')[1].split()[0] for line in told) if verb not in ("test", "could")] == ["install", "reload"]
    assert all(line.endswith(": yes") for line in told), told


def test_what_nginx_refuses_is_put_back_through_the_helper(on_host):
    host = on_host()
    agent = host.start_agent()
    Traffic(host.layout)
    is_watched(host.layout, agent)
    cut_over(host)
    agent.wait("deployment.cutover", live="green")
    with open(host.path("sites-available/blue"), "a", encoding="utf-8") as file:
        file.write("this is no directive;\n")
    host.layout.stack.go_bad("green", "errors 0.5")
    closed = agent.wait("rollback.closed")
    assert closed["outcome"] == "undone" and "unknown directive" in closed["says"], closed
    assert host.live() == host.says("green")
    assert host.layout.reached() == {"green"}


@pytest.mark.parametrize("dies", ["helper", "both"])
def test_killed_between_install_and_reload_it_is_completed(on_host, dies):
    host = on_host()
    running = []

    def kill():
        host.helper.kill()
        if dies == "both":
            running[0].child.signal(signal.SIGKILL)

    between = Between(host.helper, "install", kill)
    running.append(host.start_agent(between.socket))
    agent = running[0]
    Traffic(host.layout)
    before = is_watched(host.layout, agent)
    cut_over(host)
    agent.wait("deployment.cutover", live="green")
    host.layout.stack.go_bad("green", "errors 0.5")
    if dies == "both":
        agent.child.process.wait(30)
        assert host.live() == host.says("blue") and not any('"reload"' in line for line in host.helper.told())
        agent = host.start_agent(between.socket)
        assert agent.wait("rollback.recovered")["outcome"] == "rolled back"
    else:
        assert agent.wait("rollback.closed")["outcome"] == "rolled back"
    assert host.layout.reached() == {"blue"}
    assert host.layout.tree() == before


def test_a_helper_that_is_not_there_or_refuses_is_said_with_what_to_type(on_host):
    host = on_host()
    os.rename(host.helper.socket, host.helper.socket + ".away")
    agent = host.start_agent()
    [lack] = [e["says"] for e in wait_until("it to be said", lambda: agent.of("deployment.not_ready", severity="critical")) if "can't be tested" in e["says"]]
    assert "systemctl status flipback-helper.socket" in lack
    agent.child.stop()
    os.rename(host.helper.socket + ".away", host.helper.socket)
    host.helper.configure(f'user = "daemon"\n{host.settings()}')
    agent = host.start_agent()
    [lack] = [e["says"] for e in wait_until("it to be said", lambda: agent.of("deployment.not_ready", severity="critical")) if "can't be tested" in e["says"]]
    assert "user 65534 is not served here" in lack


def test_the_documents_example_is_what_the_helper_takes(on_host):
    host = on_host()
    with open(os.path.join(ROOT, "packaging", "docs", "operations.md"), encoding="utf-8") as file:
        [example] = re.findall(r"^```toml\n(user .*?)^```", file.read(), re.MULTILINE | re.DOTALL)
    example = example.replace('"flipback"', '"nobody"').replace("/etc/nginx", host.layout.folder).replace("/run/nginx.pid", host.path("nginx.pid"))
    host.helper.configure(example.replace("[nginx] ", f'[nginx]\nprefix = "{host.layout.folder}"\nconf = "{host.path("nginx.conf")}"\n'))
    assert host.ask("test\n") == "yes"
    assert host.ask(host.install("green")) == "yes"


# What a caller with the agent's user can do, and can't.


def test_it_may_switch_test_and_reload_and_no_more(on_host):
    host = on_host()
    blue, green = host.says("blue"), host.says("green")
    assert host.ask("test\n") == "yes"
    assert host.ask("restore\n").startswith("no: nothing was installed")
    assert host.ask(host.install("green")) == "yes"
    assert host.live() == green
    assert host.ask("reload\n") == "yes"
    wait_until("green", lambda: host.layout.reached() == {"green"})
    assert host.ask("restore\n") == "yes"
    assert host.ask("restore\n") == "yes"
    assert host.live() == blue
    assert host.ask(host.install("blue")) .startswith("no: ")  # it says so already: no hash is expected
    assert host.ask("install blue\n") == "yes"
    kept = os.listdir(os.path.join(host.helper.state, "replaced"))
    assert kept == [hashlib.sha256(blue).hexdigest()]
    for folder, _, names in os.walk(host.helper.state):
        for path in [folder, *(os.path.join(folder, name) for name in names)]:
            assert os.stat(path).st_uid == 0 and os.stat(path).st_mode & 0o077 == 0, path


def test_what_is_no_order_is_refused_and_changes_nothing(on_host):
    host = on_host()
    before = host.layout.tree()
    right = host.install("green")
    wrong = hashlib.sha256(b"wrong").hexdigest()
    first, slot, now, then = right.split()
    for said in ("\n", "garbage\n", "test \n", "test it\n", " test\n", "TEST\n", "install\n", f"install green {now}\n", f"install ../green {now} {then}\n",
                 f"install yellow {now} {then}\n", f"install green {wrong} {then}\n", f"install green {now} {wrong}\n", f"install green {then} {now}\n",
                 f"install green {now} {then} {now} {then}\n", f"install green {now.upper()} {then}\n", f"install green absent {then}\n",
                 f"install {host.path('sites-available/green')} {now} {then}\n", "restore /etc/passwd\n", "reload 1\n", "test\nreload\n", right + right):
        assert host.ask(said).startswith(("no: ", "can't tell: ")), said
    for said in (b"\xff\x00\x1b[2J\n", b"x" * 100_000, b"install " + b"green " * 5000 + b"\n", os.urandom(4096)):
        assert host.ask(said).startswith("can't tell: "), said
    assert host.ask("tes", hang_up=True).startswith("can't tell: it hung up")
    assert host.layout.tree() == before
    assert not os.path.exists(os.path.join(host.helper.state, "last"))
    assert all(line.isprintable() for line in host.helper.told())


def test_who_says_nothing_gives_way(on_host):
    host = on_host()
    began = time.monotonic()
    silent = subprocess.Popen(["/usr/bin/python3", "-c", "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(b'inst'); print(1, flush=True); print(s.recv(999)); time.sleep(60)", host.helper.socket],
                              stdout=subprocess.PIPE, user=AGENT.pw_uid, group=AGENT.pw_gid)
    silent.stdout.readline()
    assert host.ask("test\n") == "yes"
    assert time.monotonic() - began >= 1.5, "it was not waited for at all"
    assert b"in time" in silent.stdout.readline()
    silent.kill()
    silent.wait()


def test_other_users_are_refused_whatever_the_sockets_mode(on_host):
    host = on_host()
    assert host.ask("test\n", user=1, group=1) == ""  # the socket is the group's
    os.chmod(host.helper.socket, 0o666)
    for said in ("test\n", "reload\n", host.install("green")):
        assert host.ask(said, user=1, group=1).startswith("can't tell: user 1 is not served here")
    assert host.ask("test\n", user=0, group=0) == "yes"
    assert host.live() == host.says("blue")
    assert any(line.startswith("user 1 ") for line in host.helper.told())


def test_what_somebody_else_wrote_is_not_put_back_over(on_host):
    host = on_host()
    assert host.ask(host.install("green")) == "yes"
    with open(host.path("sites-enabled/default"), "ab") as file:
        file.write(b"# edited by hand\n")
    edited = host.live()
    assert "somebody else changed it" in host.ask("restore\n")
    assert host.live() == edited
    # Nor is it replaced by who has not seen it.
    assert host.ask(host.install("blue", now=host.says("green"))).startswith("no: the live files")
    assert host.live() == edited


def hostile(host, name, text=b"# not root's\n"):
    path = os.path.join(host.own, name)
    with open(path, "wb") as file:
        file.write(text)
    os.chown(path, AGENT.pw_uid, AGENT.pw_gid)
    return path


def site_of_the_agents(host):
    os.chown(host.path("sites-available/green"), AGENT.pw_uid, AGENT.pw_gid)


def site_for_others_to_write(host):
    os.chmod(host.path("sites-available/green"), 0o646)


def site_for_a_group_to_write(host):
    os.chmod(host.path("sites-available/green"), 0o664)


def site_linked_away(host):
    os.unlink(host.path("sites-available/green"))
    os.symlink(hostile(host, "green"), host.path("sites-available/green"))


def site_that_is_a_second_name(host):
    os.unlink(host.path("sites-available/green"))
    os.link(hostile(host, "green"), host.path("sites-available/green"))


def site_that_is_a_pipe(host):
    os.unlink(host.path("sites-available/green"))
    os.mkfifo(host.path("sites-available/green"))


def live_linked_away(host):
    os.unlink(host.path("sites-enabled/default"))
    os.symlink(hostile(host, "live", host.says("blue")), host.path("sites-enabled/default"))


def live_folder_of_the_agents(host):
    os.chown(host.path("sites-enabled"), AGENT.pw_uid, AGENT.pw_gid)


def live_folder_for_a_user_to_write(host):
    subprocess.run(["setfacl", "-m", f"u:{AGENT.pw_uid}:rwx", host.path("sites-enabled")], check=True)


def folder_above_linked_away(host):
    os.rename(host.path("sites-available"), os.path.join(host.own, "sites"))
    os.symlink(os.path.join(host.own, "sites"), host.path("sites-available"))


def settings_of_the_agents(host):
    os.chown(host.helper.settings, AGENT.pw_uid, AGENT.pw_gid)


def settings_for_others_to_write(host):
    os.chmod(host.helper.settings, 0o666)


def settings_folder_for_others_to_write(host):
    os.chmod(host.helper.folder, 0o777)


def pid_file_of_the_agents(host):
    os.chown(host.path("nginx.pid"), AGENT.pw_uid, AGENT.pw_gid)


def state_of_the_agents(host):
    os.chown(host.helper.state, AGENT.pw_uid, AGENT.pw_gid)


@pytest.mark.parametrize("trap", [site_of_the_agents, site_for_others_to_write, site_for_a_group_to_write, site_linked_away, site_that_is_a_second_name, site_that_is_a_pipe,
                                  live_linked_away, live_folder_of_the_agents, live_folder_for_a_user_to_write, folder_above_linked_away, settings_of_the_agents,
                                  settings_for_others_to_write, settings_folder_for_others_to_write, pid_file_of_the_agents, state_of_the_agents], ids=lambda t: t.__name__)
def test_what_is_not_roots_alone_is_refused(on_host, trap):
    host = on_host()
    order = host.install("green")
    trap(host)
    live = host.live()
    answers = [host.ask(order), host.ask("restore\n")]
    assert all(a.startswith("no: ") for a in answers), answers
    assert host.live() == live
    if trap is not site_that_is_a_pipe:
        assert host.ask("reload\n").startswith("no: ")
        assert any(word in answers[0] for word in ("chown -h root", "chmod go-w")), answers


def test_an_order_of_who_has_given_up_is_not_carried_out_behind_his_back(on_host):
    """The helper stands still, as behind a test of nginx that hangs; who asked does not wait so long, and it goes on."""
    host = on_host()
    assert host.ask("test\n").startswith("yes")
    before = host.live()
    host.helper.process.send_signal(signal.SIGSTOP)
    try:
        for order in (host.install("green"), "reload\n"):
            with socket.socket(socket.AF_UNIX) as asker:
                asker.connect(host.helper.socket)
                asker.sendall(order.encode())
    finally:
        host.helper.process.send_signal(signal.SIGCONT)
    wait_until("its answers", lambda: sum("it hung up before its order was begun" in line for line in host.helper.told()) == 2)
    assert host.live() == before


def test_a_helper_that_is_configured_for_other_files_is_not_ready_before_the_night(on_host):
    host = on_host()
    agent = host.start_agent()
    agent.wait("deployment.baseline")
    assert [event["says"] for event in agent.of("deployment.not_ready")] == []
    agent.child.stop()
    blue, green = host.switch[1:]
    host.helper.configure(f'user = "{AGENT.pw_name}"\n' + host.settings((host.switch[0], green, blue)))
    agent = host.start_agent()
    says = agent.wait("deployment.not_ready")["says"]
    assert says.startswith("the helper could not make green live: ") and "configured for others" in says
