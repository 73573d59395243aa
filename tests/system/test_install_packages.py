"""packaging/install-packages on hosts that are not this one: what it asks of apt, in which order, and what it would install."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT

SCRIPT = os.path.join(ROOT, "packaging", "install-packages")

# A Debian that knows of its packages what its lists say, once they are there; every call is written down.
FAKE = """#!{python} -IS
import json, os, sys
home = {home!r}
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
with open(os.path.join(home, "host")) as file:
    host = json.load(file)
with open(os.path.join(home, "calls"), "a") as file:
    file.write(" ".join([name, *words]) + "\\n")
known = host["listed"] or os.path.exists(os.path.join(home, "updated"))
versions = host["versions"] if known else {{}}
if name == "id":
    print(1000)
elif name == "sudo":
    if words[0] == "env":
        words = [w for w in words[1:] if "=" not in w]
    if words[0] == "apt-get":
        os.execv(os.path.join(home, "apt-get"), words)
    elif words[0] == "tee":
        sys.stdin.read()
elif name == "dpkg-query":
    line = words[words.index("-f") + 1].replace("${{db:Status-Status}}", "installed").replace("\\\\n", "\\n")
    asked = [w for w in words[words.index("-f") + 2:] if w in host["installed"]] if len(words) > 3 else host["installed"]
    for package in asked:
        print(line.replace("${{Package}}", package).replace("${{Version}}", host["installed"][package]), end="")
    if not asked and len(words) > 3:
        sys.exit(1)
elif name == "apt-cache" and words[0] == "show":
    sys.exit(0 if words[1] in versions or known and words[1] in host["virtual"] else 100)
elif name == "apt-cache" and words[0] == "policy":
    version = host["installed"].get(words[1]) or versions.get(words[1])
    if version or known and words[1] in host["virtual"]:
        print(f"{{words[1]}}:\\n  Installed: (none)\\n  Candidate: {{version or '(none)'}}\\n  Version table:")
elif name == "apt-get" and "update" in words:
    open(os.path.join(home, "updated"), "w").close()
elif name == "apt-get" and "install" in words:
    asked = [w for w in words[words.index("install") + 1:] if not w.startswith("-")]
    for package in asked:
        if not any(word in package for word in ("boost", "multipart")):
            continue
        if package not in versions:
            print(f"E: Unable to locate package {{package}}", file=sys.stderr)
            sys.exit(100)
"""

# What differs between the two, as their archives have it.
DEBIAN_12 = {"libboost-dev": "1.74.0.3", "libboost1.81-dev": "1.81.0-5+deb12u1", "libboost-json1.81-dev": "1.81.0-5+deb12u1",
             "python3-multipart": "0.0.5-3"}
DEBIAN_13 = {"libboost-dev": "1.83.0.2+b2", "libboost-json-dev": "1.83.0.2+b2", "libboost1.83-dev": "1.83.0-4.2", "libboost-json1.83-dev": "1.83.0-4.2",
             "python3-multipart": "1.2.1-2", "python3-python-multipart": "0.0.20-1.1"}


class Host:
    def __init__(self, folder):
        self.folder = str(folder)
        for name in ("apt-cache", "apt-get", "dpkg-query", "id", "sudo"):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(FAKE.format(python=sys.executable, home=self.folder))
            os.chmod(path, 0o755)

    def run(self, versions, listed=True, installed=None, virtual=()):
        """The exit status, what apt-get was asked to install, and every call."""
        with open(os.path.join(self.folder, "host"), "w", encoding="utf-8") as file:
            json.dump({"versions": versions, "listed": listed, "installed": installed or {}, "virtual": list(virtual)}, file)
        for name in ("calls", "updated"):
            if os.path.exists(os.path.join(self.folder, name)):
                os.unlink(os.path.join(self.folder, name))
        done = subprocess.run([SCRIPT], env=dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}"), capture_output=True, text=True, timeout=60,
                              check=False)
        with open(os.path.join(self.folder, "calls"), encoding="utf-8") as file:
            calls = file.read().splitlines()
        asked = [word for call in calls if call.startswith("apt-get") and " install " in call for word in call.split()]
        return done, [word for word in asked if word not in ("apt-get", "install") and not word.startswith("-")], calls


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def those_that_differ(asked):
    return {package for package in asked if "boost" in package or "multipart" in package}


def needed(host):
    """Every package that the script names, but those that differ."""
    asked = host.run(DEBIAN_12)[1]
    return set(asked) - those_that_differ(asked)


@pytest.mark.parametrize("listed", [False, True], ids=["without lists", "with lists"])
def test_on_debian_12_the_newer_boost_is_installed(host, listed):
    done, asked, calls = host.run(DEBIAN_12, listed)
    assert done.returncode == 0, done.stderr
    assert those_that_differ(asked) == {"libboost1.81-dev", "libboost-json1.81-dev", "python3-multipart"}
    assert {"clang-19", "nginx-light", "python3-fastapi"} <= set(asked)
    assert "update" in [call for call in calls if call.startswith("apt-")][0], "apt was asked before it had lists"


@pytest.mark.parametrize("listed", [False, True], ids=["without lists", "with lists"])
def test_on_debian_13_the_default_boost_is_installed_though_the_other_name_is_known(host, listed):
    done, asked, _ = host.run(DEBIAN_13, listed, virtual=["libboost1.81-dev", "libboost-json1.81-dev"])
    assert done.returncode == 0, done.stderr
    assert those_that_differ(asked) == {"libboost-dev", "libboost-json-dev", "python3-python-multipart"}


@pytest.mark.parametrize("debian", [DEBIAN_12, DEBIAN_13], ids=["Debian 12", "Debian 13"])
@pytest.mark.parametrize("listed", [False, True], ids=["without lists", "with lists"])
def test_where_all_is_there_neither_apt_nor_root_is_needed(host, debian, listed):
    installed = {package: "1" for package in needed(host)} | debian
    done, asked, calls = host.run(debian, listed, installed)
    assert done.returncode == 0, done.stderr
    assert asked == [] and not any(call.startswith(("sudo", "apt-get")) for call in calls)


def test_where_only_the_old_boost_is_there_the_newer_one_is_installed(host):
    installed = {package: "1" for package in needed(host)} | {"libboost-dev": "1.74.0.3", "python3-multipart": "0.0.5-3"}
    done, asked, _ = host.run(DEBIAN_12, False, installed)
    assert done.returncode == 0, done.stderr
    assert set(asked) == {"libboost1.81-dev", "libboost-json1.81-dev"}


def test_what_apt_refuses_is_not_hidden(host):
    done, _, _ = host.run({}, False)
    assert done.returncode != 0 and "Unable to locate package libboost" in done.stderr
