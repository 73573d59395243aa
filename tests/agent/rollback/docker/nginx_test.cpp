#include "agent/rollback/nginx.hpp"

#include "tests/agent/rollback/running_nginx.hpp"
#include "tests/folder.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

using namespace flipback;
using namespace std::chrono_literals;
using deployment::answer;

namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

/// A Docker Engine that has learned its answers by heart.
class engine {
 public:
  explicit engine(const std::string& path) : acceptor_(loop_, local::endpoint(path)), server_([this] { serve(); }) {}
  ~engine() {
    ending_ = true;
    local::socket wake(loop_);
    boost::system::error_code ignored;
    wake.connect(acceptor_.local_endpoint(), ignored);
    server_.join();
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void answer(const std::string& request, const std::string& body, unsigned status = 200) {
    const std::scoped_lock held(mutex_);
    answers_[request] = fmt::format("HTTP/1.1 {} X\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\n{}", status, body);
  }
  void hang(const std::string& request) {
    const std::scoped_lock held(mutex_);
    answers_[request].clear();
  }
  void at(const std::string& request, std::function<void()> happens) {
    const std::scoped_lock held(mutex_);
    happens_[request] = std::move(happens);
  }
  std::vector<std::string> asked() {
    const std::scoped_lock held(mutex_);
    return asked_;
  }
  bool was_asked(const std::string& request) {
    const std::vector<std::string> all = asked();
    return std::ranges::find(all, request) != all.end();
  }

 private:
  void serve() {
    std::vector<local::socket> hanging;
    for (;;) {
      local::socket socket = acceptor_.accept();
      if (ending_) return;
      std::string head;
      boost::system::error_code ended;
      asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", ended);
      std::string line = head.substr(0, head.find(" HTTP/"));
      if (line.ends_with("/exec")) {
        asio::read_until(socket, asio::dynamic_buffer(head), "]", ended);
        if (head.contains(R"("-s","reload")")) line += " -s reload";
      }
      std::function<void()> happens;
      std::string text;
      {
        const std::scoped_lock held(mutex_);
        asked_.push_back(line);
        happens = happens_[line];
        const auto found = answers_.find(line);
        text = found != answers_.end() ? found->second : "HTTP/1.1 404 X\r\nConnection: close\r\n\r\n{\"message\":\"no such thing\"}";
      }
      if (happens) happens();
      if (text.empty())
        hanging.push_back(std::move(socket));
      else
        asio::write(socket, asio::buffer(text), ended);
    }
  }

  asio::io_context loop_;
  local::acceptor acceptor_;
  std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::map<std::string, std::function<void()>> happens_;
  std::vector<std::string> asked_;
  std::atomic<bool> ending_ = false;
  std::thread server_;
};

constexpr const char* look = "GET /v1.41/containers/web/json";
constexpr const char* processes = "GET /v1.41/containers/ab12/top";
constexpr const char* reloaded = "POST /v1.41/containers/ab12/exec -s reload";
constexpr const char* signalled = "POST /v1.41/containers/ab12/kill?signal=HUP";
constexpr const char* reloading = "POST /v1.41/exec/e2/start";
constexpr const char* siblings =
    "GET "
    "/v1.41/containers/"
    "json?filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3Dshop%22%2C%22com.docker.compose.service%3Dnginx%22%5D%7D";

std::string container(const std::string& status = "running", int pid = 700) {
  return fmt::format(
      R"({{"Id":"ab12","Name":"/web","State":{{"Status":"{}","Pid":{}}},"Config":{{"Labels":{{"com.docker.compose.project":"shop",)"
      R"("com.docker.compose.service":"nginx"}}}}}})",
      status, pid);
}

std::string top(const std::string& main = "nginx: master process nginx", int worker = 701) {
  return fmt::format(R"({{"Titles":["PID","PPID","CMD"],"Processes":[["700","1","{}"],["{}","700","nginx: worker process"]]}})", main,
                     worker);
}

std::string printed(const std::string& text) {
  return std::string("\2\0\0\0\0\0\0", 7) + static_cast<char>(text.size()) + text;
}

/// nginx in the container `web` of such an Engine, which is well.
struct stage {
  flipback::test::folder in;
  config::nginx settings = [this] {
    config::nginx made;
    made.reload = config::reload_kind::docker;
    made.container = "web";
    made.docker = in.path("docker.sock");
    made.command_timeout = 2s;
    return made;
  }();
  engine asked{settings.docker};
  asio::io_context loop{1};
  std::unique_ptr<rollback::nginx> nginx = rollback::make_nginx(loop.get_executor(), settings);

