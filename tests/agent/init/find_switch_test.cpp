#include "agent/init/find_switch.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"
#include "probes/nginx/dump.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using init::text_file;

namespace {

std::string dump(const std::vector<text_file>& files) {
  std::string all;
  for (const text_file& f : files) all += "# configuration file " + f.path + ":\n" + f.text + "\n";
  return all;
}

const text_file main_file{"/etc/nginx/nginx.conf", "http { include sites-enabled/*; }"};

std::string site(const std::string& port) {
  return "server { listen 80; server_name api.example.com; location / { proxy_pass http://127.0.0.1:" + port + "; } }\n";
}

std::expected<init::switch_seen, std::string> found(std::vector<text_file> read, const std::vector<text_file>& beside,
                                                    std::vector<init::link> links = {}) {
  read.insert(read.begin(), main_file);
  init::nginx_seen seen{"/usr/sbin/nginx", dump(read), std::move(links), read};
  seen.beside.insert(seen.beside.end(), beside.begin(), beside.end());
  return init::find_switch(seen, rollback::configuration_in(seen.dump, "/"));
}

}  // namespace

TEST_CASE("a_name_has_a_counterpart_where_a_word_of_it_is_a_slots") {
  CHECK(init::counterpart("sites/blue.conf") == "sites/green.conf");
  CHECK(init::counterpart("api-green") == "api-blue");
  CHECK(init::counterpart("blue/green/api2") == "blue/blue/api2");
  CHECK(init::counterpart("blue2") == "green2");
  CHECK_FALSE(init::counterpart("bluetooth"));
  CHECK_FALSE(init::counterpart("evergreen"));
  CHECK_FALSE(init::counterpart(""));
}

TEST_CASE("a_live_file_that_says_what_a_slots_file_says_is_a_site") {
  const auto seen = found({{"/etc/nginx/sites-enabled/default", site("8001")}},
                          {{"/etc/nginx/sites-available/blue", site("8000")}, {"/etc/nginx/sites-available/green", site("8001")}});
  REQUIRE(seen.has_value());
  CHECK(seen->kind == config::switch_kind::site);
  CHECK(seen->slots[0].name == "blue");
  CHECK(seen->slots[0].sites.front() == "/etc/nginx/sites-available/blue");
  CHECK(seen->slots[1].addresses == std::vector<std::string>{"127.0.0.1:8001"});
  CHECK(seen->doubt.empty());
}

TEST_CASE("files_that_differ_in_an_address_alone_are_slots_without_names") {
  const std::vector<text_file> available{{"/etc/nginx/sites-available/api", site("8000")},
                                         {"/etc/nginx/sites-available/next", site("8001")}};
  const auto seen = found({{"/etc/nginx/sites-enabled/api", site("8001")}}, available);
  REQUIRE(seen.has_value());
  CHECK(seen->slots[0].sites.front() == "/etc/nginx/sites-available/api");
  std::vector<text_file> three = available;
  three.push_back({"/etc/nginx/sites-available/third", site("8002")});
  CHECK_FALSE(found({{"/etc/nginx/sites-enabled/api", site("8001")}}, three).has_value());  // of three nobody can tell
}

TEST_CASE("a_usual_link_of_debians_is_no_switch") {
  CHECK_FALSE(found({{"/etc/nginx/sites-enabled/default", site("8000")}}, {{"/etc/nginx/sites-available/default", site("8000")}},
                    {{"/etc/nginx/sites-enabled/default", "/etc/nginx/sites-available/default"}})
                  .has_value());
}

TEST_CASE("two_vhosts_that_are_both_enabled_are_no_slots") {
  const auto linked = [](const std::string& one, const std::string& other) {
    const std::string enabled = "/etc/nginx/sites-enabled/";
    const std::string available = "/etc/nginx/sites-available/";
    return found({{enabled + one, site("8000")}, {enabled + other, site("8001")}},
                 {{available + one, site("8000")}, {available + other, site("8001")}},
                 {{enabled + one, "../sites-available/" + one}, {enabled + other, available + other}});
  };
  CHECK_FALSE(linked("blue", "green").has_value());
  CHECK_FALSE(linked("api-blue", "api-green").has_value());
  CHECK_FALSE(linked("api", "web").has_value());
  // The same where they are copies.
  CHECK_FALSE(found({{"/etc/nginx/sites-enabled/blue", site("8000")}, {"/etc/nginx/sites-enabled/green", site("8001")}},
                    {{"/etc/nginx/sites-available/blue", site("8000")}, {"/etc/nginx/sites-available/green", site("8001")}})
                  .has_value());
}

