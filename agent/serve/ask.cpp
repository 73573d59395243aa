#include "agent/serve/ask.hpp"

#include "agent/serve/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

namespace flipback::serve {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

namespace {

/// Who may use the socket, and what to type. That it can't be looked at means that a folder above it is shut.
std::string no_right_to(const std::string& path, const std::string& typed) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0)
    return fmt::format("a folder on the way to {} may not be entered, so it can't be told whether an agent is there; type `sudo {}`", path,
                       typed);
  const passwd* const user = ::getpwuid(found.st_uid);
  const std::string owner = user != nullptr ? user->pw_name : fmt::format("{}", found.st_uid);
  const ::group* const known = ::getgrgid(found.st_gid);
  const std::string group = known != nullptr ? known->gr_name : fmt::format("{}", found.st_gid);
  const bool by_group = (found.st_mode & S_IWGRP) != 0 && found.st_gid != 0;
  return fmt::format("no right to use {}: it is {}:{}'s, with the mode {:04o}; type `sudo {}`{}", path, owner, group, found.st_mode & 07777,
                     typed, by_group ? fmt::format(", or join the group {}", group) : "");
}

std::string not_connected(const std::string& path, const std::string& typed, const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  if (error == errc::permission_denied || error == errc::operation_not_permitted) return no_right_to(path, typed);
  const bool nobody = error == errc::no_such_file_or_directory || error == errc::not_a_directory || error == errc::connection_refused;
  return fmt::format("{} {}: {}", nobody ? "no agent listens on" : "can't connect to", path, error.message());
}

/// A demand acts once its last byte, the line's end, has come.
std::string not_answered(const std::string& verb, bool sent) {
  if (!sent) return "the connection ended before all was said: nothing was carried out";
  const bool only_looks =
      verb == "status" || verb == "rules" || verb == "explain" || verb == "healthy" || verb == "incidents" || verb == "log";
  return fmt::format("the connection ended before an answer came{}",
                     only_looks ? "; ask again" : ": it is not known whether it was carried out; `flipback status` tells");
}

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// A socket that takes nobody more, since whoever listens there takes nobody out, is tried again.
asio::awaitable<boost::system::error_code> connect(local::socket& to, const local::endpoint& at) {
  constexpr auto pause = std::chrono::milliseconds(20);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  to.open();
  to.non_blocking(true);
  while (::connect(to.native_handle(), at.data(), static_cast<socklen_t>(at.size())) != 0) {
    if (errno != EAGAIN && errno != EINTR) co_return boost::system::error_code(errno, boost::system::system_category());
    timer.expires_after(pause);
    const auto [cancelled] = co_await timer.async_wait(as_value);
    if (cancelled) co_return cancelled;
  }
  co_return boost::system::error_code{};
}

using answered = std::expected<reply, std::string>;

asio::awaitable<answered> converse(const std::string& path, const demand& what, const std::string& typed) {
  local::socket to(co_await asio::this_coro::executor);
  const auto unconnected = co_await connect(to, local::endpoint(path));
  if (unconnected) co_return std::unexpected(not_connected(path, typed, unconnected));
  const std::string asked = line_of(what);
  const auto [unsent, size] = co_await asio::async_write(to, asio::buffer(asked), as_value);
  std::string line;
  // A refusal may have come before all was sent.
  const auto [unread, length] = co_await asio::async_read_until(to, asio::dynamic_buffer(line), '\n', as_value);
  if (unread) co_return std::unexpected(not_answered(what.verb, !unsent));
  auto answer = reply_in(line);
  if (!answer) co_return std::unexpected(fmt::format("what listens on {} is no agent", path));
  co_return *std::move(answer);
}

}  // namespace

std::expected<reply, std::string> ask(const std::string& path, const demand& what, const std::string& typed,
                                      std::optional<duration> limit) {
  asio::io_context loop;
  std::optional<answered> made;
  std::exception_ptr failed;
  asio::co_spawn(loop, converse(path, what, typed), [&](std::exception_ptr thrown, answered got) {
    failed = std::move(thrown);
    made = std::move(got);
  });
  if (limit)
    loop.run_for(*limit);
  else
    loop.run();
  if (failed) std::rethrow_exception(failed);
  if (!made) return std::unexpected(fmt::format("the agent on {} has not answered within {}", path, format_duration(*limit)));
  return *std::move(made);
}

}  // namespace flipback::serve
