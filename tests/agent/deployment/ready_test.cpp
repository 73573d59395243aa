#include "agent/deployment/ready.hpp"

#include "tests/agent/deployment/fakes.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
namespace asio = boost::asio;

namespace {

struct stage {
  testing::folder in;
  testing::fake_switch how;
  testing::fake_nginx nginx;
  config::configuration configured;

  stage() {
    configured.deployment.emplace();
    configured.slots.resize(2);
    configured.slots[0].name = "blue";
    configured.slots[0].upstreams = {"127.0.0.1:8000"};
    configured.slots[1].name = "green";
    configured.slots[1].upstreams = {"127.0.0.1:8001"};
    probe_reads(in / "access.json");
    nginx.dump = dump_with("$status $upstream_addr \"$http_user_agent\"", "http://127.0.0.1:8000");
  }
  void probe_reads(const std::string& path) {
    settings::table table;
    table["path"] = settings::member{{}, {settings::node{path, {}}}};
    configured.probes = {{.name = "traffic", .type = "access_log", .table = settings::node{std::move(table), {}}}};
  }
  [[nodiscard]] std::string dump_with(const std::string& format, const std::string& pass) const {
    return fmt::format("http {{ log_format f '{}'; server {{ access_log {} f; location / {{ proxy_pass {}; }} }} }}", format,
                       in / "access.json", pass);
  }
  deployment::readiness look() {
    boost::asio::io_context loop(1);
    return testing::finished(loop, deployment::look_ready(how, nginx, configured));
  }
};

}  // namespace

TEST_CASE("where_nothing_is_lacking_nothing_is_said") {
  stage s;
  const auto found = s.look();
  CHECK(found.lacking.empty());
  CHECK(found.is_ready());
  CHECK(found.notes == std::vector<std::string>{"a note"});
  CHECK(found.nginx.has_value());
}

TEST_CASE("what_is_in_the_way_of_switch_or_nginx_blocks") {
  stage s;
  s.how.in_the_way = {"the file is read-only"};
  s.nginx.in_the_way = {"nginx refuses"};
  auto found = s.look();
  CHECK(found.lacking == std::vector<deployment::lack>{{true, "the file is read-only", ""}, {true, "nginx refuses", ""}});
  CHECK_FALSE(found.is_ready());
  s.how.reload = false;
  CHECK(s.look().lacking.size() == 1);
}

TEST_CASE("a_log_without_user_agents_blocks") {
  stage s;
  s.nginx.dump = s.dump_with("$status $upstream_addr", "http://127.0.0.1:8000");
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].blocking);
  CHECK(found.lacking[0].type.contains("$http_user_agent"));
}

TEST_CASE("upstreams_that_nginx_does_not_have_are_said") {
  stage s;
  s.how.named.slot = 1;
  auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK_FALSE(found.lacking[0].blocking);
  CHECK(found.lacking[0].what.contains("127.0.0.1:8001"));
  s.how.named.is = deployment::intent::kind::neither;
  CHECK(s.look().lacking.empty());
  s.how.named.is = deployment::intent::kind::names;
  s.nginx.dump = s.dump_with("$status $upstream_addr \"$http_user_agent\"", "http://$upstream");
  CHECK(s.look().lacking.empty());
  s.nginx.dump = "http { upstream api { server localhost:8001; } }";
  CHECK(s.look().lacking.empty());
}

TEST_CASE("without_a_witness_that_is_said") {
  stage s;
  s.configured.probes.clear();
  s.nginx.dump = "http { access_log /a.log; server { location / { proxy_pass http://127.0.0.1:8000; } } }";
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK_FALSE(found.lacking[0].blocking);
  CHECK(found.is_ready());
  s.configured.deployment->front_door.identity = identity_source{"", "/version"};
  CHECK(s.look().lacking.empty());
}

TEST_CASE("a_slots_log_that_no_probe_reads_is_said") {
  stage s;
  testing::write(s.in / "green", "server { access_log /var/log/nginx/green.json f; }");
  testing::write(s.in / "blue", fmt::format("server {{ access_log {} f; }}", s.in / "access.json"));
  s.configured.deployment->live_files = {{s.in / "live", {s.in / "blue", s.in / "green"}}};
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what.contains("/var/log/nginx/green.json"));
  CHECK_FALSE(found.lacking[0].blocking);
}

TEST_CASE("without_nginxs_configuration_less_is_known_and_that_is_said") {
  stage s;
  s.nginx.dump.reset();
  const auto found = s.look();
  CHECK(found.lacking.empty());
  CHECK(found.notes.size() == 2);
}
