#include "agent/privileged/serve.hpp"

#include "flipback/quoted.hpp"

#include "agent/privileged/installs.hpp"
#include "agent/privileged/nginx_test.hpp"
#include "agent/privileged/roots_own.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>

namespace flipback::privileged {

using namespace rollback;

namespace {

/// What the peer says up to its line's end. An error is one sentence: it said nothing in time, half a line, too much.
std::expected<std::string, std::string> line_from(int peer, duration patience) {
  const instant end = std::chrono::steady_clock::now() + patience;
  std::string said;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{.fd = peer, .events = POLLIN, .revents = 0};
    const int came = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
    if (came < 0 && errno == EINTR) continue;
    if (came <= 0) return std::unexpected("it did not say its order in time");
    std::array<char, longest_order> part{};
    const ssize_t size = ::recv(peer, part.data(), part.size() - said.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) return std::unexpected("it hung up before its order's end");
    said.append(part.data(), static_cast<std::size_t>(size));
    const std::size_t at = said.find('\n');
    if (at != std::string::npos && at + 1 < said.size()) return std::unexpected("it said more than one line");
    if (at != std::string::npos) return said.substr(0, at);
    if (said.size() >= longest_order) return std::unexpected(fmt::format("its line is longer than {} bytes", longest_order));
  }
}

/// Whether the peer waits for its answer: who has given up is not served behind his back, hours after he asked.
bool still_waits(int peer) {
  pollfd is{.fd = peer, .events = 0, .revents = 0};
  return ::poll(&is, 1, 0) >= 0 && (is.revents & (POLLHUP | POLLERR)) == 0;
}

/// Nothing was done. Of a test or a trial that is no answer to what was asked.
done refused(const std::expected<order, std::string>& what, std::string why) {
  const bool is_known = what && what->is != order::verb::test && what->is != order::verb::could;
  return {is_known ? answer::no : answer::cant_tell, std::move(why)};
}

done reload(const config::nginx& settings) {
  const auto master = make_master_finder({}, settings);
  std::string failed = signal_master(*master, SIGHUP);
  return {failed.empty() ? answer::yes : answer::no, std::move(failed)};
}

done carried_out(const order& what, const settings& by, const std::string& state) {
  installs kept(state, by.of);
  kept.make_locks(by.served_group);
  switch (what.is) {
    case order::verb::test:
      return test_of(by.of.nginx);
    case order::verb::install:
      return kept.install(what);
    case order::verb::could:
      return kept.could(what);
    case order::verb::restore:
      return kept.restore();
    case order::verb::reload:
      return reload(by.of.nginx);
  }
  return {};
}

}  // namespace

void serve(descriptor peer, const terms& by) try {
  ucred who{};
  socklen_t size = sizeof who;
  const bool known = ::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
  const auto settings = read_settings(by.settings);
  const bool is_served = known && (who.uid == 0 || (settings && who.uid == settings->serves));
  std::expected<std::string, std::string> line = std::unexpected(std::string());
  std::expected<order, std::string> what = std::unexpected(std::string());
  done came_to;
  if (is_served || !settings) {
    line = line_from(peer.get(), by.patience);
    what = line ? order_in(*line) : std::unexpected(line.error());
  }
  const std::string unsafe = not_roots_own(by.state);
  if (!settings)
    came_to = refused(what, fmt::format("the helper can't use its settings: {}", settings.error()));
  else if (!is_served)
    came_to = refused(what, fmt::format("user {} is not served here: `user` in {} says who is", who.uid, by.settings));
  else if (!what || !unsafe.empty())
    came_to = refused(what, what ? unsafe : what.error());
  else if (!still_waits(peer.get()))
    came_to = refused(what, "it hung up before its order was begun, so that was not carried out");
  else
    came_to = carried_out(*what, *settings, by.state);
  const std::string answer = to_text(came_to) + "\n";
  static_cast<void>(::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  const std::string order_said = line ? fmt::format(" asks {}", in_quotes(*line, {}, longest_order)) : "";
  fmt::print(by.log, "user {} (process {}){}: {}", who.uid, who.pid, order_said, answer);
} catch (const std::exception& broken) {  // without an answer: what was begun can't be told. The next who asks is served
  std::fprintf(by.log, "an order could not be carried to its end: %s\n", broken.what());
}

void tidy_up(const terms& by) {
  if (const auto settings = read_settings(by.settings)) installs(by.state, settings->of).tidy_up();
}

}  // namespace flipback::privileged
