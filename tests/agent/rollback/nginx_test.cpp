#include "agent/rollback/nginx.hpp"

#include "agent/rollback/command_result.hpp"
#include "agent/rollback/master_process.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/prctl.h>

using namespace flipback;
using namespace std::chrono_literals;
using deployment::answer;

namespace {

config::nginx settings_of(const testing::running_nginx& server) {
  config::nginx made;
  made.conf = server.conf();
  made.prefix = server.in.path.string();
  made.pid = server.pid_file();
  made.error_log = server.error_log();
  made.command_timeout = 5s;
  return made;
}

std::string serving(int port, const std::string& what = "one") {
  return fmt::format("access_log off; server {{ listen 127.0.0.1:{}; location = /what {{ return 200 {}; }} }}", port, what);
}

struct stage {
  int port = testing::free_port();
  testing::running_nginx server{serving(port)};
  boost::asio::io_context loop{1};
  config::nginx settings = settings_of(server);

  std::unique_ptr<rollback::nginx> made() { return rollback::make_nginx(loop.get_executor(), settings); }
  rollback::done test() { return testing::finished(loop, made()->test()); }
  rollback::done reload() { return testing::finished(loop, made()->reload()); }
  std::vector<std::string> obstacles() { return testing::finished(loop, made()->obstacles()); }
};

}  // namespace

TEST_CASE("a_running_nginx_is_found_tested_and_reloaded") {
  stage s;
  const auto nginx = s.made();
  CHECK(nginx->master() == s.server.pid());
  CHECK(s.obstacles() == std::vector<std::string>{});
  CHECK(s.test().is == answer::yes);
  const auto before = nginx->see_workers();
  REQUIRE(before);
  REQUIRE(before->accepting.size() == 1);
  s.server.configure(serving(s.port, "two"));
  CHECK(s.reload().is == answer::yes);
  CHECK(testing::comes_true([&] {
    const auto now = nginx->see_workers();
    return now && now->accepting.size() == 1 && *now->accepting.begin() != *before->accepting.begin();
  }));
  CHECK(testing::get(s.port, "/what").ends_with("two"));
}

TEST_CASE("a_configuration_that_nginx_refuses_is_a_no_with_its_words") {
  stage s;
  s.server.configure("no_such_directive;");
  const auto tested = s.test();
  CHECK(tested.is == answer::no);
  CHECK(tested.says.contains("no_such_directive"));
  const auto obstacles = s.obstacles();
  REQUIRE(obstacles.size() == 1);
  CHECK(obstacles[0].contains("nginx -t"));
  CHECK(obstacles[0].contains("`flipback rollback --reason TEXT`"));
}

TEST_CASE("a_test_that_was_not_run_is_neither_yes_nor_no") {
  struct row {
    const char* name;
    std::vector<std::string> command;
    const char* says;
  };
  const row rows[] = {
      {"not there", {"/no/such/program", "-t"}, "/no/such/program"},
      {"hangs", {"sleep", "60"}, "did not end in time"},
      {"killed", {"sh", "-c", "kill -KILL $$"}, "signal 9"},
      {"could not reach nginx", {"sh", "-c", "echo 'Cannot connect to the Docker daemon'; exit 1"}, "Cannot connect"},
      {"ssh", {"sh", "-c", "exit 255"}, "exited 255"},
  };
  stage s;
  s.settings.command_timeout = 300ms;
  for (const row& r : rows) {
    CAPTURE(r.name);
    s.settings.test_command = r.command;
    const auto tested = s.test();
    CHECK(tested.is == answer::cant_tell);
    CHECK(tested.says.contains(r.says));
  }
  s.settings.command_timeout = 5s;
  s.settings.test_command = {"sh", "-c", "echo 'nginx: configuration file /etc/nginx/nginx.conf test failed' >&2; exit 1"};
  CHECK(s.test().is == answer::no);
  s.settings.test_command = {"true"};
  CHECK(s.test().is == answer::yes);
}

