#include "agent/rollback/helper.hpp"

#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/switches/configured.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <functional>
#include <thread>

using namespace flipback;
using namespace flipback::test;
using namespace std::chrono_literals;
using rollback::answer;
using rollback::end;
using kind = rollback::put_result::kind;

namespace {

/// Two site files, and a socket behind which somebody does to each order what the test says.
struct host : folder {
  host() {
    write("blue", "blue's\n");
    write("green", "green's\n");
    write("live", "blue's\n");
    settings.deployment->live_files = {{path("live"), {path("blue"), path("green")}}};
    settings.nginx.helper = path("helper.sock");
    settings.nginx.pid = write("nginx.pid", "1\n");
    made = rollback::make_switch(loop.get_executor(), settings);
  }
  ~host() { hang_up(); }

  /// `answers` gets each order's line, and gives what is sent back; nothing more is sent.
  void listen(std::function<std::string(const std::string&)> answers) {
    listening = descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    settings.nginx.helper.copy(at.sun_path, sizeof at.sun_path - 1);
    REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(listening.get(), 4) == 0);
    serving = std::jthread([this, answers = std::move(answers)] {
      for (;;) {
        const descriptor peer(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer.is_open()) return;
        std::string line;
        for (char c = 0; ::recv(peer.get(), &c, 1, 0) == 1 && c != '\n';) line.push_back(c);
        orders.push_back(line);
        const std::string said = answers(line);
        static_cast<void>(::send(peer.get(), said.data(), said.size(), MSG_NOSIGNAL));
      }
    });
  }
  void hang_up() {
    if (listening.is_open()) ::shutdown(listening.get(), SHUT_RDWR);
    if (serving.joinable()) serving.join();
  }
  rollback::put_result put(const rollback::change& c, end to) { return result_of(loop, made->put(c, to)); }
  rollback::change to_green() const { return changes(*made, 1).at(0); }

  boost::asio::io_context loop{1};
  config::configuration settings = two_slots(config::switch_kind::site);
  std::unique_ptr<rollback::slot_switch> made;
  descriptor listening;
  std::vector<std::string> orders;
  std::jthread serving;
};

std::string install_of(const rollback::change& c) {
  return rollback::to_text(rollback::order{.is = rollback::order::verb::install, .slot = "green", .changes = rollback::hashed({{c}})});
}

}  // namespace

TEST_CASE("a_helper_is_asked_for_a_slot_and_what_it_wrote_is_seen") {
  host h;
  h.listen([&](const std::string& order) {
    h.write("live", order == "restore" ? "blue's\n" : "green's\n");
    return std::string("yes\n");
  });
  const rollback::change c = h.to_green();
  CHECK(h.put(c, end::after).is == kind::done);
  CHECK(h.put(c, end::after).is == kind::done);  // it is there: nobody is asked
  CHECK(h.put(c, end::before).is == kind::done);
  h.hang_up();
  CHECK(h.orders == std::vector<std::string>{install_of(c), "restore"});
  CHECK(h.text("live") == "blue's\n");
}

TEST_CASE("what_came_of_it_is_read_from_the_files_and_not_believed") {
  struct row {
    const char* name;
    const char* says;
    const char* live;  ///< what the helper leaves there
    kind is;
  };
  for (const row& r :
       {row{"yes, and it is not there", "yes\n", "blue's\n", kind::cant_tell}, row{"a no", "no: not now\n", "blue's\n", kind::failed},
        row{"a no, and it is there", "no: not now\n", "green's\n", kind::done},
        row{"can't tell", "can't tell: the disk hangs\n", "blue's\n", kind::cant_tell}, row{"it hung up", "", "blue's\n", kind::cant_tell},
        row{"it hung up when it had done it", "", "green's\n", kind::done}, row{"half an answer", "ye", "green's\n", kind::done},
        row{"no answer at all", "hello\n", "blue's\n", kind::cant_tell}, row{"an answer without end", "no: ", "blue's\n", kind::cant_tell},
        row{"somebody else's", "yes\n", "by hand\n", kind::foreign}}) {
    CAPTURE(r.name);
    host h;
    h.listen([&](const std::string&) {
      h.write("live", r.live);
      return std::string(r.says);
    });
    const rollback::put_result came_to = h.put(h.to_green(), end::after);
    CAPTURE(came_to.says);
    CHECK(came_to.is == r.is);
    CHECK(came_to.says.empty() == (r.is == kind::done));
    CHECK(h.text("live") == r.live);
  }
}

TEST_CASE("a_helper_that_is_not_there_has_done_nothing_and_one_that_hangs_may_have") {
  host h;
  const rollback::put_result none = h.put(h.to_green(), end::after);
  CHECK(none.is == kind::failed);
  CHECK(none.says.contains("systemctl status flipback-helper.socket"));
  CHECK(result_of(h.loop, rollback::tested_by_helper(h.loop.get_executor(), h.settings.nginx)).is == answer::cant_tell);
  h.listen([](const std::string&) {
    std::this_thread::sleep_for(6s);
    return std::string();
  });
  h.settings.nginx.command_timeout = 0s;
  const rollback::put_result hung = h.put(h.to_green(), end::after);
  CHECK(hung.is == kind::cant_tell);
  CHECK(hung.says.contains("has not answered in time"));
}

TEST_CASE("a_change_that_no_slot_of_now_leads_to_is_not_asked_for") {
  host h;
  h.listen([](const std::string&) { return std::string("yes\n"); });
  const rollback::change c = h.to_green();
  h.write("green", "another green\n");
  CHECK(h.put(c, end::after).is == kind::failed);
  h.write("live", "by hand\n");
  CHECK(h.put(c, end::after).is == kind::foreign);
  CHECK(h.put(c, end::before).is == kind::foreign);
  h.hang_up();
  CHECK(h.orders.empty());
  CHECK(h.text("live") == "by hand\n");
}

TEST_CASE("an_agent_that_may_not_write_lacks_nothing_where_a_helper_does") {
  host h;
  CHECK(as_nobody([&] { return together(h.made->obstacles()); }) == "");
  h.settings.nginx.helper.clear();
  const auto alone = rollback::make_switch(h.loop.get_executor(), h.settings);
  CHECK(as_nobody([&] { return together(alone->obstacles()); }) != "");
}

TEST_CASE("a_test_and_a_reload_by_a_helper_are_never_less_sure_than_it_is") {
  host h;
  std::string says;
  h.listen([&](const std::string&) { return says; });
  const auto nginx = rollback::make_nginx(h.loop.get_executor(), h.settings.nginx);
  struct row {
    const char* says;
    answer test;
    answer reload;
  };
  for (const row& r : {row{"yes\n", answer::yes, answer::yes}, row{"no: refused\n", answer::no, answer::cant_tell},
                       row{"can't tell: hung\n", answer::cant_tell, answer::cant_tell}, row{"", answer::cant_tell, answer::cant_tell}}) {
    CAPTURE(r.says);
    says = r.says;
    CHECK(result_of(h.loop, nginx->test()).is == r.test);
    CHECK(result_of(h.loop, nginx->reload()).is == r.reload);
  }
  h.hang_up();
  CHECK(h.orders.front() == "test");
  CHECK(h.orders.back() == "reload");
}
