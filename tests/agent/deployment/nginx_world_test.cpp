#include "agent/deployment/nginx_world.hpp"

#include "tests/agent/deployment/fakes.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

using namespace flipback;
using counts = std::vector<std::uint64_t>;

namespace {

/// A host of which the test writes the log and says what `nginx -T` prints. Nobody listens on it.
struct host {
  testing::folder in;
  testing::fake_switch how;
  testing::fake_nginx nginx;
  config::configuration configured;
  asio::io_context loop{1};
  net::network network{loop.get_executor()};
  std::optional<deployment::nginx_world> world;

  host(std::vector<std::string> blue, std::vector<std::string> green) {
    configured.deployment.emplace();
    configured.deployment->front_door.url = "http://127.0.0.1:9/";
    configured.nginx.conf = in / "nginx.conf";
    configured.slots.resize(2);
    configured.slots[0] = {.name = "blue", .url = "http://127.0.0.1:9", .upstreams = std::move(blue)};
    configured.slots[1] = {.name = "green", .url = "http://127.0.0.1:9", .upstreams = std::move(green)};
    settings::table table;
    table["path"] = settings::member{{}, {settings::node{in / "access.json", {}}}};
    configured.probes = {{.name = "traffic", .type = "access_log", .table = settings::node{std::move(table), {}}}};
    testing::write(in / "access.json", "");
    testing::write(in / "nginx.conf", "");
    world.emplace(loop, configured, network, how, nginx);
    look();
  }
  void says(const std::string& upstreams) {
    nginx.dump = fmt::format(
        "# configuration file {}:\nhttp {{ {} log_format f escape=json '{{\"time\":\"$msec\",\"status\":\"$status\","
        "\"agent\":\"$http_user_agent\",\"request_time\":\"$request_time\",\"upstream\":\"$upstream_addr\"}}'; "
        "server {{ access_log {} f; }} }}",
        in / "nginx.conf", upstreams, in / "access.json");
  }
  void is_logged(const std::string& upstream) const {
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    std::ofstream(in / "access.json", std::ios::app)
        << fmt::format(R"({{"time":"{:.3f}","status":"200","agent":"curl","request_time":"0.000","upstream":"{}"}})", now + 0.002, upstream)
        << "\n";
  }
  deployment::sighting look() { return testing::finished(loop, world->look(false)); }
  void look_ready() { (void)testing::finished(loop, world->look_ready()); }
  /// Which slots such a line is of.
  counts seen_of(const std::string& upstream) {
    look();
    is_logged(upstream);
    return look().log.answered;
  }
};

}  // namespace

TEST_CASE("a_slots_group_has_its_servers_though_the_log_is_the_one_that_was_known_before_nginx_was_asked") {
  host h({"api_blue"}, {"api_green"});
  CHECK(h.seen_of("127.0.0.1:8000") == counts{0, 0});
  h.says("upstream api_blue { server 127.0.0.1:8000; } upstream api_green { server 127.0.0.1:8001; }");
  h.look();
  h.is_logged("127.0.0.1:8001");
  h.look_ready();
  CHECK(h.look().log.answered == counts{0, 1});
  CHECK(h.seen_of("127.0.0.1:8000") == counts{1, 0});
}

TEST_CASE("a_group_that_both_slots_call_by_one_name_is_of_the_slot_of_the_configuration_that_nginx_runs") {
  host h({"127.0.0.1:8000", "127.0.0.1:8010"}, {"127.0.0.1:8001", "127.0.0.1:8011"});
  h.says("upstream api { server 127.0.0.1:8000; server 127.0.0.1:8010; }");
  h.look_ready();
  CHECK(h.seen_of("api") == counts{1, 0});
  // A cutover: from the moment at which the file says something else, the name says nothing.
  testing::write(h.in / "nginx.conf", "other");
  CHECK(h.look().configuration_changed);
  CHECK(h.seen_of("api") == counts{0, 0});
  CHECK(h.seen_of("127.0.0.1:8001") == counts{0, 1});
  h.says("upstream api { server 127.0.0.1:8001; server 127.0.0.1:8011; }");
  h.look_ready();
  CHECK_FALSE(h.look().configuration_changed);
  CHECK(h.seen_of("api") == counts{0, 0});
  h.look_ready();
  CHECK(h.seen_of("api") == counts{0, 0});
  h.nginx.new_workers = true;
  CHECK(h.seen_of("api") == counts{0, 1});
}

TEST_CASE("a_file_that_changes_and_leaves_the_groups_as_they_were_changes_nothing_for_long") {
  host h({"127.0.0.1:8000"}, {"127.0.0.1:8001"});
  h.says("upstream blue { server 127.0.0.1:8000; } upstream green { server 127.0.0.1:8001; }");
  h.look_ready();
  testing::write(h.in / "nginx.conf", "other");
  h.look_ready();
  CHECK(h.seen_of("green") == counts{0, 1});
}

TEST_CASE("notes_are_no_lacks_and_what_else_is_lacking_is_said_as_of_each_look") {
  host h({"127.0.0.1:8000"}, {"127.0.0.1:8001"});
  h.says("upstream blue { server 127.0.0.1:8000; }");
  const deployment::lack other{true, "another agent acts", {}};
  bool is_there = true;
  h.world->lacks_of_its_own = [&] { return is_there ? std::vector{other} : std::vector<deployment::lack>{}; };
  const auto lacks = [&] { return testing::finished(h.loop, h.world->look_ready()).lacks; };
  REQUIRE(lacks().size() == 2);
  CHECK(lacks()[0] == other);
  CHECK(lacks()[1].what.contains("http://127.0.0.1:9/ does not answer"));
  is_there = false;
  CHECK(lacks().size() == 1);
}
