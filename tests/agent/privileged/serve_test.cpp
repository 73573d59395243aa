#include "agent/privileged/serve.hpp"

#include "agent/privileged/nginx_test.hpp"
#include "tests/agent/privileged/roots_folder.hpp"

#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace flipback;
using namespace flipback::test;
using namespace std::chrono_literals;

namespace {

/// What is answered to these bytes; `then` is called when they are sent.
std::string answer_to(const host& h, const std::string& said, bool hang_up = true) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return "no pair";
  const descriptor ours(ends[0]);
  privileged::terms by{.settings = h.path("helper.toml"), .state = h.path("state"), .patience = 100ms};
  std::jthread serving([&] { privileged::serve(descriptor(ends[1]), by); });
  for (std::size_t at = 0; at < said.size();) {
    const ssize_t sent = ::send(ours.get(), said.data() + at, said.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) break;
    at += static_cast<std::size_t>(sent);
  }
  if (hang_up) ::shutdown(ours.get(), SHUT_WR);
  std::string got;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = ::recv(ours.get(), part.data(), part.size(), 0)) > 0;)
    got.append(part.data(), static_cast<std::size_t>(size));
  return got;
}

}  // namespace

TEST_CASE("a_peer_is_answered_in_one_line") {
  const host h;
  const std::string said = answer_to(h, "restore\n");
  CHECK(said == "no: nothing was installed: there is nothing to put back\n");
}

TEST_CASE("a_peer_that_says_no_whole_order_is_given_up") {
  const host h;
  CHECK(answer_to(h, "", false).contains("did not say its order in time"));
  CHECK(answer_to(h, "restor", false).contains("did not say its order in time"));
  CHECK(answer_to(h, "restore").contains("hung up before its order's end"));
  CHECK(answer_to(h, "restore\nrestore\n").contains("more than one line"));
  CHECK(answer_to(h, std::string(9000, 'x') + "\n").contains("longer than 8192 bytes"));
}

TEST_CASE("an_order_whose_asker_has_hung_up_is_not_carried_out") {
  const host h;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  REQUIRE(::send(ends[0], "restore\n", 8, 0) == 8);
  ::close(ends[0]);
  char* logged = nullptr;
  std::size_t size = 0;
  std::FILE* const log = ::open_memstream(&logged, &size);
  privileged::serve(descriptor(ends[1]), {.settings = h.path("helper.toml"), .state = h.path("state"), .patience = 1s, .log = log});
  std::fclose(log);
  CHECK(std::string(logged, size).contains("no: it hung up before its order was begun"));
  std::free(logged);
}

TEST_CASE("only_root_and_the_user_of_the_settings_are_served") {
  const host h;
  REQUIRE(::chmod(h.path("state").c_str(), 0700) == 0);
  const auto as = [&](uid_t user) {
    return in_child([&]() -> std::string {
      // The helper's rights stay root's; who asks is told by the kernel as of now.
      if (::setresuid(user, user, 0) != 0) return "can't become another user";
      std::array<int, 2> ends{};
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return "no pair";
      if (::setresuid(0, 0, 0) != 0) return "can't become root again";
      const descriptor ours(ends[0]);
      if (::send(ours.get(), "restore\n", 8, 0) != 8) return "not sent";
      privileged::serve(descriptor(ends[1]), {.settings = h.path("helper.toml"), .state = h.path("state"), .patience = 1s});
      std::array<char, 4096> part{};
      const ssize_t size = ::recv(ours.get(), part.data(), part.size(), MSG_DONTWAIT);
      return size < 0 ? "no answer" : std::string(part.data(), static_cast<std::size_t>(size));
    });
  };
  CHECK(as(0).starts_with("no: nothing was installed"));
  CHECK(as(65534).starts_with("no: nothing was installed"));
  CHECK(as(1).starts_with("can't tell: user 1 is not served here"));
}

TEST_CASE("nothing_is_done_with_settings_or_a_state_folder_that_others_may_write") {
  const host h;
  REQUIRE(::chown(h.path("state").c_str(), 65534, 0) == 0);
  CHECK(answer_to(h, "restore\n").starts_with("no: " + h.path("state") + " belongs to user 65534"));
  REQUIRE(::chmod(h.path("helper.toml").c_str(), 0666) == 0);
  CHECK(answer_to(h, "restore\n").starts_with("no: the helper can't use its settings"));
  CHECK(answer_to(h, "test\n").starts_with("can't tell: the helper can't use its settings"));
}

TEST_CASE("a_test_that_hangs_or_never_stops_talking_is_ended") {
  const roots_folder f;
  config::nginx nginx;
  nginx.pid = f.write("nginx.pid", "1");
  nginx.binary = f.write("nginx", "#!/bin/sh\necho started\nexec sleep 600\n");
  nginx.command_timeout = 300ms;
  REQUIRE(::chmod(nginx.binary.c_str(), 0755) == 0);
  CHECK(privileged::test_of(nginx).is == rollback::answer::cant_tell);
  CHECK(privileged::test_of(nginx).says.contains("did not end in time: started"));
  f.write("nginx", "#!/bin/sh\nexec yes\n");
  CHECK(privileged::test_of(nginx).says.size() < 1000);
  f.write("nginx", "#!/bin/sh\nsleep 600 &\nexit 0\n");
  CHECK(privileged::test_of(nginx).is == rollback::answer::yes);
  f.write("nginx", "#!/bin/sh\nhead -c 1000000 /dev/zero; echo; echo 'nginx: configuration file x test failed'; exit 1\n");
  CHECK(privileged::test_of(nginx).is != rollback::answer::yes);
  f.write("nginx", "#!/bin/sh\necho 'nginx: configuration file x test failed'; exit 1\n");
  CHECK(privileged::test_of(nginx).is == rollback::answer::no);
}

TEST_CASE("a_test_that_may_not_write_where_nginx_does_says_nothing_of_the_configuration") {
  const roots_folder f;
  config::nginx nginx;
  nginx.pid = f.write("nginx.pid", "1");
  nginx.binary = f.write("nginx",
                         "#!/bin/sh\necho 'nginx: [emerg] open() \"/run/nginx.pid\" failed (30: Read-only file system)'\n"
                         "echo 'nginx: configuration file x test failed'; exit 1\n");
  REQUIRE(::chmod(nginx.binary.c_str(), 0755) == 0);
  const auto tested = privileged::test_of(nginx);
  CHECK(tested.is == rollback::answer::cant_tell);
  CHECK(tested.says.contains("ReadWritePaths="));
}