TEST_CASE("without_a_pid_file_nginx_is_not_run_and_none_is_made") {
  stage s;
  std::filesystem::remove(s.settings.pid);
  const auto tested = s.test();
  CHECK(tested.is == answer::cant_tell);
  CHECK(tested.says.contains(s.settings.pid));
  CHECK_FALSE(testing::finished(s.loop, s.made()->configuration()).has_value());
  CHECK(s.obstacles().size() == 1);
  CHECK(s.reload().is == answer::cant_tell);
  CHECK_FALSE(std::filesystem::exists(s.settings.pid));
  // What this is about: nginx itself makes one, without a number in it.
  const std::string by_hand = fmt::format("{} -t -q -p {} -c {}", testing::nginx_binary, s.settings.prefix, s.settings.conf);
  CHECK(std::system(by_hand.c_str()) == 0);
  CHECK(std::filesystem::exists(s.settings.pid));
  CHECK(testing::contents(s.settings.pid) == "");
  CHECK(s.made()->master().error().contains("no process number"));
}

TEST_CASE("a_pid_file_that_names_another_process_reaches_nobody") {
  stage s;
  testing::folder in;
  // A process that calls itself a master. HUP would end it.
  const std::string script = "exec -a 'nginx: master process /usr/sbin/nginx' sleep 60";
  const testing::child pretender({"bash", "-c", script});
  REQUIRE(testing::comes_true([&] { return testing::contents(fmt::format("/proc/{}/cmdline", pretender.pid())).starts_with("nginx: "); }));
  // A process of nginx's that is no master.
  const auto workers = rollback::workers_of(s.server.pid());
  REQUIRE(workers);
  REQUIRE(workers->accepting.size() == 1);
  for (const pid_t pid : {pretender.pid(), *workers->accepting.begin(), ::getpid(), pid_t{1 << 22}}) {
    CAPTURE(pid);
    s.settings.pid = in / "pid";
    testing::write(s.settings.pid, fmt::format("{}\n", pid));
    CHECK_FALSE(s.made()->master().has_value());
    CHECK(s.reload().is == answer::cant_tell);
    CHECK(s.obstacles().size() == 1);
  }
  CHECK(::kill(pretender.pid(), 0) == 0);
  CHECK(testing::contents(fmt::format("/proc/{}/cmdline", pretender.pid())).starts_with("nginx: "));
  for (const char* text : {"", "0", "-5", "12x", "99999999999999999999"}) {
    testing::write(s.settings.pid, text);
    CHECK_FALSE(s.made()->master().has_value());
  }
  // A folder's reading fails, and once threw.
  s.settings.pid = in.path.string();
  CHECK_FALSE(s.made()->see_workers().has_value());
}

TEST_CASE("a_master_whose_executable_was_upgraded_is_still_the_master") {
  testing::folder in;
  const std::string binary = in / "nginx";
  std::filesystem::copy_file(testing::nginx_binary, binary);
  const testing::running_nginx server(serving(testing::free_port()), binary);
  boost::asio::io_context loop(1);
  config::nginx settings = settings_of(server);
  settings.binary = binary;
  CHECK(rollback::make_nginx(loop.get_executor(), settings)->master() == server.pid());
  std::filesystem::copy_file(testing::nginx_binary, in / "nginx.new");
  std::filesystem::rename(in / "nginx.new", binary);
  CHECK(rollback::make_nginx(loop.get_executor(), settings)->master() == server.pid());
  settings.binary = testing::nginx_binary;
  CHECK_FALSE(rollback::make_nginx(loop.get_executor(), settings)->master().has_value());
}

TEST_CASE("a_command_may_say_who_the_master_is") {
  stage s;
  s.settings.pid = "/no/such/pid";
  s.settings.pid_command = {"echo", fmt::format("{}", s.server.pid())};
  s.settings.test_command = {"true"};
  CHECK(s.reload().is == answer::yes);
  CHECK(s.obstacles() == std::vector<std::string>{});
  s.settings.pid_command = {"echo", "no such container"};
  const auto reloaded = s.reload();
  CHECK(reloaded.is == answer::cant_tell);
  CHECK(reloaded.says.contains("no such container"));
}

