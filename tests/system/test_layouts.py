"""Hosts that are not ours: nginx as people have laid it out, and their own ways of cutting over. Each is noticed, rolled back and proven,
with every byte that a person wrote as it was."""

import pytest
from cutting_over import BY_SITE, SITE, is_cut_over_and_rolled_back, sites, start, two_live_sites
from layout import SERVER

UPSTREAM = "upstream api { server 127.0.0.1:%(blue)s; }\n"


# A file for each slot, copied over the one that nginx reads.


def test_a_file_for_each_slot_that_is_copied(lay_out):
    layout = lay_out(sites({"sites-enabled/default": SITE.format(slot="blue")}))
    is_cut_over_and_rolled_back(layout, start(layout, *BY_SITE), lambda: layout.copy("sites-available/green", "sites-enabled/default"))


@pytest.mark.parametrize("to", ["../sites-available/{}", "%(dir)s/sites-available/{}"], ids=["relative", "absolute"])
@pytest.mark.parametrize("switch", ["site", "link"])
def test_a_link_to_a_slots_file(lay_out, switch, to):
    layout = lay_out(sites({"sites-enabled/default": ("link", to.format("blue"))}))
    by_link = ('live_link = "%(dir)s/sites-enabled/default"', f'target = "{to.format("blue")}"', f'target = "{to.format("green")}"')
    agent = start(layout, *(BY_SITE if switch == "site" else by_link))
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.link(layout.fill(to.format("green")), "sites-enabled/default"))


def test_a_link_to_a_slots_folder(lay_out):
    files = {f"releases/{slot}/api.conf": SITE.format(slot=slot) for slot in ("blue", "green")}
    layout = lay_out(files | {"current": ("link", "releases/blue"), "conf.d/live.conf": "include %(dir)s/current/*.conf;\n"})
    agent = start(layout, 'live_link = "%(dir)s/current"', 'target = "releases/blue"', 'target = "releases/green"')
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.link("releases/green", "current"))


# One file, of which a piece says which slot is live.


def test_a_one_line_include(lay_out):
    files = {f"slots/{slot}.conf": f"upstream api {{ server 127.0.0.1:%({slot})s; }}\n" for slot in ("blue", "green")}
    layout = lay_out(files | {"conf.d/live.conf": "include %(dir)s/slots/blue.conf;\n", "sites-enabled/api": SERVER})
    agent = start(layout, 'live_site = "%(dir)s/conf.d/live.conf"', 'text = ["slots/blue.conf"]', 'text = ["slots/green.conf"]')
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.write("conf.d/live.conf", "include %(dir)s/slots/green.conf;\n"))


def test_an_upstream_that_is_edited_by_sed(lay_out):
    layout = lay_out({"sites-enabled/api": "# was server 127.0.0.1:%(green)s; until May\n" + UPSTREAM + SERVER})
    agent = start(layout, 'live_site = "%(dir)s/sites-enabled/api"', 'text = ["server 127.0.0.1:%(blue)s;"]', 'text = ["server 127.0.0.1:%(green)s;"]')
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.sed("/^upstream/s/:%(blue)s;/:%(green)s;/", "sites-enabled/api"))


def test_the_default_of_a_map(lay_out):
    pools = "".join(f"upstream {slot} {{ server 127.0.0.1:%({slot})s; }}\n" for slot in ("blue", "green"))
    live = "map $http_x_pool $pool {\n  default blue;  # the live one\n  green green;\n}\n"
    layout = lay_out({"conf.d/pools.conf": pools, "conf.d/live.conf": live, "sites-enabled/api": SERVER.replace("http://api", "http://$pool")})
    agent = start(layout, 'live_site = "%(dir)s/conf.d/live.conf"', 'text = ["default blue;"]', 'text = ["default green;"]')
    is_cut_over_and_rolled_back(layout, agent, lambda: layout.write("conf.d/live.conf", live.replace("default blue;", "default green;")))


def test_several_live_files_each_with_its_own(lay_out):
    layout = lay_out(two_live_sites())
    each = ", ".join(f'{{ live = "%(dir)s/sites-enabled/{name}", blue = "%(dir)s/sites-available/{name}-blue", '
                     f'green = "%(dir)s/sites-available/{name}-green" }}' for name in ("upstream", "api"))
    agent = start(layout, f"live_sites = [{each}]", "", "")

    def flip():
        for name in ("upstream", "api"):
            layout.copy(f"sites-available/{name}-green", f"sites-enabled/{name}")

    is_cut_over_and_rolled_back(layout, agent, flip)
