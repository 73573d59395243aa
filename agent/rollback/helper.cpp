#include "agent/rollback/helper.hpp"

#include "agent/within.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <utility>

namespace flipback::rollback {

namespace {

using local = asio::local::stream_protocol;

constexpr duration patience = std::chrono::seconds(5);  // beside the time of what it runs

/// How far a conversation has come, known also where it was cut off.
struct conversation {
  std::string error;  ///< that ended it
  bool sent = false;
  std::string line;
};

asio::awaitable<bool> converse(const std::string& path, const std::string& text, conversation& so_far) {
  boost::system::error_code error;
  local::socket to(co_await asio::this_coro::executor);
  const local::endpoint there(path);
  co_await to.async_connect(there, asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await asio::async_write(to, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
  so_far.sent = !error;
  // A refusal may have come before all was sent.
  boost::system::error_code unread;
  const auto buffer = asio::dynamic_buffer(so_far.line, longest_answer);
  co_await asio::async_read_until(to, buffer, '\n', asio::redirect_error(asio::use_awaitable, unread));
  if (error || unread) so_far.error = (error ? error : unread).message();
  co_return true;
}

}  // namespace

asio::awaitable<std::expected<done, std::string>> ask_helper(asio::any_io_executor executor, const config::nginx& settings, order what) {
  const std::string path = settings.helper;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    co_return std::unexpected(fmt::format("[nginx] helper {} is too long for a socket's path", path));
  const std::string text = to_text(what) + "\n";
  if (text.size() > longest_order)
    co_return std::unexpected("more files are switched than the helper takes in one order: put them into fewer");
  conversation so_far;
  const auto ended = co_await within(settings.command_timeout + patience, converse(path, text, so_far));
  const bool whole = so_far.line.ends_with('\n');
  if (whole) so_far.line.pop_back();
  if (auto answered = done_in(so_far.line); answered && whole) co_return *std::move(answered);
  if (!so_far.sent && ended)
    co_return std::unexpected(fmt::format(
        "the helper at {} can't be asked: {}; type `systemctl status flipback-helper.socket`, and look whether this user is of its group",
        path, so_far.error));
  if (!ended)
    co_return done{answer::cant_tell, fmt::format("the helper at {} has not answered in time; type `journalctl -u flipback-helper`", path)};
  co_return done{answer::cant_tell, fmt::format("the helper at {} gave no answer ({}); type `journalctl -u flipback-helper`", path,
                                                so_far.error.empty() ? "what it said is none" : so_far.error)};
}

asio::awaitable<done> tested_by_helper(asio::any_io_executor executor, const config::nginx& settings) {
  const order what{.is = order::verb::test, .slot = {}, .changes = {}};
  auto answered = co_await ask_helper(std::move(executor), settings, what);
  if (!answered) co_return done{answer::cant_tell, std::move(answered.error())};
  co_return *std::move(answered);
}

}  // namespace flipback::rollback
