#include "agent/deployment/log_witness.hpp"

#include "agent/deployment/asking.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

using namespace flipback;
using deployment::log_witness;
using deployment::slot_addresses;

namespace {

constexpr const char* format =
    R"({"time":"$msec","status":"$status","path":"$request_uri","agent":"$http_user_agent","request_time":"$request_time",)"
    R"("upstream":"$upstream_addr","upstream_status":"$upstream_status","pid":"$pid"})";

std::vector<slot_upstreams> slots_at(const std::string& blue, const std::string& green) {
  return {{"blue", {blue}}, {"green", {green}}};
}

/// A log that the test writes itself, at a time of its own.
struct written_log {
  testing::folder in;
  std::string path = in / "access.json";
  double now = 1000;
  log_witness witness;

  explicit written_log(const std::string& text = "json")
      : witness({{path, *access_log::line_format::from_text(text)}}, slot_addresses(slots_at("127.0.0.1:8000", "127.0.0.1:8001")), 2,
                [this] { return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::duration<double>(now))); }) {
    std::ofstream(path) << "";
    witness.mark();
  }
  void add(const std::string& line) const { std::ofstream(path, std::ios::app) << line << "\n"; }
  void add(double ended, double took, const std::string& upstream, const std::string& agent = "curl",
           const std::string& statuses = "200") const {
    add(fmt::format(
        R"({{"time":"{:.3f}","status":"{}","agent":"{}","request_time":"{:.3f}","upstream":"{}","upstream_status":"{}","pid":"77"}})",
        ended, statuses.substr(statuses.size() - 3), agent, took, upstream, statuses));
  }
};

using counts = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("others_requests_count_once_and_only_if_they_began_after_the_look_before") {
  written_log log;
  log.now = 1001;
  log.add(1000.5, 0.1, "127.0.0.1:8000");                                      // began after the mark
  log.add(1000.5, 0.6, "127.0.0.1:8000");                                      // before it
  log.add(1000.6, 0.1, "127.0.0.1:8001, 127.0.0.1:8000", "curl", "502, 200");  // the last attempt counts
  log.add(1000.7, 0.1, "127.0.0.1:8001", "flipback/0.1.0");                    // ours
  log.add(1000.8, 0.1, "127.0.0.1:9999");
  log.add(1000.8, 0.1, "-");
  log.add("garbage");
  auto seen = log.witness.look("");
  CHECK(seen.readable);
  CHECK(seen.answered == counts{2, 0});
  CHECK_FALSE(seen.our_question);
  log.now = 1002;
  log.add(1001.5, 0.6, "127.0.0.1:8000");
  log.add(1001.5, 0.4, "127.0.0.1:8001");
  seen = log.witness.look("");
  CHECK(seen.answered == counts{0, 1});
  CHECK(log.witness.look("").answered == counts{0, 0});
}

TEST_CASE("an_address_that_both_slots_have_names_neither") {
  written_log log;
  log.witness.learn({{log.path, *access_log::line_format::from_text("json")}},
                    slot_addresses(slots_at("127.0.0.1:9000", "localhost:9000")));
  log.now = 1001;
  log.add(1000.5, 0.1, "127.0.0.1:9000");
  log.add(1000.5, 0.1, "[::1]:9000");
  CHECK(log.witness.look("").answered == counts{0, 1});
}

TEST_CASE("what_is_learned_anew_is_read_from_where_the_log_was") {
  written_log log;
  log.now = 1001;
  log.add(1000.5, 0.1, "127.0.0.1:9000");
  std::ofstream(log.in / "other.json")
      << R"({"time":"1000.5","status":"200","agent":"curl","request_time":"0.1","upstream":"127.0.0.1:9000"})"
      << "\n";
  const auto json = *access_log::line_format::from_text("json");
  log.witness.learn({{log.path, json}, {log.in / "other.json", json}}, slot_addresses(slots_at("127.0.0.1:9000", "127.0.0.1:9001")));
  CHECK(log.witness.look("").answered == counts{1, 0});
}

TEST_CASE("while_our_question_is_waited_for_others_requests_count_from_its_first_look_on") {
  written_log log;
  log.now = 1000.010;
  CHECK(log.witness.look("abc").answered == counts{0, 0});
  log.now = 1000.020;
  log.add(1000.015, 0.010, "127.0.0.1:8000");  // it began before that look, and after the mark
  CHECK(log.witness.look("abc").answered == counts{1, 0});
  log.now = 1000.030;
  log.add(1000.025, 0.010, "127.0.0.1:8000");
  CHECK(log.witness.look("def").answered == counts{0, 0});
}