TEST_CASE("a_link_of_a_folder_that_is_a_link_itself_is_followed") {
  CHECK_FALSE(found({{"/etc/nginx/on/a", site("8000")}, {"/etc/nginx/on/b", site("8001")}},
                    {{"/srv/off/blue", site("8000")}, {"/srv/off/green", site("8001")}},
                    {{"/etc/nginx/on", "/srv/on"}, {"/etc/nginx/on/a", "/srv/off/blue"}, {"/etc/nginx/on/b", "/srv/off/green"}})
                  .has_value());
  const auto seen = found({{"/etc/nginx/on/live", site("8000")}}, {{"/srv/off/blue", site("8000")}, {"/srv/off/green", site("8001")}},
                          {{"/etc/nginx/on", "/srv/on/"}, {"/etc/nginx/on/live", "/srv/off/blue"}});
  REQUIRE(seen.has_value());
  CHECK(seen->live == std::vector<std::string>{"/etc/nginx/on/live"});
}

TEST_CASE("a_link_that_is_called_after_a_slot_is_doubted") {
  const std::vector<text_file> available{{"/etc/nginx/sites-available/blue", site("8000")},
                                         {"/etc/nginx/sites-available/green", site("8001")}};
  const auto doubt = [&](const std::string& name) {
    return found({{"/etc/nginx/sites-enabled/" + name, site("8000")}}, available,
                 {{"/etc/nginx/sites-enabled/" + name, "../sites-available/blue"}})
        .value()
        .doubt;
  };
  CHECK(doubt("blue").starts_with("/etc/nginx/sites-enabled/blue is called after a slot itself"));
  CHECK(doubt("default").empty());
}

TEST_CASE("an_include_of_each_of_two_slots_is_no_switch") {
  const std::string blue = "/etc/nginx/slots/blue.conf";
  const std::string green = "/etc/nginx/slots/green.conf";
  const std::vector<text_file> read{{"/etc/nginx/sites-enabled/a", "include slots/blue.conf;"}, {blue, site("8000")}};
  CHECK(found(read, {{green, site("8001")}}).has_value());
  std::vector<text_file> both = read;
  both.insert(both.end(), {{"/etc/nginx/sites-enabled/b", "include slots/green.conf;"}, {green, site("8001")}});
  CHECK_FALSE(found(both, {}).has_value());
}

namespace {

std::string pools(const std::string& of, const std::string& blues, const std::string& greens) {
  return "upstream " + of + "-blue { server 127.0.0.1:" + blues + "; } upstream " + of + "-green { server 127.0.0.1:" + greens + "; }\n";
}

std::string passing_to(const std::string& pool) {
  return "server { listen 80; location / { proxy_pass http://" + pool + "; } }\n";
}

const text_file both_pools{"/etc/nginx/conf.d/pools.conf", pools("crm", "9000", "9001") + pools("shop", "8000", "8001")};

}  // namespace

TEST_CASE("of_two_applications_one_is_taken_and_the_other_is_said") {
  const auto seen = found(
      {both_pools, {"/etc/nginx/sites-enabled/crm", passing_to("crm-green")}, {"/etc/nginx/sites-enabled/shop", passing_to("shop-blue")}},
      {});
  REQUIRE(seen.has_value());
  CHECK(seen->live == std::vector<std::string>{"/etc/nginx/sites-enabled/crm"});
  CHECK(seen->left == std::vector<std::string>{"An upstream's name: /etc/nginx/sites-enabled/shop says http://shop-blue, and there is an "
                                               "upstream shop-green too."});
}

TEST_CASE("two_applications_in_one_file_are_two") {
  const auto seen = found({both_pools, {"/etc/nginx/sites-enabled/all", passing_to("crm-green") + passing_to("shop-blue")}}, {});
  REQUIRE(seen.has_value());
  CHECK(seen->slots[0].addresses == std::vector<std::string>{"127.0.0.1:9000"});
  CHECK(seen->left.size() == 1);
}

TEST_CASE("two_servers_that_lead_to_another_slot_each_are_said") {
  const auto seen = found({both_pools,
                           {"/etc/nginx/sites-enabled/preview", passing_to("shop-green")},
                           {"/etc/nginx/sites-enabled/shop", passing_to("shop-blue")}},
                          {});
  REQUIRE(seen.has_value());
  CHECK(seen->left.size() == 1);
}

TEST_CASE("site_files_of_two_applications_are_not_one_deployment") {
  const auto file = [](const std::string& name, const std::string& port) {
    return text_file{"/etc/nginx/" + name, "# " + name.substr(name.rfind('/')) + "\n" + site(port)};
  };
  const std::vector<text_file> available{file("sites-available/crm-blue", "9000"), file("sites-available/crm-green", "9001"),
                                         file("sites-available/shop-blue", "8000"), file("sites-available/shop-green", "8001")};
  for (const std::size_t live_of_shop : {2U, 3U}) {
    const auto seen = found(
        {{"/etc/nginx/sites-enabled/crm", available[0].text}, {"/etc/nginx/sites-enabled/shop", available[live_of_shop].text}}, available);
    REQUIRE(seen.has_value());
    CHECK(seen->live == std::vector<std::string>{"/etc/nginx/sites-enabled/crm"});
    CHECK(seen->slots[1].addresses == std::vector<std::string>{"127.0.0.1:9001"});
    REQUIRE(seen->left.size() == 1);
    CHECK(seen->left.front().starts_with("A site file: /etc/nginx/sites-enabled/shop says what"));
  }
}