TEST_CASE("a_reload_is_never_a_no") {
  stage s;
  s.settings.reload = config::reload_kind::command;
  s.settings.reload_command = {"sh", "-c", "echo 'something went wrong'; exit 1"};
  CHECK(s.reload().is == answer::cant_tell);
  CHECK(s.reload().says.contains("something went wrong"));
  s.settings.reload_command = {"sleep", "60"};
  s.settings.command_timeout = 200ms;
  CHECK(s.reload().is == answer::cant_tell);
  s.settings.reload_command = {"true"};
  CHECK(s.reload().is == answer::yes);
  s.settings.reload_command = {"no-such-program-anywhere"};
  s.settings.command_timeout = 5s;
  CHECK(s.reload().is == answer::cant_tell);
  CHECK(s.obstacles().size() == 1);
}

TEST_CASE("systemd_is_asked_whether_it_knows_the_unit") {
  stage s;
  testing::folder in;
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", fmt::format("{}:{}", in.path.string(), path).c_str(), 1);
  s.settings.reload = config::reload_kind::systemd;
  const auto says = [&](const std::string& script) {
    testing::write(in / "systemctl", "#!/bin/sh\n" + script);
    std::filesystem::permissions(in / "systemctl", std::filesystem::perms::owner_all);
  };
  says(fmt::format("echo \"$@\" >> {}\necho LoadState=loaded\necho CanReload=yes\n", in / "asked"));
  CHECK(s.obstacles() == std::vector<std::string>{});
  CHECK(s.reload().is == answer::yes);
  CHECK(testing::contents(in / "asked") == "show --property=LoadState,CanReload -- nginx.service\nreload -- nginx.service\n");
  says("echo LoadState=not-found\n");
  REQUIRE(s.obstacles().size() == 1);
  CHECK(s.obstacles()[0].contains("nginx.service"));
  says("echo LoadState=loaded\necho CanReload=no\n");
  CHECK(s.obstacles().size() == 1);
  says("echo 'System has not been booted with systemd as init system' >&2; exit 1\n");
  CHECK(s.obstacles().size() == 1);
  CHECK(s.reload().says.contains("not been booted"));
  ::setenv("PATH", path.c_str(), 1);
}

TEST_CASE("workers_are_new_or_old_but_not_within_a_moment") {
  stage s;
  const auto nginx = s.made();
  const wall_time now = std::chrono::system_clock::now();
  CHECK(nginx->workers_since(now - 1h) == true);
  CHECK(nginx->workers_since(now + 1h) == false);
  const auto seen = nginx->see_workers();
  REQUIRE(seen);
  const auto started = rollback::started_at(*seen->accepting.begin());
  REQUIRE(started);
  CHECK(std::chrono::abs(now - *started) < 10s);
  CHECK_FALSE(nginx->workers_since(*started + 5ms).has_value());
  CHECK_FALSE(nginx->workers_since(*started - 5ms).has_value());
}

TEST_CASE("a_refused_reload_shows_as_emerg_of_this_master") {
  stage s;
  const auto nginx = s.made();
  s.server.configure("no_such_directive;");
  nginx->mark_errors();
  CHECK(testing::finished(s.loop, nginx->reload()).is == answer::yes);
  REQUIRE(testing::comes_true([&] { return !nginx->emerg_since_mark().empty(); }));
  CHECK(nginx->emerg_since_mark().contains("no_such_directive"));
  nginx->mark_errors();
  CHECK(nginx->emerg_since_mark() == "");
}

