#include "agent/deployment/ready.hpp"

#include "tests/agent/deployment/fakes.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>

using namespace flipback;
namespace asio = boost::asio;

namespace {

struct stage {
  testing::folder in;
  testing::fake_switch how;
  testing::fake_nginx nginx;
  config::configuration configured;
  deployment::reply door{.is = deployment::reply::kind::anonymous, .status = 200, .says = "answered 200"};
  std::vector<deployment::reply> slots{2, door};

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
    return testing::finished(loop, deployment::look_ready(how, nginx, configured, {door, slots}));
  }
};

}  // namespace

TEST_CASE("a_group_of_nginxs_that_sends_users_elsewhere_too_is_noted") {
  struct row {
    std::string servers;
    std::string says;
  };
  for (const row& r : std::initializer_list<row>{
           {"server 127.0.0.1:8000;", ""},
           {"server 127.0.0.1:8000 weight=9; server 127.0.0.1:8001;", "upstream api has servers of blue and green"},
           {"server 127.0.0.1:8000; server 127.0.0.1:9000 backup;", "upstream api has 127.0.0.1:9000 beside the servers of blue"},
           {"server 10.0.0.1:80; server 10.0.0.2:80;", ""}}) {
    CAPTURE(r.servers);
    stage s;
    s.nginx.dump = fmt::format("http {{ upstream api {{ {} }} }} {}", r.servers,
                               s.dump_with("$status $upstream_addr \"$http_user_agent\"", "http://127.0.0.1:8000"));
    const deployment::readiness found = s.look();
    CHECK(found.is_ready());
    CAPTURE(fmt::format("{}", fmt::join(found.notes, " | ")));
    CHECK(std::ranges::count_if(found.notes, [](const std::string& n) { return n.contains("upstream"); }) == (r.says.empty() ? 0 : 1));
    CHECK(found.notes.back().contains(r.says));
  }
}

TEST_CASE("a_live_file_that_nginx_sees_mounted_alone_is_not_ready_unless_it_is_written_in_place") {
  stage s;
  const std::string live = s.in / "live";
  std::ofstream(live) << "server {}";
  s.configured.deployment->live_files = {{.live = live, .of_slots = {}}};
  CHECK(s.look().is_ready());
  s.nginx.alone = live;
  CHECK_FALSE(s.look().is_ready());
  CHECK(s.look().lacking.front().what.contains("mount of that file alone, at " + live));
  s.configured.deployment->in_place = true;
  CHECK(s.look().is_ready());
}

TEST_CASE("a_front_door_that_shows_no_slot_is_said_at_the_start") {
  using kind = deployment::reply::kind;
  stage s;
  s.configured.deployment->front_door.url = "http://127.0.0.1:9/health";
  s.door = {.is = kind::silent, .says = "connecting was refused"};
  REQUIRE(s.look().lacking.size() == 1);
  CHECK(s.look().lacking[0].what.contains("http://127.0.0.1:9/health does not answer (connecting was refused)"));
  CHECK_FALSE(s.look().lacking[0].blocking);
  s.door = {.is = kind::anonymous, .status = 200, .says = "200 without /version"};
  s.configured.deployment->front_door.identity.emplace();
  CHECK(s.look().lacking.empty());  // the log names upstreams
  s.configured.probes.clear();
  s.nginx.dump = "http { access_log /a.log; server { location / { proxy_pass http://127.0.0.1:8000; } } }";
  CHECK(std::ranges::count_if(s.look().lacking, [](const auto& l) { return l.what.contains("(200 without /version)"); }) == 1);
  s.door.is = kind::identified;
  CHECK(std::ranges::none_of(s.look().lacking, [](const auto& l) { return l.what.contains("which slot users reach"); }));
}

TEST_CASE("a_front_door_that_nginx_answers_itself_shows_no_slot_though_a_log_is_there") {
  using kind = deployment::reply::kind;
  stage s;
  s.configured.deployment->front_door.url = "http://127.0.0.1/health";
  for (const unsigned own : {301U, 302U, 401U, 403U, 404U, 429U}) {
    CAPTURE(own);
    s.door = {.is = kind::anonymous, .status = own, .says = fmt::format("answered {}", own)};
    const auto found = s.look();
    REQUIRE(found.lacking.size() == 1);
    CHECK_FALSE(found.lacking[0].blocking);
    CHECK(found.lacking[0].what ==
          fmt::format("the front door http://127.0.0.1/health answered {}, and no slot answers so (blue itself answered 200, and green "
                      "itself answered 200): the answer is nginx's own, and shows no slot",
                      own));
    CHECK(found.lacking[0].type == "set front_door url, and host, to what the API answers");
    s.slots[1].status = own;  // the API's own redirect, or its log-in
    CHECK(s.look().lacking.empty());
    s.slots[1] = {};  // no slot is there, and the answer is no 502
    CHECK(s.look().lacking.size() == 1);
    s.slots[1] = s.slots[0];
  }
  s.door = {.is = kind::failing, .status = 503, .says = "answered 503"};  // a release that fails now and then
  CHECK(s.look().lacking.empty());
}

