#include "agent/config/validate.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path folder = std::filesystem::path(FLIPBACK_TEST_DATA) / "config/good";

/// The configuration names its env files from where it is.
struct in_folder {
  std::filesystem::path before = std::filesystem::current_path();
  in_folder() { std::filesystem::current_path(folder); }
  ~in_folder() { std::filesystem::current_path(before); }
  in_folder(const in_folder&) = delete;
  in_folder& operator=(const in_folder&) = delete;
};

config::configuration load_full() {
  const in_folder there;
  settings::diagnostics problems;
  auto read =
      config::validate("full.toml", {{{"SECOND", "second"}, {"PORT", "81"}, {"YES", "true"}, {"FROM_PROCESS", "process"}}}, problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  return read;
}

const settings::node& own_key(const config::probe_entry& of, std::string_view key) {
  return std::get<settings::table>(of.table.value).find(key)->second.value.front();
}

std::string header(const config::probe_entry& of, std::string_view name) {
  return std::get<std::string>(std::get<settings::table>(own_key(of, "headers").value).find(name)->second.value.front().value);
}

}  // namespace

TEST_CASE("a_full_configuration_is_read_whole") {
  const config::configuration read = load_full();
  CHECK(read.agent.listen == "[::1]:0");
  CHECK(read.agent.state == "/tmp/flipback.db");
  CHECK(read.agent.log_format == config::log_format::json);
  CHECK(read.agent.log_level == severity::debug);
  CHECK(read.agent.name_servers == std::vector<std::string>{"127.0.0.1:5353"});
  CHECK(read.agent.spread == 100ms);
  REQUIRE(read.deployment);
  CHECK(read.deployment->mode == config::mode::act);
  CHECK(read.deployment->stable == "blue");
  CHECK(read.deployment->window == 2min);
  CHECK(read.deployment->confirm == 1);
  CHECK(read.deployment->confirm_every == 100ms);
  CHECK(read.deployment->prove == 5);
  CHECK(read.deployment->prove_within == 3s);
  CHECK(read.deployment->watch_every == 250ms);
  REQUIRE(read.deployment->live_files.size() == 1);
  CHECK(read.deployment->live_files[0].live == "/etc/nginx/sites-enabled/api");
  CHECK(read.deployment->live_files[0].of_slots ==
        std::vector<std::string>{"/etc/nginx/sites-available/green", "/etc/nginx/sites-available/blue"});
  CHECK(read.deployment->front_door.url == "http://127.0.0.1/health");
  CHECK(read.deployment->front_door.host == "api.example.com");
  CHECK(read.deployment->front_door.identity == identity_source{"X-Release", {}});
  CHECK(read.nginx.binary == "/usr/sbin/nginx");
  CHECK(read.nginx.reload == config::reload_kind::command);
  CHECK(read.nginx.reload_command == std::vector<std::string>{"systemctl", "reload", "nginx"});
}

TEST_CASE("slots_keep_the_order_of_the_file_and_have_defaults") {
  const config::configuration read = load_full();
  REQUIRE(read.slots.size() == 2);
  const config::slot& green = read.slots[0];
  CHECK(green.name == "green");
  CHECK(green.health == "/healthz");
  CHECK(green.expect.status_high == 299);
  REQUIRE(green.expect.rest.size() == 1);
  CHECK(green.expect.rest.front().name == "/status");
  CHECK(green.upstreams == std::vector<std::string>{"green_api", "127.0.0.1:8001"});
  CHECK(green.checks == std::vector<std::string>{"login"});
  const config::slot& blue = read.slots[1];
  CHECK(blue.name == "blue");
  CHECK(blue.health == "/health");
  CHECK(blue.upstreams == std::vector<std::string>{"127.0.0.1:8000"});
}

TEST_CASE("probes_leave_their_own_keys_to_their_makers") {
  const config::configuration read = load_full();
  REQUIRE(read.probes.size() == 2);
  const config::probe_entry& login = read.probes[0];
  CHECK(login.name == "login");
  CHECK(login.every == 250ms);
  CHECK(login.timeout == 250ms);  // never longer than every, unless it is said
  CHECK(login.critical);
  CHECK(login.tags == std::vector<std::string>{"smoke"});
  CHECK(!std::get<settings::table>(login.table.value).contains("every"));
  CHECK(read.probes[1].every == 10s);
  CHECK(read.probes[1].timeout == 2s);
}

TEST_CASE("variables_come_from_the_process_then_from_the_last_file") {
  const config::configuration read = load_full();
  const config::probe_entry& login = read.probes[0];
  CHECK(std::get<std::string>(own_key(login, "url").value) == "http://api.example.com:81/v1.2.3/${literal}");
  CHECK(own_key(login, "url").written == "http://${POSTGRES_HOST}:${PORT}/${RELEASE}/$${literal}");
  CHECK(header(login, "X-Wins") == "second");
  CHECK(header(login, "X-From") == "process");
  CHECK(header(login, "X-Default") == "fallback");
}

TEST_CASE("rules_carry_the_place_of_their_texts") {
  const config::configuration read = load_full();
  REQUIRE(read.rules.size() == 2);
  CHECK(!read.rules[0].enabled);
  const rules::rule_source& login = read.rules[1];
  CHECK(login.name == "login");
  CHECK(login.when.text == "login.up over 1m < 50% and live.up == 1");
  CHECK(login.when.at.file == "full.toml");
  CHECK(login.when.at.line == 58);
  CHECK(login.when.at.column == 9);
  CHECK(login.lasting == 30s);
  CHECK(login.gap == 5s);
  CHECK(login.then == rules::consequence::rollback);
  CHECK(login.severity == severity::critical);
  CHECK(login.min_samples == 20);
  CHECK(login.mode == mode::ask);
}

TEST_CASE("a_file_that_is_not_there_is_one_problem") {
  settings::diagnostics problems;
  config::load("/nowhere/flipback.toml", {}, problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(settings::to_string(problems.sorted()[0]) == "/nowhere/flipback.toml: can't read the configuration: No such file or directory");
}

TEST_CASE("a_folder_is_no_configuration") {
  settings::diagnostics problems;
  config::load("/tmp", {}, problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(settings::to_string(problems.sorted()[0]) == "/tmp: can't read the configuration: Is a directory");
}

TEST_CASE("nothing_that_is_read_at_a_reload_can_be_waited_for") {
  std::string place = "/tmp/flipback-load-XXXXXX";
  REQUIRE(::mkdtemp(place.data()) != nullptr);
  const std::string fifo = place + "/fifo";
  const std::string file = place + "/flipback.toml";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::ofstream(file) << "env_files = [\"" << fifo << "\"]\n[probes.api]\ntype = \"http\"\nurl = \"http://127.0.0.1:1/\"\n"
                      << "headers = { Authorization_file = \"" << fifo << "\" }\n";
  settings::diagnostics of_itself;
  config::load(fifo, {}, of_itself);
  settings::diagnostics of_others;
  config::validate(file, {}, of_others);
  std::filesystem::remove_all(place);
  REQUIRE(of_itself.sorted().size() == 1);
  CHECK(settings::to_string(of_itself.sorted()[0]) == fifo + ": can't read the configuration: is a FIFO, expected a regular file");
  REQUIRE(of_others.sorted().size() == 2);
  for (const settings::problem& p : of_others.sorted()) CHECK(p.says.ends_with(": is a FIFO, expected a regular file"));
}