TEST_CASE("what_was_logged_before_the_mark_is_not_looked_at") {
  written_log log;
  log.add(1000.5, 0.1, "127.0.0.1:8000");
  log.witness.mark();
  CHECK(log.witness.look("").answered == counts{0, 0});
}

TEST_CASE("our_own_question_is_found_by_its_nonce_alone") {
  written_log log;
  log.add(1000.5, 0.1, "127.0.0.1:8000", "flipback/0.1.0");
  log.add(1000.5, 0.1, "127.0.0.1:8000", deployment::agent_with("old"));
  CHECK_FALSE(log.witness.look("abc").our_question);
  CHECK_FALSE(log.witness.own());
  log.add(1000.6, 0.1, "127.0.0.1:8000, 127.0.0.1:8001", deployment::agent_with("abc"), "502, 500");
  auto seen = log.witness.look("abc");
  CHECK(seen.our_question == 1);
  CHECK(seen.answered == counts{0, 0});
  REQUIRE(log.witness.own());
  CHECK(log.witness.own()->worker == 77);
  CHECK(log.witness.own()->status == 500);
  CHECK(log.witness.own()->upstream_status == 500);
  CHECK(log.witness.look("abc").our_question == 1);
  CHECK_FALSE(log.witness.look("def").our_question);
  log.add(1000.7, 0.1, "-", deployment::agent_with("def"));
  CHECK_FALSE(log.witness.look("def").our_question);
  REQUIRE(log.witness.own());
  CHECK(log.witness.own()->upstream == "");
  CHECK(log.witness.own()->status == 200);
}

TEST_CASE("a_log_without_agents_has_our_question_by_its_query") {
  written_log log(R"($msec $status $upstream_addr "$request" $request_time)");
  log.add(R"(1000.500 200 127.0.0.1:8001 "GET /version?a=b&flipback=abc HTTP/1.1" 0.100)");
  CHECK(log.witness.look("abc").our_question == 1);
}

TEST_CASE("whole_seconds_are_read_as_the_earliest_that_they_can_be") {
  written_log log(R"($time_iso8601 $status $upstream_addr $request_time)");
  log.now = 1000.5;
  log.witness.mark();
  log.add("1970-01-01T00:16:40+00:00 200 127.0.0.1:8000 0.000");  // may have begun at 1000.0
  log.add("1970-01-01T00:16:41+00:00 200 127.0.0.1:8000 0.000");
  log.add("1970-01-01T00:16:41+00:00 200 127.0.0.1:8000 0.600");
  CHECK(log.witness.look("").answered == counts{1, 0});
}

TEST_CASE("a_log_that_can_not_be_read_is_said") {
  written_log log;
  std::filesystem::remove(log.path);
  log_witness none({{log.path, *access_log::line_format::from_text("json")}}, slot_addresses(slots_at("a", "b")), 2);
  const auto seen = none.look("");
  CHECK_FALSE(seen.readable);
  CHECK(seen.says.contains(log.path));
  log_witness without_logs({}, slot_addresses(slots_at("a", "b")), 2);
  CHECK_FALSE(without_logs.look("").readable);
  CHECK(without_logs.look("").says.contains("$upstream_addr"));
}

TEST_CASE("nginxs_own_logs_are_taken_before_the_configured_ones") {
  config::configuration configured;
  settings::table table;
  table["path"] = settings::member{{}, {settings::node{std::string("/var/log/nginx/configured.json"), {}}}};
  configured.probes.push_back({.name = "traffic", .type = "access_log", .table = settings::node{std::move(table), {}}});
  rollback::nginx_configuration nginx;
  nginx.access_logs = {{"/a.json", format}, {"/combined.log", "$remote_addr $status"}, {"/forged.log", "$status $upstream_addr"}};
  for (access_log_directive& d : nginx.access_logs) d.forgeable = d.path == "/forged.log";
  auto logs = deployment::witness_logs(&nginx, configured);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].path == "/a.json");
  nginx.access_logs.erase(nginx.access_logs.begin());
  logs = deployment::witness_logs(&nginx, configured);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].path == "/var/log/nginx/configured.json");
  CHECK(deployment::witness_logs(nullptr, configured).size() == 1);
  // A format that nginx could not be asked for may name upstreams; one that it has been asked for does not.
  nginx.access_logs = {{"/var/log/nginx/configured.json", ""}};
  CHECK(deployment::witness_logs(&nginx, configured).size() == 1);
  nginx.access_logs = {{"/var/log/nginx/configured.json", R"(escape=json '{"status":"$status","agent":"$http_user_agent"}')"}};
  CHECK(deployment::witness_logs(&nginx, configured).empty());
}

