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