TEST_CASE("what_clients_write_is_no_emerg") {
  const int port = testing::free_port();
  testing::running_nginx server(fmt::format("access_log off; server {{ listen 127.0.0.1:{}; root {}; }}", port, "/nonexistent"));
  boost::asio::io_context loop(1);
  const auto nginx = rollback::make_nginx(loop.get_executor(), settings_of(server));
  nginx->mark_errors();
  testing::get(port, "/[emerg]", "Referer: [emerg]\r\nUser-Agent: [emerg]\r\n");
  testing::converse(port, "GET /x HTTP/1.1\r\nHost: [emerg]\r\nConnection: close\r\n\r\n");
  REQUIRE(testing::comes_true([&] { return testing::contents(server.error_log()).contains("[emerg]"); }));
  CHECK(nginx->emerg_since_mark() == "");
  // A path is decoded before it is logged, its line feeds too: this begins a line as nginx itself would.
  testing::get(port, fmt::format("/x%0a2026/01/01%2000:00:00%20[emerg]%20{0}%23{0}:%20forged", server.pid()));
  REQUIRE(testing::comes_true([&] {
    return testing::contents(server.error_log()).contains(fmt::format("\n2026/01/01 00:00:00 [emerg] {0}#{0}: forged", server.pid()));
  }));
  // A reload that was asked for and that the master has not begun: no worker is new yet.
  REQUIRE(rollback::at_rest(server.pid()) == true);
  ::kill(server.pid(), SIGSTOP);
  CHECK(testing::finished(loop, nginx->reload()).is == answer::yes);
  CHECK(rollback::at_rest(server.pid()) == false);
  CHECK(nginx->emerg_since_mark() == "");
  const auto old_ones = nginx->see_workers();
  ::kill(server.pid(), SIGCONT);
  REQUIRE(old_ones);
  REQUIRE(testing::comes_true([&] {
    const auto now = nginx->see_workers();
    return rollback::at_rest(server.pid()) == true && now && now->leaving.empty() && now->accepting != old_ones->accepting;
  }));
  // While the reload that it wants to undo is under way, and when it has succeeded, it counts for nothing.
  const auto before = nginx->see_workers();
  REQUIRE(before);
  CHECK(testing::finished(loop, nginx->reload()).is == answer::yes);
  CHECK(testing::comes_true([&] {
    CHECK(nginx->emerg_since_mark() == "");
    const auto now = nginx->see_workers();
    return rollback::at_rest(server.pid()) == true && now && now->accepting != before->accepting;
  }));
  CHECK(nginx->emerg_since_mark() == "");
}

TEST_CASE("the_same_refusal_reads_the_same_whenever_and_by_whomever_it_is_said") {
  const std::string one = rollback::last_words("2026/11/29 11:41:11 [emerg] 23563#23563: unknown directive \"bogus\" in /etc/nginx/x:3\n");
  CHECK(one == rollback::last_words("2026/11/29 11:41:16 [emerg] 23570#23570: unknown directive \"bogus\" in /etc/nginx/x:3\n"));
  CHECK(one == ": [emerg] unknown directive \"bogus\" in /etc/nginx/x:3");
}

TEST_CASE("a_test_that_may_not_read_what_nginx_does_is_can_not_tell_but_as_root") {
  for (const char* why :
       {"open() \"/etc/nginx/secret.conf\" failed (13: Permission denied)",
        "cannot load certificate key \"/etc/nginx/front.key\": BIO_new_file() failed (SSL: error:8000000D:system library::Permission "
        "denied:calling fopen(/etc/nginx/front.key, r) error:10080002:BIO routines::system lib)"}) {
    CAPTURE(why);
    const std::string said = fmt::format("nginx: [emerg] {}\nnginx: configuration file x test failed\n", why);
    const rollback::ran came_to = process::finished{.status = 1, .timed_out = false, .output = said, .errors = {}};
    const rollback::done tested = rollback::test_result(came_to, "nginx -t", false);
    CHECK(tested.is == answer::cant_tell);
    CHECK(tested.says.contains("[nginx] helper"));
    CHECK(rollback::test_result(came_to, "nginx -t", true).is == answer::no);
  }
}

TEST_CASE("a_test_that_may_not_write_where_nginx_does_is_can_not_tell") {
  const std::string said =
      "nginx: [emerg] open() \"/run/nginx.pid\" failed (30: Read-only file system)\nnginx: configuration file x test failed\n";
  const rollback::ran came_to = process::finished{.status = 1, .timed_out = false, .output = said, .errors = {}};
  const rollback::done tested = rollback::test_result(came_to, "nginx -t", true);
  CHECK(tested.is == answer::cant_tell);
  CHECK(tested.says.contains("ReadWritePaths="));
}
