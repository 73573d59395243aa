"""The Debian package, built, and installed where systemd runs: a container of a Debian that has nothing else."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT
from docker_engine import DockerEngine, SystemdHost
from package import built
from service import fetched

DEPLOYMENT = """
[deployment]
mode       = "observe"
live_site  = "/etc/nginx/sites-enabled/default"
front_door = { url = "http://127.0.0.1:29/health" }
[slots.blue]
url  = "http://127.0.0.1:27"
site = "/etc/nginx/sites-available/blue"
[slots.green]
url  = "http://127.0.0.1:28"
site = "/etc/nginx/sites-available/green"
"""


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def newer(unpacked, tmp_path_factory):
    """The same with a higher version."""
    control = unpacked / "DEBIAN" / "control"
    before = control.read_text()
    control.write_text(re.sub(r"^Version: .*$", r"\g<0>+newer", before, flags=re.MULTILINE))
    made = tmp_path_factory.mktemp("newer") / "flipback_newer.deb"
    subprocess.run(["dpkg-deb", "-b", "-Znone", "--root-owner-group", unpacked, made], check=True, capture_output=True)
    control.write_text(before)
    return made


@pytest.fixture(scope="module")
def host(package, tmp_path_factory):
    """Where the package has been installed with apt from its file, and what it needs from the mirror. The container has this host's network; the service has its own, since
    another may listen on 19187."""
    with DockerEngine(tmp_path_factory.mktemp("docker")) as engine:
        engine.import_image(os.path.join(fetched("debian12"), "base.tar"), "debian12:systemd")
        made = SystemdHost(engine, "debian12:systemd", "host")
        assert not made.says("getent passwd flipback", check=False)
        made.put(package, "/root/flipback.deb")
        made.write("/etc/systemd/system/flipback.service.d/network.conf", "[Service]\nPrivateNetwork=yes\n")
        made.sh("echo 'Acquire::Languages \"none\"; Acquire::Retries \"3\";' > /etc/apt/apt.conf.d/90test && apt-get update -q")
        made.sh("apt-get install -y -q --no-install-recommends /root/flipback.deb")
        made.sh("useradd --groups flipback member && useradd stranger")
        made.wait("the service", "systemctl is-active flipback", "active")
        yield made


def main_pid(host):
    return host.says("systemctl show flipback -p MainPID --value")


def comes_back(host, before):
    """Another process than before is ready."""
    host.wait("another process", f"test $(systemctl show flipback -p MainPID --value) -gt 0 -a $(systemctl show flipback -p MainPID --value) != {before} "
              "&& systemctl is-active flipback", "active", 40)


def test_lintian_finds_nothing(package):
    found = subprocess.run(["lintian", "--fail-on", "warning,error", "--tag-display-limit", "0", package], capture_output=True, text=True, timeout=120, check=False)
    said = [line for line in (found.stdout + found.stderr).splitlines() if not line.startswith(("N:", "running with root"))]
    assert (found.returncode, said) == (0, [])


def test_the_same_tree_elsewhere_gives_the_same_bytes(package, tmp_path):
    tree = tmp_path / "somewhere" / "else entirely"
    for name in ("CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "LICENSE", "include", "rules", "probes", "agent", "packaging"):
        path = os.path.join(ROOT, name)
        if os.path.isdir(path):
            shutil.copytree(path, tree / name, copy_function=shutil.copy)
        else:
            tree.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tree / name)
    with open(built(str(tree), str(tmp_path / "deb")), "rb") as other, open(package, "rb") as first:
        assert other.read() == first.read()


def test_its_bill_of_materials_names_what_it_is_made_of(unpacked):
    """Read by a parser of others; held against what the loader and the package itself say."""
    bill = unpacked / "usr" / "share" / "doc" / "flipback" / "flipback.spdx"
    read = subprocess.run([os.path.join(fetched("spdx"), "bin", "pyspdxtools"), "-i", bill], capture_output=True, text=True, timeout=120, check=False)
    assert read.returncode == 0, read.stdout + read.stderr
    text = bill.read_text()
    names = set(re.findall(r"^PackageName: (\S+)", text, re.MULTILINE))
    control = (unpacked / "DEBIAN" / "control").read_text()
    needed = {item.split()[0] for item in re.search(r"^Depends: (.*)$", control, re.MULTILINE)[1].split(", ")} - {"ca-certificates", "systemd"}
    assert needed <= names, needed - names
    assert {"libboost1.81-dev", "libcli11-dev", "libtomlplusplus-dev"} <= names, "what is headers alone is in the binary, too"
    for name, version in re.findall(r"^PackageName: (\S+)\n.*\nPackageVersion: (\S+)", text, re.MULTILINE):
        if name == "uplot":  # it is in the sources, and no package of Debian's
            with open(os.path.join(ROOT, "agent", "serve", "page", "uPlot.iife.min.js"), encoding="utf-8") as file:
                assert f"(v{version})" in file.readline()
        elif name != "flipback":
            assert version in subprocess.run(["dpkg-query", "-W", "-f", "${Version} ", name], capture_output=True, text=True, check=True).stdout.split(), name


def test_its_manual_of_the_configuration_has_every_key(unpacked):
    page = subprocess.run(["man", "-l", unpacked / "usr" / "share" / "man" / "man5" / "flipback.toml.5.gz"], capture_output=True, text=True, check=True,
                          env=dict(os.environ, MANWIDTH="400")).stdout
    assert "flipback.toml - configuration of flipback(1)" in page
    with open(os.path.join(ROOT, "packaging", "docs", "configuration.md"), encoding="utf-8") as file:
        keys = set(re.findall(r"^\| `([a-z_.]+)`", file.read(), re.MULTILINE))
    assert len(keys) > 30 and [key for key in keys if key not in page] == []


def test_no_path_of_the_build_is_in_it(unpacked):
    binary = (unpacked / "usr" / "bin" / "flipback").read_bytes()
    assert not re.search(rb"/flipback-[\d.]+/|" + re.escape(ROOT.encode()), binary)


def test_the_manual_page_and_the_completion_have_every_verb_and_option(host):
    def options(*of):
        shown = host.says(f"flipback {' '.join(of)} --help").split("Options:", 1)[1]
        return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", shown, re.MULTILINE)) - {"--help"}

    def verbs(*of):
        return re.findall(r"^  ([a-z]+) ", host.says(f"flipback {' '.join(of)} --help").split("Subcommands:", 1)[1], re.MULTILINE)

    def completed(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f". /usr/share/bash-completion/completions/flipback; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _flipback; "
                  "echo \"${COMPREPLY[@]}\"")
        return set(host.says(f"bash -c \"$(cat <<'S'\n{script}\nS\n)\"").split())

    page = host.says("zcat /usr/share/man/man1/flipback.1.gz").replace("\\-", "-")
    of_several_words = ("window", "notify")
    all_verbs = [(verb,) for verb in verbs() if verb not in of_several_words]
    all_verbs += [(first, verb) for first in of_several_words for verb in verbs(first)]
    assert len(all_verbs) > 10
    for words in ((), *all_verbs):
        head = page.split(".SH VERBS", 1)[0] if not words else re.split(r"^\.S[SH] ", page.split(f".SS \\fBflipback {' '.join(words)}\\fR", 1)[1], flags=re.MULTILINE)[0]
        assert [option for option in options(*words) if f"\\fB{option}\\fR" not in head] == [], words
        assert options(*words) <= completed("flipback", *words, "--"), words
    assert set(verbs()) <= completed("flipback", "")
    assert completed("flipback", "window", "") >= {"open", "close"}
    assert completed("flipback", "replay", "--format", "") == {"json", "text"}
    assert "/etc/flipback/flipback.toml" in completed("flipback", "--config", "/etc/flipback/f")
    assert completed("flipback", "hold", "--reason", "s") == set()


def test_as_installed_it_watches_and_does_not_act(host, package):
    assert host.says("dpkg-query -W -f '${Version}' flipback") in host.says("flipback version")
    assert "commit 0123456789ab" in host.says("flipback version")
    assert host.says("flipback validate /etc/flipback/flipback.toml").endswith("1 probes, 0 rules of its own")
    assert host.says("systemctl is-enabled flipback") == "enabled"
    assert "pass" in host.says("flipback status", user="member")
    refused = host.sh("flipback status", user="stranger", check=False)
    assert refused.returncode == 2 and "sudo flipback status" in refused.stderr
    sizes = host.says("dpkg-query -W -f '${Installed-Size}' flipback"), os.path.getsize(package) // 1024
    print(f"the package: {sizes[1]} KiB, installed {sizes[0]} KiB")
    assert int(sizes[0]) < 12 * 1024


def test_its_rights_are_few(host):
    shown = host.says("systemd-analyze security --offline=true --no-pager /lib/systemd/system/flipback.service")
    score = float(re.search(r"Overall exposure level for flipback.service: ([\d.]+)", shown)[1])
    print(f"systemd-analyze security: {score}")
    assert score <= 1.6
    status = host.says(f"cat /proc/{main_pid(host)}/status")
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE) and re.search(r"^Seccomp:\s*2$", status, re.MULTILINE)
    assert not re.search(r"^Cap\w+:\s*0*[1-9a-f]", status, re.MULTILINE)
    assert not re.search(r"^[UG]id:.*\b0\b", status, re.MULTILINE)
    assert host.says("stat -c '%a %U:%G' /run/flipback /var/lib/flipback /etc/flipback/credentials").splitlines() == [
        "750 flipback:flipback", "700 flipback:flipback", "700 root:root"]


def test_it_sees_the_processes_of_others_and_reads_logs_of_the_group_adm(host):
    host.sh("install -m 640 -g adm /dev/null /var/log/of-adm")
    seen = host.sh(f"nsenter -t {main_pid(host)} -m setpriv --reuid flipback --regid flipback --groups 4 sh -c 'cat /proc/1/stat && cat /var/log/of-adm'", check=False)
    assert seen.returncode == 0 and "systemd" in seen.stdout, seen.stderr
    assert "adm" in host.says(f"getent group $(awk '/^Groups/ {{print $2, $3}}' /proc/{main_pid(host)}/status)")


def drop_in(host, text):
    host.write("/run/systemd/system/flipback.service.d/sooner.conf", f"[Service]\n{text}\n")
    host.sh("systemctl daemon-reload && systemctl restart flipback")


def test_killed_it_is_started_again_however_often(host):
    drop_in(host, "RestartSec=50ms")
    for _ in range(8):  # more often than systemd's own limit, 5 in 10 s
        before = main_pid(host)
        host.sh(f"kill -9 {before}")
        comes_back(host, before)


def test_an_agent_that_stands_still_is_ended_by_the_watchdog_and_started_again(host):
    assert host.says("systemctl show flipback -p WatchdogUSec --value") == "20s"
    drop_in(host, "WatchdogSec=2")
    before = main_pid(host)
    host.sh("sleep 4")
    assert main_pid(host) == before, "a loop that goes round feeds it"
    host.sh(f"kill -STOP {before}")
    comes_back(host, before)
    assert "Watchdog timeout" in host.says("journalctl -u flipback --no-pager")
    host.sh("rm -r /run/systemd/system/flipback.service.d && systemctl daemon-reload && systemctl restart flipback")


def test_a_secret_and_a_variable_reach_the_configuration(host):
    """And nobody else: the secret is root's, and the service's."""
    before = host.says("cat /etc/flipback/flipback.toml")
    host.write("/etc/flipback/credentials/token", "hunter2\n", "600")
    host.write("/etc/flipback/flipback.env", "WATCHED=127.0.0.1:9\n", "600")
    host.write("/etc/systemd/system/flipback.service.d/token.conf", "[Service]\nLoadCredential=token:/etc/flipback/credentials/token\n")
    host.write("/etc/flipback/flipback.toml", before + '\n[probes.secret]\ntype = "http"\nurl = "http://${WATCHED}/"\n'
               'token_file = "${CREDENTIALS_DIRECTORY:-/etc/flipback/credentials}/token"\n')
    host.sh("systemctl daemon-reload && systemctl restart flipback")
    assert "hunter2" not in host.says("flipback status; journalctl -u flipback --no-pager; systemctl show flipback")
    assert host.sh("cat /etc/flipback/credentials/token || cat /run/credentials/flipback.service/token", user="stranger", check=False).returncode != 0
    host.write("/etc/flipback/flipback.toml", before + "\n")
    host.sh("rm /etc/systemd/system/flipback.service.d/token.conf && systemctl daemon-reload && systemctl restart flipback")


def test_a_reload_takes_a_good_file_and_refuses_a_bad_one(host):
    before, pid = host.says("cat /etc/flipback/flipback.toml"), main_pid(host)
    host.write("/etc/flipback/flipback.toml", before + "\n[probes.bad]\n")
    host.sh("systemctl reload flipback")
    host.wait("the refusal", "journalctl -u flipback --no-pager | grep -c config.rejected", "1")
    host.write("/etc/flipback/flipback.toml", before + DEPLOYMENT)
    host.sh("systemctl reload flipback")
    host.wait("the deployment", "journalctl -u flipback --no-pager | grep -c config.reloaded", "1")
    assert (main_pid(host), host.says("systemctl is-active flipback")) == (pid, "active")


def test_an_upgrade_keeps_what_was_decided_and_what_was_written(host, newer):
    """It comes after the reload, whose deployment it needs."""
    host.sh("flipback hold --for 2h --reason 'a migration'")
    written, before = host.says("cat /etc/flipback/flipback.toml"), main_pid(host)
    host.put(newer, "/root/newer.deb")
    host.sh("apt-get install -y -q /root/newer.deb")
    assert host.says("dpkg-query -W -f '${Version}' flipback").endswith("+newer")
    comes_back(host, before)
    assert host.says("cat /etc/flipback/flipback.toml") == written
    assert "a migration" in host.says("flipback status")


def test_a_downgrade_to_what_can_not_read_the_state_is_refused_and_any_other_keeps_it(host):
    """It comes after the upgrade and its hold. What stands in for a later version: another word of the installed one for the form of its state."""
    host.sh("mv /usr/bin/flipback /usr/bin/flipback.real")
    host.write("/usr/bin/flipback", '#!/bin/sh\n[ "$1" != version ] || { echo "state: form 99"; exit; }\nexec /usr/bin/flipback.real "$@"\n', "755")
    refused = host.sh("apt-get install -y -q --allow-downgrades /root/flipback.deb", check=False)
    assert refused.returncode != 0 and "is in form 99, and this version reads forms up to" in refused.stdout + refused.stderr
    assert host.says("dpkg-query -W -f '${Version} ${db:Status-Status}' flipback").endswith("+newer installed")
    host.sh("mv /usr/bin/flipback.real /usr/bin/flipback")
    host.wait("the service", "systemctl is-active flipback", "active")
    before = main_pid(host)
    host.sh("apt-get install -y -q --allow-downgrades /root/flipback.deb")
    comes_back(host, before)
    assert not host.says("dpkg-query -W -f '${Version}' flipback").endswith("+newer")
    assert "a migration" in host.says("flipback status")


def test_removed_it_keeps_state_and_configuration_and_purged_nothing(host):
    host.sh("apt-get remove -y -q flipback")
    assert host.says("systemctl is-active flipback", check=False) == "inactive"
    assert not host.says("pgrep -x flipback || ls /usr/bin/flipback /lib/systemd/system/flipback.service /run/flipback 2>/dev/null", check=False)
    assert host.says("ls /etc/flipback/flipback.toml /etc/flipback/credentials/token /var/lib/flipback/flipback.db")
    host.sh("apt-get purge -y -q flipback && rm -r /etc/systemd/system/flipback.service.d && systemctl daemon-reload")
    left = host.says("find / -xdev -name '*flipback*' -not -path '/proc/*' -not -path '/root/*' -not -path '/var/lib/docker/*'; find /run -name '*flipback*'").split()
    assert [path for path in left if not path.startswith("/var/mail/")] == []
    assert host.says("getent passwd flipback"), "files elsewhere may be its own: the user stays, as Debian's do"