  stage() {
    asked.answer("GET /_ping", "OK");
    asked.answer(look, container());
    asked.answer(processes, top());
    asked.answer(siblings, R"([{"Names":["/web"]}])");
    asked.answer(reloaded, R"({"Id":"e2"})", 201);
    asked.answer(reloading, printed("signal process started"));
    asked.answer("GET /v1.41/exec/e2/json", R"({"Running":false,"ExitCode":0})");
    asked.answer("POST /v1.41/containers/ab12/exec", R"({"Id":"e1"})", 201);
    runs("nginx: ok", 0);
  }
  void runs(const std::string& prints, int status) {
    asked.answer("POST /v1.41/exec/e1/start", printed(prints));
    asked.answer("GET /v1.41/exec/e1/json", fmt::format(R"({{"Running":false,"ExitCode":{}}})", status));
  }
  rollback::done test() { return testing::finished(loop, nginx->test()); }
  rollback::done reload() { return testing::finished(loop, nginx->reload()); }
  std::vector<std::string> obstacles() { return testing::finished(loop, nginx->obstacles()); }
  std::optional<rollback::workers> workers() {
    testing::finished(loop, [](rollback::nginx& of) -> asio::awaitable<bool> {
      co_await of.refresh();
      co_return true;
    }(*nginx));
    return nginx->see_workers();
  }
  /// What can't be done then is said alike of a test, of a reload, and before either; nginx is not reloaded.
  void is_in_the_way(const std::string& says) {
    CAPTURE(says);
    const auto tested = test();
    CHECK(tested.is == answer::cant_tell);
    CHECK_MESSAGE(tested.says.contains(says), tested.says);
    const auto came_to = reload();
    CHECK(came_to.is == answer::cant_tell);
    CHECK(came_to.says.contains(says));
    const auto all = obstacles();
    REQUIRE(all.size() == 1);
    CHECK(all[0].contains(says));
    CHECK_FALSE(asked.was_asked(reloaded));
  }
};

}  // namespace

TEST_CASE("an_nginx_in_a_container_is_tested_reloaded_and_seen") {
  stage s;
  CHECK(s.test().is == answer::yes);
  CHECK(s.obstacles().empty());
  CHECK_FALSE(s.asked.was_asked(reloaded));
  const auto seen = s.workers();
  REQUIRE(seen);
  CHECK(seen->accepting == std::set<pid_t>{701});
  CHECK(s.reload().is == answer::yes);
  CHECK(s.asked.was_asked(reloaded));
  s.asked.answer(processes, top("nginx: master process nginx", 702));
  CHECK(s.workers()->accepting == std::set<pid_t>{702});
}

TEST_CASE("a_refusal_is_nginxs_own_word_and_nothing_else_is_one") {
  stage s;
  s.runs("[emerg] unknown directive \"x\"\nnginx: configuration file /etc/nginx/nginx.conf test failed\n", 1);
  CHECK(s.test().is == answer::no);
  CHECK(s.obstacles().at(0).contains("`docker exec web /usr/sbin/nginx -t -c /etc/nginx/nginx.conf`"));
  s.runs("OCI runtime exec failed: no such file\n", 126);
  CHECK(s.test().is == answer::cant_tell);
  s.asked.answer("POST /v1.41/containers/ab12/exec", R"({"message":"Container ab12 is paused"})", 409);
  CHECK(s.test().says.contains("answered 409: Container ab12 is paused"));
}

TEST_CASE("nginxs_configuration_is_what_it_dumps") {
  stage s;
  s.runs("# configuration file /etc/nginx/nginx.conf:\n", 0);
  CHECK(testing::finished(s.loop, s.nginx->configuration()) == "# configuration file /etc/nginx/nginx.conf:\n");
  s.runs("nginx: configuration file /etc/nginx/nginx.conf test failed\n", 1);
  CHECK_FALSE(testing::finished(s.loop, s.nginx->configuration()));
}

TEST_CASE("a_container_that_can_not_be_operated_is_not_reloaded") {
  stage s;
  SUBCASE("there is none") {
    s.asked.answer(look, R"({"message":"No such container: web"})", 404);
    s.is_in_the_way("there is no container web: type `docker ps -a`");
  }
  SUBCASE("it does not run") {
    s.asked.answer(look, container("exited", 0));
    s.is_in_the_way("container web is exited, expected running: type `docker start web`");
  }
  SUBCASE("it is paused") {
    s.asked.answer(look, container("paused"));
    s.is_in_the_way("type `docker unpause web`");
  }
  SUBCASE("a shell is its main process") {
    s.asked.answer(processes, top("/bin/sh /docker-entrypoint.sh nginx"));
    s.is_in_the_way("the main process of container web is \"/bin/sh /docker-entrypoint.sh nginx\", expected nginx's master");
  }
  SUBCASE("it is one of several") {
    s.asked.answer(siblings, R"([{"Names":["/web"]},{"Names":["/web_2"]}])");
    s.is_in_the_way("runs in 2 containers (web, web_2)");
  }
  SUBCASE("a proxy lets nothing pass") {
    s.asked.answer(look, "Forbidden", 403);
    s.is_in_the_way("answered 403 to GET /containers/web/json: let the proxy");
  }
  SUBCASE("what answers is no Engine") {
    s.asked.answer("GET /_ping", "<html>", 404);
    s.is_in_the_way("set [nginx] docker to a Docker Engine");
  }
}