TEST_CASE("an_identity_that_no_answer_has_is_said_though_a_log_is_there") {
  using kind = deployment::reply::kind;
  stage s;
  config::front_door& door = s.configured.deployment->front_door;
  door.url = "http://127.0.0.1/health";
  door.identity.emplace();
  const deployment::reply without{
      .is = kind::anonymous, .status = 200, .says = "answered 200 without its identity", .lacks = "no /version, but /status"};
  const deployment::reply with{.is = kind::identified, .status = 200, .identity = "v1", .release = "v1", .says = "answered 200 as v1"};
  s.door = without;
  s.slots = {without, without};
  auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK_FALSE(found.lacking[0].blocking);
  CHECK(found.lacking[0].what ==
        "the front door http://127.0.0.1/health answered 200 without what front_door identity names: it has no /version, but /status");
  CHECK(found.lacking[0].type == "set front_door identity to what the answer has, or take the key out");
  s.slots[0] = with;
  found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what.contains("blue itself answered 200 as v1"));
  CHECK(found.lacking[0].type.starts_with("let nginx pass on what the slots say"));
  s.door = with;
  CHECK(s.look().lacking.empty());
  s.door.lacks = "no header X-Build";
  s.door.release.clear();
  s.slots = {s.door, s.door};
  found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what.contains("what front_door release names: it has no header X-Build"));
}

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
  CHECK(found.lacking == std::vector<deployment::lack>{{true, "the file is read-only", "", true}, {true, "nginx refuses", "", true}});
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

TEST_CASE("a_log_that_clients_can_write_into_blocks") {
  stage s;
  s.nginx.dump->replace(s.nginx.dump->find("log_format f"), 12, "log_format f escape=none");
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 2);  // it is no witness of users either
  CHECK(found.lacking[0].blocking);
  CHECK(found.lacking[0].what.contains("escape=none"));
}

TEST_CASE("a_log_that_no_rollback_rule_reads_blocks_nothing") {
  stage s;
  s.nginx.dump = s.dump_with("$status $upstream_addr", "http://127.0.0.1:8000");
  s.configured.probes[0].name = "admin";
  rules::rule_source rule;
  rule.name = "admin-errors";
  rule.when.text = "admin.error_rate > 5%";
  s.configured.rules = {rule};
  auto found = s.look();
  CHECK(found.is_ready());
  CHECK(found.lacking.empty());
  REQUIRE(found.notes.size() == 2);
  CHECK(found.notes[1].contains("no user agent"));
  s.configured.rules[0].then = rules::consequence::rollback;
  CHECK_FALSE(s.look().is_ready());
  s.configured.rules[0].when.text = "other-admin.error_rate > 5% and my.admin.error_rate > 5%";
  CHECK(s.look().is_ready());
  s.configured.rules[0].then = rules::consequence::alert;
  s.configured.rules[0].name = "error-rate";  // the other built-in rules are there
  s.configured.probes[0].name = "traffic";
  CHECK_FALSE(s.look().is_ready());
}

TEST_CASE("a_log_none_of_whose_newest_lines_is_in_its_format_blocks") {
  stage s;
  std::string lines;
  for (int i = 0; i < 19; ++i) lines += "200 127.0.0.1:8000 curl\n";
  testing::write(s.in / "access.json", lines);
  CHECK(s.look().lacking.empty());
  testing::write(s.in / "access.json", lines + "200 127.0.0.1:8000 curl\n");
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].blocking);
  CHECK(found.lacking[0].what.contains("none of the newest 20 lines"));
  CHECK(found.lacking[0].type == "set [probes.traffic] format to the text of nginx's log_format");
  testing::write(s.in / "access.json", lines + lines + R"({"status":"200"})" + "\n");
  CHECK(s.look().lacking.empty());
}