TEST_CASE("a_line_that_does_not_name_upstreams_is_no_answer_of_a_cache") {
  written_log log;
  const auto said = [&](const std::string& upstream) {
    log.witness.mark();
    log.witness.look("n1");
    log.add(fmt::format(R"({{"time":"1000.5","status":"200","agent":"{}"{}}})", deployment::agent_with("n1"), upstream));
    log.witness.look("n1");
    return log.witness.own().has_value();
  };
  CHECK(said(R"(,"upstream":"-")"));
  CHECK(said(R"(,"upstream":"")"));
  CHECK_FALSE(said(""));
}

TEST_CASE("a_format_into_which_strangers_can_write_is_no_witness") {
  rollback::nginx_configuration nginx;
  nginx.access_logs = {{"/safe.log", "log_format x '$status $upstream_addr';"},
                       {"/forgeable.log", "log_format x escape=none '$status $upstream_addr $uri';"}};
  const auto logs = deployment::witness_logs(&nginx, {});
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].path == "/safe.log");
}

TEST_CASE("a_real_nginx_says_where_our_question_went") {
  const int door = testing::free_port();
  const int blue = testing::free_port();
  const int green = testing::free_port();
  const int other = testing::free_port();
  const std::string common = fmt::format(
      "log_format flipback escape=json '{0}'; access_log off;"
      "upstream blue {{ server 127.0.0.1:{1} max_fails=0; server 127.0.0.1:{2} backup; }}"
      "upstream green {{ server 127.0.0.1:{2} down; }}",
      format, blue, green);
  const std::string serving = fmt::format("server {{ listen 127.0.0.1:{}; location / {{ return 200 green; }} }}", green);
  const auto front = [&](const std::string& to) {
    return fmt::format(
        "server {{ listen 127.0.0.1:{}; access_log access.json flipback; location / {{ proxy_pass http://{}; }}"
        "location /own {{ return 204; }} }}",
        door, to);
  };
  testing::running_nginx server(common + serving + front("blue"));
  boost::asio::io_context loop(1);
  net::network network(loop.get_executor());
  const auto configuration = rollback::configuration_in(testing::contents(server.conf()), server.in.path.string());
  slot_addresses addresses(slots_at(fmt::format("127.0.0.1:{}", blue), fmt::format("localhost:{}", green)));
  addresses.learn(configuration.upstreams);
  log_witness witness(deployment::witness_logs(&configuration, {}), addresses, 2);
  witness.mark();
  const auto asks = [&](const std::string& path, const std::string& nonce) {
    config::front_door at;
    at.url = fmt::format("http://127.0.0.1:{}{}", door, path);
    return testing::finished(loop, deployment::ask_front_door(network, at, nonce)).status;
  };
  // Nobody listens for blue; its backup is green's.
  CHECK(asks("/", "one") == 200);
  REQUIRE(testing::comes_true([&] { return witness.look("one").our_question.has_value(); }));
  CHECK(witness.own()->slot == 1);
  CHECK(witness.own()->status == 200);
  CHECK(witness.own()->upstream_status == 200);
  CHECK(witness.own()->worker.value_or(0) > 0);
  // nginx answers by itself.
  CHECK(asks("/own", "two") == 204);
  REQUIRE(testing::comes_true([&] { return (void)witness.look("two"), witness.own().has_value(); }));
  CHECK_FALSE(witness.own()->slot);
  // A user's request; nginx's times are in whole milliseconds, in which the look may be too.
  CHECK(testing::comes_true([&] {
    testing::get(door, "/");
    return witness.look("").answered[1] > 0;
  }));
  // Where all of a group are down, nginx logs the group's name.
  server.stop();
  server.configure(common + front("green") + fmt::format("server {{ listen 127.0.0.1:{}; }}", other));
  server.start();
  CHECK(asks("/", "three") == 502);
  REQUIRE(testing::comes_true([&] { return (void)witness.look("three"), witness.own().has_value(); }));
  CHECK(witness.own()->upstream == "green");
  CHECK(witness.own()->slot == 1);
}
