"""nginx in a container, with a folder of the host's mounted into it, or a single file: the container is a mount namespace of its own."""

import os
import time

import pytest
from conftest import Agent, Traffic
from cutting_over import SITE, goes_bad_and_is_rolled_back, is_watched, sites, start
from layout import Layout
from processes import program


class Mounted(Layout):
    """An nginx to which `host/<what>` below the folder is mounted at `conf.d/<what>`; its owner works in `host`."""

    def __init__(self, *arguments, what="", **how):
        super().__init__(*arguments, **how)
        self.what = what

    def start(self):
        self.lay_out()
        at = self.path("conf.d", self.what).rstrip("/")
        if self.what:
            with open(at, "w", encoding="utf-8"):
                pass  # Docker makes the mount point, too
        self.within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"',
                       self.path("host", self.what).rstrip("/"), at]
        self.start_nginx()
        self.within = ["nsenter", "--mount", "--target", str(self.nginx.pid)]

    def seen_from_outside(self):
        """[nginx] for an agent on the host: it reaches into the container by commands, as by `docker exec`."""
        def argv(*words):
            return "[" + ", ".join(f'"{word}"' for word in words) + "]"

        return (f'binary = "{program("nginx")}"\nconf = "{self.path("nginx.conf")}"\nerror_log = "{self.path("error.log")}"\nreload = "command"\n'
                f'reload_command = {argv(*self.within, *self.nginx_command("-s", "reload"))}\n'
                f'test_command = {argv(*self.within, *self.nginx_command("-t"))}\npid_command = {argv("echo", str(self.nginx.pid))}\n')


@pytest.fixture
def mount(tmp_path, stack):
    made = []

    def start_one(what=""):
        made.append(Mounted(tmp_path / "host", stack, sites({"host/default.conf": SITE.format(slot="blue")}), what=what))
        return made[-1].__enter__()

    yield start_one
    for layout in made:
        layout.stop()


OUTSIDE = ('live_site = "%(dir)s/host/default.conf"', 'site = "%(dir)s/sites-available/blue"', 'site = "%(dir)s/sites-available/green"')
INSIDE = (OUTSIDE[0].replace("host/", "conf.d/"), *OUTSIDE[1:])
IN_PLACE = '\nwrite = "in_place"'


def is_cut_over_and_rolled_back(layout, agent):
    Traffic(layout)
    before = is_watched(layout, agent)
    layout.copy("sites-available/green", "host/default.conf")
    layout.reload()
    goes_bad_and_is_rolled_back(layout, agent, before)


def test_a_mounted_folder_is_switched_from_the_host(mount):
    layout = mount()
    is_cut_over_and_rolled_back(layout, start(layout, *OUTSIDE, nginx=layout.seen_from_outside()))


def inside(layout, switch):
    """An agent beside nginx, in its container."""
    text = layout.configuration(switch, *INSIDE[1:])
    return Agent(layout, layout.write_configuration(text), within=layout.within).ready()


def is_refused(layout, agent):
    said = agent.wait("deployment.not_ready", blocking=True)
    assert "mount" in said["says"] and 'write = "in_place"' in said["says"], said
    Traffic(layout)
    agent.wait("deployment.baseline", live="blue")
    layout.copy("sites-available/green", "host/default.conf")
    layout.reload()
    agent.wait("deployment.cutover", live="green")
    layout.stack.go_bad("green", "errors 0.5")
    blocked = agent.wait("rollback.blocked", guard="ready")
    assert 'write = "in_place"' in blocked["says"], blocked
    kept = layout.tree(), os.stat(layout.path("host", "default.conf")).st_ino
    time.sleep(2)
    assert agent.of("rollback.decided") == []
    assert (layout.tree(), os.stat(layout.path("host", "default.conf")).st_ino) == kept


def test_a_mounted_file_is_refused_in_the_container_until_it_is_written_in_place(mount):
    layout = mount("default.conf")
    is_refused(layout, inside(layout, INSIDE[0]))


def test_a_mounted_file_is_switched_in_place_in_the_container(mount):
    layout = mount("default.conf")
    node = os.stat(layout.path("host", "default.conf")).st_ino
    is_cut_over_and_rolled_back(layout, inside(layout, INSIDE[0] + IN_PLACE))
    assert os.stat(layout.path("host", "default.conf")).st_ino == node


def test_a_file_that_is_mounted_into_a_container_is_refused_on_the_host_until_it_is_written_in_place(mount):
    layout = mount("default.conf")
    is_refused(layout, start(layout, *OUTSIDE, nginx=layout.seen_from_outside()))


def test_a_file_that_is_mounted_into_a_container_is_switched_in_place_from_the_host(mount):
    layout = mount("default.conf")
    is_cut_over_and_rolled_back(layout, start(layout, OUTSIDE[0] + IN_PLACE, *OUTSIDE[1:], nginx=layout.seen_from_outside()))
