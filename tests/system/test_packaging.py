"""What the package is made of, held against what the tree says: no package is built here (tests/system/full/test_package.py does)."""

import glob
import os
import re
import subprocess

import pytest
from conftest import BINARY, ROOT

PACKAGING = os.path.join(ROOT, "packaging")


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def run(*words, **how):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=20, check=False, **how)


def project_version():
    return re.search(r"^project\(flipback VERSION ([\d.]+) ", text_of("CMakeLists.txt"), re.MULTILINE)[1]


def test_the_version_is_the_projects_and_the_changelogs_newest():
    assert re.search(r"^## (\S+)", text_of("CHANGELOG.md"), re.MULTILINE)[1] == project_version()
    assert run("version").stdout == run("--version").stdout
    first, libraries, form = run("version").stdout.splitlines()
    assert re.fullmatch(r"state: form \d+", form)
    assert re.fullmatch(rf"flipback {re.escape(project_version())}, commit ([0-9a-f]{{12}}(-dirty)?|unknown)", first)
    told = {name: version for name, version in re.findall(r"(\S+) ([\d.]+)(?:, |$)", libraries)}
    assert len(told) == len(libraries.split(", ")), libraries


def test_each_library_that_is_linked_tells_its_version():
    # What the compiler brings, what others bring with them, and what has the same version as another.
    not_asked = {"stdc++", "m", "gcc_s", "c", "crypto", "boost_container"}
    names = {"sqlite3": "SQLite", "ssl": "OpenSSL", "pq": "libpq", "hiredis": "hiredis", "cares": "c-ares", "expat": "Expat", "fmt": "fmt",
             "tomlplusplus": "toml++", "boost_json": "Boost", "prometheus-cpp-core": "prometheus-cpp", "yaml-cpp": "yaml-cpp"}
    needed = subprocess.run(["readelf", "-d", BINARY], capture_output=True, text=True, check=True).stdout
    linked = set(re.findall(r"\(NEEDED\).*\[lib(\S+?)\.so", needed)) - not_asked
    libraries = run("version").stdout.splitlines()[1]
    assert linked == set(names)
    assert [name for name in linked if f"{names[name]} " not in libraries] == []


def test_the_package_is_built_with_what_building_needs():
    control = re.search(r"^Build-Depends:((?: .*\n)+)", text_of("packaging", "debian", "control"), re.MULTILINE)[1]
    asked = {item.split("|")[0].split("(")[0].strip() for item in control.split(",")}
    script = text_of("packaging", "install-packages")
    installed = set(re.search(r"^packages=\((.*?)\)$", script, re.MULTILINE | re.DOTALL)[1].split())
    boost = {f"libboost{part}1.81-dev" for part in ("", "-json")}
    assert asked - installed == {"debhelper-compat", "lowdown"} | boost
    assert {name for name in installed if name.endswith("-dev")} - asked == {"doctest-dev", "libclang-rt-19-dev"}, "libraries for the tests alone"


def test_the_installed_configuration_is_good_and_acts_on_nothing():
    done = run("validate", os.path.join(PACKAGING, "flipback.toml"), env={})
    assert (done.returncode, done.stderr) == (0, "") and "a deployment" not in done.stdout, done


def test_what_is_switched_off_in_it_is_good_too_and_would_observe(tmp_path):
    secrets = tmp_path / "credentials"
    secrets.mkdir()
    (secrets / "postgres").write_text("hunter2\n")
    text = re.sub(r"^#(?=[^ #\n])", "", text_of("packaging", "flipback.toml"), flags=re.MULTILINE)
    assert re.search(r'^mode\s*= "observe"$', text, re.MULTILINE)
    (tmp_path / "flipback.toml").write_text(text)
    done = run("validate", tmp_path / "flipback.toml", env={"CREDENTIALS_DIRECTORY": str(secrets)})
    assert done.returncode == 0 and ": 4 probes, 0 rules of its own, a deployment" in done.stdout, done


@pytest.mark.parametrize("example", sorted(glob.glob(os.path.join(PACKAGING, "examples", "*.toml"))), ids=os.path.basename)
def test_each_example_is_good_and_observes(example):
    assert 'mode       = "observe"' in text_of(example)
    done = run("validate", example)
    assert done.returncode == 0 and ", a deployment" in done.stdout, done


def test_each_kind_of_switch_has_its_example():
    """By the keys that the configuration's table of switches names."""
    table = text_of("packaging/docs/configuration.md").split("| switch | in `[deployment]`", 1)[1].split("\n\n", 1)[0]
    keys = {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[2])}
    assert len(keys) >= 4
    shown = "".join(text_of(path) for path in glob.glob(os.path.join(PACKAGING, "examples", "*.toml")))
    assert [key for key in keys if not re.search(rf"^{key}\b", shown, re.MULTILINE)] == []


def test_what_stands_beside_nginx_in_a_container_observes_and_reads_nginxs_log():
    docker = os.path.join(PACKAGING, "docker")
    written = text_of("packaging", "docker", "flipback.toml")
    assert 'mode       = "observe"' in written
    done = run("validate", os.path.join(docker, "flipback.toml"))
    assert done.returncode == 0 and ", a deployment" in done.stdout, done
    log_format = re.search(r"log_format flipback(.*?);", text_of("packaging", "nginx", "flipback-log.conf"), re.DOTALL)[1].split()
    assert re.search(r"log_format flipback(.*?);", text_of("packaging", "docker", "nginx.conf"), re.DOTALL)[1].split() == log_format
    assert text_of("packaging", "docker", "sites", "live.conf") == text_of("packaging", "docker", "sites", "blue")
    shared = set(re.findall(r"(/(?:etc|var|run)/[\w/]+)(?::|$)", text_of("packaging", "docker", "compose.yml"), re.MULTILINE))
    for path in re.findall(r'(?:live_site|site|path)\s*= "([^"]+)"', written):
        assert os.path.dirname(path) in shared, path


def test_the_units_folders_are_those_of_the_code():
    unit, defaults = text_of("packaging", "systemd", "flipback.service"), text_of("agent", "config", "configuration.hpp")
    assert "RuntimeDirectory=flipback\n" in unit and 'usual_socket = "/run/flipback/' in defaults
    assert "StateDirectory=flipback\n" in unit and 'state = "/var/lib/flipback/' in defaults
