"""packaging/ci: each example is well formed, and the command line in it does what is said of it."""

import json
import os
import re
import shlex
import subprocess
from xml.etree import ElementTree

import pytest
import yaml
from conftest import BINARY, ROOT, Agent
from processes import free_port
from service import Service
from test_healthy import SICK

CI = os.path.join(ROOT, "packaging", "ci")
PASSES = '[probes.disk]\ntype = "disk"\npaths = ["/"]\n[[rules]]\nname = "disk"\nenabled = false\n'
FAILS = f'[probes.dead]\ntype = "tcp"\naddress = "127.0.0.1:{free_port()}"\n'
UNKNOWN = '[agent]\nname_servers = "127.0.0.1:9"\n[probes.named]\ntype = "tcp"\naddress = "a.test:1"\ntimeout = "300ms"\n'


def text_of(name):
    with open(os.path.join(CI, name), encoding="utf-8") as file:
        return file.read()


def example(name):
    return yaml.safe_load(text_of(name))


class Here:
    """The examples' paths are this build's and a configuration of our own."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "flipback.toml"
        (folder / "bin").mkdir()
        (folder / "bin" / "flipback").symlink_to(BINARY)

    def run(self, line, configuration):
        self.file.write_text(configuration)
        for there, here in (("/usr/bin/flipback", BINARY), ("/etc/flipback/flipback.toml", str(self.file))):
            line = line.replace(there, here)
        return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}"))


@pytest.fixture
def here(tmp_path):
    return Here(tmp_path)


def test_no_example_is_left_out_here():
    assert sorted(os.listdir(CI)) == ["cron", "github-actions.yml", "gitlab-ci.yml", "icinga2.conf", "kubernetes.yaml", "nagios.cfg"]


def test_a_github_job_fails_where_not_all_passed(here):
    job = example("github-actions.yml")["jobs"]["flipback"]
    step = job["steps"][0]
    assert step["shell"] == "bash" and job["timeout-minutes"] <= 10
    assert [here.run(step["run"], text).returncode for text in (PASSES, FAILS, UNKNOWN)] == [0, 1, 3]
    assert "? named" in (here.folder / job["steps"][1]["with"]["path"]).read_text()
    assert [here.run(step["run"] + " || [ $? = 3 ]", text).returncode for text in (PASSES, FAILS, UNKNOWN)] == [0, 1, 0]


def test_a_gitlab_job_fails_where_something_failed(here):
    job = example("gitlab-ci.yml")["smoke-test"]
    (line,) = job["script"]
    assert [here.run(line, text).returncode for text in (PASSES, FAILS, UNKNOWN)] == [0, 1, job["allow_failure"]["exit_codes"]]
    found = ElementTree.parse(here.folder / job["artifacts"]["reports"]["junit"]).getroot()
    assert found.find(".//testcase/error").get("message")


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_what_is_typed_from_elsewhere_is_the_same_command(here, name):
    line = re.search(r"ssh \S+ (flipback --check .*)", text_of(name))[1]
    assert here.run(line, PASSES).returncode == 0


def test_a_line_of_cron_prints_where_not_all_passed_and_nothing_else(here):
    (line,) = [line for line in text_of("cron").splitlines() if line and not line.startswith(("#", "MAILTO="))]
    *times, user, command = line.split(None, 6)
    assert len(times) == 5 and user == "flipback" and "%" not in command  # which is cron's own line end
    as_cron = f"exec /bin/sh -c {shlex.quote(command)}"
    assert here.run(as_cron, PASSES).stdout == ""
    assert "✗ dead" in here.run(as_cron, FAILS).stdout and "? named" in here.run(as_cron, UNKNOWN).stdout
    assert "is not TOML" in here.run(as_cron, "nonsense").stdout


STATES = [(PASSES, 0), (FAILS, 2), (UNKNOWN, 3), ("nonsense", 3)]


@pytest.mark.parametrize("configuration, state", STATES, ids=["passes", "fails", "unknown", "nonsense"])
def test_nagios_and_icinga_are_told_what_failed_as_critical(here, configuration, state):
    command = re.search(r"command_name\s+check_flipback\n\s*command_line\s+(.*)", text_of("nagios.cfg"))[1]
    argument = re.search(r"check_command\s+check_flipback!(\S+)", text_of("nagios.cfg"))[1]
    words = json.loads("[" + re.search(r"command = \[(.*?)\]", text_of("icinga2.conf"))[1] + "]")
    option, variable = re.search(r'"(--config)" = "\$(\w+)\$"', text_of("icinga2.conf")).groups()
    value = re.search(rf'vars\.{variable} = "(.*)"', text_of("icinga2.conf"))[1]
    for line in (command.replace("$ARG1$", argument), shlex.join([*words, option, value])):
        done = here.run(line, configuration)
        assert done.returncode == state
        assert re.match(r"FLIPBACK (OK|CRITICAL|UNKNOWN) - .+\n\Z", done.stdout), done.stdout


class Agents(Service):
    def start(self):
        pass


def test_a_pods_probe_asks_the_agent_that_the_pod_runs(here, tmp_path):
    (container,) = example("kubernetes.yaml")["spec"]["containers"]
    probe = container["livenessProbe"]
    line = shlex.join(probe["exec"]["command"])
    assert container["command"][-2:] == probe["exec"]["command"][-2:] and probe["timeoutSeconds"] > 3
    with Agents(tmp_path / "agent") as agents:
        configuration = SICK.format(socket=agents.path("s"), port=free_port())
        assert here.run(line, configuration).returncode == 1
        Agent(agents, str(here.file)).ready()
        assert here.run(line, configuration).returncode == 0
        command = re.search(r"command_name\s+check_flipback_agent\n\s*command_line\s+(.*)", text_of("nagios.cfg"))[1].replace("$ARG1$", str(here.file))
        assert here.run(command, configuration).returncode == 0
        assert here.run(command, configuration.replace(agents.path("s"), agents.path("none"))).returncode == 2
