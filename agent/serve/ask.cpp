#include "agent/serve/ask.hpp"

#include "agent/serve/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

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
  const bool only_looks = verb == "status" || verb == "rules" || verb == "explain";
  return fmt::format("the connection ended before an answer came{}",
                     only_looks ? "; ask again" : ": it is not known whether it was carried out; `flipback status` tells");
}

}  // namespace

std::expected<reply, std::string> ask(const std::string& path, const demand& what, const std::string& typed) {
  asio::io_context loop;
  local::socket to(loop);
  boost::system::error_code error;
  to.connect(path, error);
  if (error) return std::unexpected(not_connected(path, typed, error));
  asio::write(to, asio::buffer(line_of(what)), error);
  const bool sent = !error;
  std::string line;
  asio::read_until(to, asio::dynamic_buffer(line), '\n', error);  // a refusal may have come before all was sent
  if (error) return std::unexpected(not_answered(what.verb, sent));
  auto answer = reply_in(line);
  if (!answer) return std::unexpected(fmt::format("what listens on {} is no agent", path));
  return *std::move(answer);
}

}  // namespace flipback::serve