TEST_CASE("a_pid_file_of_another_nginx_blocks") {
  stage s;
  s.configured.nginx.prefix = s.in.path.string();
  s.configured.nginx.pid = s.in / "other.pid";
  const std::string http = *s.nginx.dump;
  s.nginx.dump = "pid nginx.pid;\n" + http;
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].blocking);
  CHECK(found.lacking[0].type == fmt::format("set [nginx] pid = \"{}\"", s.in / "nginx.pid"));
  std::filesystem::create_directory_symlink(s.in.path, s.in / "run");
  s.configured.nginx.pid = s.in / "run/nginx.pid";
  CHECK(s.look().lacking.empty());
  s.configured.nginx.pid = s.in / "other.pid";
  s.configured.nginx.pid_command = {"pidof", "nginx"};
  CHECK(s.look().lacking.empty());
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
  s.nginx.dump =
      s.dump_with("$status $upstream_addr \"$http_user_agent\"", "http://api") + "http { upstream api { server localhost:8001; } }";
  CHECK(s.look().lacking.empty());
}

TEST_CASE("an_active_that_prints_another_slot_than_nginx_passes_to_is_said_as_that") {
  stage s;
  s.configured.deployment->switched_by = config::switch_kind::command;
  s.how.named.slot = 1;
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what == "`active` prints green, but nginx's configuration passes to the upstreams of blue alone");
  CHECK(found.lacking[0].type == "look at what slots.blue.switch did, and at what `active` prints");
}

TEST_CASE("a_configuration_read_while_the_switch_turned_says_nothing_of_the_slot_it_names_now") {
  stage s;
  s.nginx.meanwhile = [&s] { s.how.named.slot = 1; };
  CHECK(s.look().lacking.empty());
  CHECK(s.look().lacking.size() == 1);  // it has named green all along now
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
  CHECK(s.look().lacking.size() == 1);  // the answer has none
  s.door.is = deployment::reply::kind::identified;
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

TEST_CASE("a_log_that_lacks_lines_or_has_them_late_is_said_at_the_start") {
  struct row {
    std::string parameters;
    std::string says;  // empty: nothing
    bool blocking;
  };
  for (const row& r :
       {row{"f if=$loggable", "logs only some requests", true}, row{"f buffer=64k", "buffers", false}, row{"f gzip", "buffers", false},
        row{"f buffer=64k flush=1s", "", false}, row{"f buffer=64k flush=1m", "buffers", false}}) {
    CAPTURE(r.parameters);
    stage s;
    const std::size_t at = s.nginx.dump->find(" f;");
    s.nginx.dump->replace(at, 3, fmt::format(" {};", r.parameters));
    const auto found = s.look();
    REQUIRE(found.lacking.size() == (r.says.empty() ? 0 : 1));
    if (found.lacking.empty()) continue;
    CHECK(found.lacking[0].what.contains(r.says));
    CHECK(found.lacking[0].blocking == r.blocking);
  }
  stage s;
  s.probe_reads(s.in / "other.json");
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what.contains("logs nothing to"));
}

TEST_CASE("a_slots_file_that_switches_its_log_off_is_said") {
  stage s;
  testing::write(s.in / "green", "server { access_log off; location / { proxy_pass http://127.0.0.1:8001; } }");
  testing::write(s.in / "blue", fmt::format("server {{ access_log {} f; location /health {{ access_log off; }} }}", s.in / "access.json"));
  s.configured.deployment->live_files = {{s.in / "live", {s.in / "blue", s.in / "green"}}};
  const auto found = s.look();
  REQUIRE(found.lacking.size() == 1);
  CHECK(found.lacking[0].what.contains("green of slot green has access_log off"));
}

TEST_CASE("servers_that_stand_in_an_included_file_are_the_groups") {
  stage s;
  s.how.named.slot = 1;
  s.nginx.dump = "# configuration file /etc/nginx/nginx.conf:\n" +
                 s.dump_with("$status $upstream_addr \"$http_user_agent\"", "http://api") +
                 "\nhttp { upstream api { include live/api; } }\n# configuration file /etc/nginx/live/api:\nserver 127.0.0.1:8001;\n";
  CHECK(s.look().lacking.empty());
}

TEST_CASE("without_nginxs_configuration_less_is_known_and_that_is_said") {
  stage s;
  s.nginx.dump.reset();
  const auto found = s.look();
  CHECK(found.lacking.empty());
  CHECK(found.notes.size() == 2);
}