TEST_CASE("one_application_that_is_found_in_several_ways_leaves_nothing") {
  const auto seen = found({{"/etc/nginx/sites-enabled/default", "# was server 127.0.0.1:8001;\n" + site("8000")}},
                          {{"/etc/nginx/sites-available/blue", "# was server 127.0.0.1:8001;\n" + site("8000")},
                           {"/etc/nginx/sites-available/green", site("8001")}});
  REQUIRE(seen.has_value());
  CHECK(seen->kind == config::switch_kind::site);
  CHECK(seen->left.empty());
}

TEST_CASE("what_shows_no_slots_takes_the_place_of_nothing") {
  const auto seen =
      found({both_pools, {"/etc/nginx/sites-enabled/a", site("7000")}, {"/etc/nginx/sites-enabled/shop", passing_to("shop-blue")}},
            {{"/etc/nginx/sites-available/blue", site("7000")}, {"/etc/nginx/sites-available/green", site("7000") + "# green"}});
  REQUIRE(seen.has_value());
  CHECK(seen->slots[0].addresses == std::vector<std::string>{"127.0.0.1:8000"});
  REQUIRE(seen->left.size() == 1);
  CHECK(seen->left.front().ends_with("But both pass requests on to the same servers."));
}

TEST_CASE("a_maps_default_is_found_as_it_is_written") {
  const auto piece = [](const std::string& map) {
    const auto seen = found({both_pools, {"/etc/nginx/conf.d/map.conf", "map $http_x $pool {" + map + "}\n"}}, {});
    return seen ? seen->slots[0].text + " " + seen->slots[1].text : "none";
  };
  CHECK(piece(" default shop-blue; ") == "default shop-blue; default shop-green;");
  CHECK(piece(" \"default\" shop-blue; ") == "\"default\" shop-blue; \"default\" shop-green;");
  CHECK(piece("'default'\t \"shop-green\" ;") == "'default'\t \"shop-blue\" ; 'default'\t \"shop-green\" ;");
  // To nginx this is the value "default", and the map has no default at all.
  CHECK(piece(" \\default shop-blue; ") == "none");
  CHECK(piece(" # default shop-blue;\n") == "none");
}

TEST_CASE("a_pool_that_is_written_in_two_ways_is_doubted") {
  const auto seen = found(
      {both_pools, {"/etc/nginx/conf.d/map.conf", "map $http_x $a { default shop-blue; }\nmap $http_x $b { \"default\" shop-blue; }\n"}},
      {});
  REQUIRE(seen.has_value());
  CHECK(seen->doubt.contains("says it in 2 ways (default shop-blue; \"default\" shop-blue;)"));
}

TEST_CASE("slots_that_lead_to_the_same_servers_are_none") {
  const auto seen =
      found({{"/etc/nginx/sites-enabled/default", site("8000")}},
            {{"/etc/nginx/sites-available/blue", site("8000")}, {"/etc/nginx/sites-available/green", site("8000") + "# green"}});
  REQUIRE_FALSE(seen.has_value());
  CHECK(seen.error().ends_with("But both pass requests on to the same servers."));
}

TEST_CASE("two_addresses_in_comments_are_no_slots") {
  const std::string one = "# server 127.0.0.1:8001;\n";
  CHECK(found({{"/etc/nginx/sites-enabled/api", one + site("8000")}}, {}).has_value());
  CHECK_FALSE(found({{"/etc/nginx/sites-enabled/api", one + "# server 127.0.0.1:8002;\n" + site("8000")}}, {}).has_value());
}

TEST_CASE("users_come_in_where_a_server_listens") {
  const auto door = [](const std::string& server) {
    const init::sites all = init::sites_in(nginx::parse_directives("http { server { " + server + " } }"));
    return init::door_of(all.servers.front()).value_or("none") + " " + init::host_of(all.servers.front());
  };
  CHECK(door("server_name _ localhost *.a.com ~^x b.com c.com;") == "http://127.0.0.1/health b.com");
  CHECK(door("listen 8080; ") == "http://127.0.0.1:8080/health ");
  CHECK(door("listen unix:/run/x; listen [::]:80 default_server;") == "http://[::1]/health ");
  CHECK(door("listen *:443 ssl; ") == "https://127.0.0.1/health ");
  CHECK(door("listen 10.0.0.1; ") == "http://10.0.0.1/health ");
  CHECK(door("listen unix:/run/x;") == "none ");
}
