#include "agent/serve/control_socket.hpp"

#include "flipback/quoted.hpp"

#include "agent/serve/accepting.hpp"
#include "agent/serve/bound_socket.hpp"
#include "agent/serve/wire.hpp"
#include "agent/task_group.hpp"
#include "agent/within.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace flipback::serve {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

namespace {

constexpr std::size_t most_conversations = 16;
constexpr std::size_t longest_demand = 64 * 1024;
constexpr auto patience = std::chrono::seconds(10);
constexpr auto time_to_take = std::chrono::seconds(1);  ///< an answer: it holds up the agent's end
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// The kernel knows the user's number; the name is what the other side says of itself.
std::string who(local::socket& from, const std::string& name) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(from.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  return name.empty() ? fmt::format("uid {}", peer.uid) : fmt::format("{} (uid {})", flipback::quoted(name), peer.uid);
}

using received = std::tuple<boost::system::error_code, std::size_t>;

asio::awaitable<received> read_line(local::socket& from, std::string& into) {
  co_return co_await asio::async_read_until(from, asio::dynamic_buffer(into, longest_demand), '\n', as_value);
}

asio::awaitable<received> write(local::socket& to, const std::string& line) {
  co_return co_await asio::async_write(to, asio::buffer(line), as_value);
}

asio::awaitable<void> converse(local::socket& with, visit& of, const control_socket::handler& answers) {
  std::string line;
  const auto got = co_await within(patience, read_line(with, line));
  if (!got) co_return;
  of.answer();
  const bool too_long = std::get<0>(*got) == asio::error::not_found;
  if (std::get<0>(*got) && !too_long) co_return;
  // What was heard is answered, also where the agent ends meanwhile: the handler is to answer soon, then.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  reply given{false, "found no demand that this version knows; is the agent of another version?\n"};
  if (too_long) {
    given.text = fmt::format("found more than {} bytes, expected one demand in a line\n", longest_demand);
  } else if (auto asked = demand_in(line)) {
    asked->by = who(with, asked->by);
    given = co_await answers(std::move(*asked));
  }
  const std::string answer = line_of(given);
  co_await within(time_to_take, write(with, answer));
}

/// A socket that nobody listens on any more was left by an agent that was killed.
void clear_away(asio::io_context& loop, const std::string& path) {
  local::socket probe(loop);
  boost::system::error_code error;
  probe.connect(path, error);
  if (!error) throw std::runtime_error(fmt::format("can't listen on {}: another agent does", path));
  struct stat found{};
  if (error == asio::error::connection_refused && ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
}

}  // namespace

/// One life of the socket's file, and who came by it.
struct control_socket::listener {
  listener(asio::io_context& loop, const std::string& path) : socket(loop, path), conversations(loop, [](const std::string&) {}) {}
  bound_socket socket;
  task_group conversations;
};

control_socket::control_socket(asio::io_context& loop, std::string path, handler answers, teller tell, duration look_every)
    : loop_(loop),
      path_(std::move(path)),
      answers_(std::move(answers)),
      tell_(std::move(tell)),
      look_every_(look_every),
      listening_(loop, [](const std::string&) {}) {
  constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
  if (path_.size() > longest_path)
    throw std::runtime_error(fmt::format("can't listen on {}: it is longer than {} bytes", path_, longest_path));
  clear_away(loop_, path_);
  try {
    now_ = std::make_shared<listener>(loop_, path_);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("can't listen on {}: {}", path_, error.code().message()));
  }
}

control_socket::~control_socket() = default;

asio::awaitable<void> control_socket::listen(std::shared_ptr<listener> by) {
  static const std::string busy = line_of({false, fmt::format("{} others are being answered; ask again\n", most_conversations)});
  co_await accept_all(by->socket.acceptor, by->conversations, most_conversations, busy,
                      [this](local::socket& with, visit& of) { return converse(with, of, answers_); });
}

asio::awaitable<void> control_socket::serve() {
  listening_.spawn(listen(now_));
  co_await asio::this_coro::throw_if_cancelled(false);  // who listens is to be cancelled, and waited for, first
  asio::steady_timer pause(loop_);
  for (;;) {
    pause.expires_after(look_every_);
    const auto [cancelled] = co_await pause.async_wait(as_value);
    if (cancelled || (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) break;
    look();
  }
  listening_.cancel();
  co_await asio::this_coro::reset_cancellation_state();
  co_await listening_.join();
}

/// Nothing that is at the path is ever removed here: another agent may just be about to listen on it.
void control_socket::look() {
  switch (now_->socket.look()) {
    case bound_socket::file::own:
      lost_.clear();
      return;
    case bound_socket::file::not_known:
      return;
    case bound_socket::file::others:
      return say_lost(fmt::format("{} is another's now: the verbs do not find this agent there until that is gone", path_));
    case bound_socket::file::gone:
      return make_again();
  }
}

void control_socket::make_again() {
  try {
    auto fresh = std::make_shared<listener>(loop_, path_);
    std::exchange(now_, std::move(fresh))->socket.acceptor.close();  // who came by it is answered all the same
  } catch (const boost::system::system_error& error) {
    return say_lost(fmt::format("{} was removed and can't be made again: {}; until it can, the verbs do not find the agent", path_,
                                error.code().message()));
  }
  listening_.spawn(listen(now_));
  lost_.clear();
  tell_({"agent.socket_made_again", severity::warning, fmt::format("{} was removed, and is made again", path_), {}});
}

void control_socket::say_lost(std::string says) {
  if (says == lost_) return;
  lost_ = std::move(says);
  tell_({"agent.socket_lost", severity::warning, lost_, {}});
}

}  // namespace flipback::serve