TEST_CASE("a_socket_that_can_not_be_used_says_what_to_do") {
  stage s;
  s.settings.docker = s.in.path("none.sock");
  s.nginx = rollback::make_nginx(s.loop.get_executor(), s.settings);
  CHECK(s.test().says.contains("there is no socket " + s.settings.docker));
  CHECK_FALSE(s.workers());
}

TEST_CASE("an_engine_that_hangs_leaves_everything_untold") {
  stage s;
  s.settings.command_timeout = 200ms;
  s.nginx = rollback::make_nginx(s.loop.get_executor(), s.settings);
  SUBCASE("at its first question") {
    s.asked.hang("GET /_ping");
    CHECK(s.reload().is == answer::cant_tell);
    CHECK(s.test().is == answer::cant_tell);
  }
  SUBCASE("when it is to reload") {
    s.asked.hang(reloaded);
    CHECK(s.reload().is == answer::cant_tell);
  }
  SUBCASE("while it reloads") {
    s.asked.hang(reloading);
    CHECK(s.reload().is == answer::cant_tell);
  }
  SUBCASE("while it runs nginx -t") {
    s.asked.hang("POST /v1.41/exec/e1/start");
    CHECK(s.test().is == answer::cant_tell);
  }
  SUBCASE("when nginx -t never ends") {
    s.asked.answer("GET /v1.41/exec/e1/json", R"({"Running":true,"ExitCode":null})");
    CHECK(s.test().is == answer::cant_tell);
  }
}

TEST_CASE("a_reload_that_fails_may_have_been_one") {
  stage s;
  s.asked.answer(reloading, printed("nginx: [alert] kill(700, 1) failed (3: No such process)\n"));
  s.asked.answer("GET /v1.41/exec/e2/json", R"({"Running":false,"ExitCode":1})");
  const auto came_to = s.reload();
  CHECK(came_to.is == answer::cant_tell);
  CHECK(came_to.says.contains("nginx -s reload in container web"));
  CHECK(came_to.says.contains("No such process"));
  CHECK_FALSE(s.asked.was_asked(signalled));
}

TEST_CASE("an_nginx_that_was_started_with_a_pid_file_of_its_own_gets_the_engines_signal") {
  for (const char* says : {"nginx: [error] invalid PID number \"\" in \"/run/nginx.pid\"\n",
                           "nginx: [error] open() \"/run/nginx.pid\" failed (2: No such file or directory)\n"}) {
    stage s;
    s.asked.answer(reloading, printed(says));
    s.asked.answer("GET /v1.41/exec/e2/json", R"({"Running":false,"ExitCode":1})");
    const auto refused = s.reload();  // as by a proxy
    CHECK(refused.is == answer::cant_tell);
    CHECK(refused.says.contains("PID number") != refused.says.contains("open()"));
    s.asked.answer(signalled, "", 204);
    CHECK(s.reload().is == answer::yes);
  }
}

TEST_CASE("a_container_that_was_started_anew_meanwhile_may_not_have_been_reloaded") {
  stage s;
  s.asked.at(reloading, [&] { s.asked.answer(look, container("running", 900)); });
  s.asked.answer(
      processes,
      R"({"Titles":["PID","PPID","CMD"],"Processes":[["700","1","nginx: master process nginx"],["900","1","nginx: master process nginx"]]})");
  const auto came_to = s.reload();
  CHECK(came_to.is == answer::cant_tell);
  CHECK(came_to.says.contains("was started anew meanwhile (process 900, before 700)"));
}

TEST_CASE("a_file_that_is_mounted_alone_is_known_by_its_path") {
  stage s;
  std::string mounted = container();
  mounted.insert(1, R"("Mounts":[{"Destination":"/etc/nginx/sites"},{"Destination":"/etc/nginx/live.conf"},7],)");
  s.asked.answer(look, mounted);
  CHECK_FALSE(s.nginx->mounted_alone("/etc/nginx/live.conf"));
  CHECK(s.obstacles().empty());
  CHECK(s.nginx->mounted_alone("/etc/nginx/live.conf") == "/etc/nginx/live.conf");
  CHECK_FALSE(s.nginx->mounted_alone("/etc/nginx/sites/live.conf"));
}

TEST_CASE("an_answer_without_end_is_cut_off") {
  stage s;
  s.asked.answer(processes, std::string(2 * 1024 * 1024, ' '));
  CHECK(s.reload().is == answer::cant_tell);
  CHECK_FALSE(s.workers());
}

TEST_CASE("what_a_person_types_to_reload_a_container") {
  stage s;
  CHECK(
      rollback::reload_as_typed(s.settings) ==
      "docker exec web /usr/sbin/nginx -t -c /etc/nginx/nginx.conf && docker exec web /usr/sbin/nginx -s reload -c /etc/nginx/nginx.conf");
}
