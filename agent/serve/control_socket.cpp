#include "agent/serve/control_socket.hpp"

#include "flipback/utf8.hpp"

#include "agent/serve/accepting.hpp"
#include "agent/task_group.hpp"
#include "agent/within.hpp"
#include "probes/quoted.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

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
  return name.empty() ? fmt::format("uid {}", peer.uid) : fmt::format("{} (uid {})", quoted(name), peer.uid);
}

std::optional<demand> demand_in(const std::string& line) {
  boost::system::error_code error;
  const boost::json::value read = boost::json::parse(well_formed(line), error);
  const auto* object = error ? nullptr : read.if_object();
  if (object == nullptr) return std::nullopt;
  demand made;
  for (const auto& [key, value] : *object) {
    const auto* text = value.if_string();
    if (text == nullptr) return std::nullopt;
    if (key == "verb")
      made.verb = *text;
    else
      made.values.emplace(key, std::string(*text));
  }
  return made;
}

std::string line_of(const reply& r) {
  return boost::json::serialize(boost::json::object{{"done", r.done}, {"text", r.text}}) + "\n";
}

using received = std::tuple<boost::system::error_code, std::size_t>;

asio::awaitable<received> read_line(local::socket& from, std::string& into) {
  co_return co_await asio::async_read_until(from, asio::dynamic_buffer(into, longest_demand), '\n', as_value);
}

asio::awaitable<received> write(local::socket& to, const std::string& line) {
  co_return co_await asio::async_write(to, asio::buffer(line), as_value);
}

asio::awaitable<void> converse(local::socket with, const control_socket::handler& answers) {
  std::string line;
  const auto got = co_await within(patience, read_line(with, line));
  if (!got) co_return;
  const bool too_long = std::get<0>(*got) == asio::error::not_found;
  if (std::get<0>(*got) && !too_long) co_return;
  // What was heard is answered, also where the agent ends meanwhile: the handler is to answer soon, then.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  reply given{false, "found no demand that this version knows; is the agent of another version?\n"};
  if (too_long) {
    given.text = fmt::format("found more than {} bytes, expected one demand in a line\n", longest_demand);
  } else if (auto asked = demand_in(line)) {
    const auto name = asked->values.extract("by");
    asked->by = who(with, name ? name.mapped() : std::string());
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

struct control_socket::parts {
  parts(asio::io_context& loop, std::string p, handler h)
      : path(std::move(p)), answers(std::move(h)), acceptor(loop), conversations(loop, [](const std::string&) {}) {}
  std::string path;
  handler answers;
  local::acceptor acceptor;
  task_group conversations;
};

control_socket::control_socket(asio::io_context& loop, std::string path, handler answers) {
  constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > longest_path)
    throw std::runtime_error(fmt::format("can't listen on {}: it is longer than {} bytes", path, longest_path));
  clear_away(loop, path);
  auto made = std::make_unique<parts>(loop, std::move(path), std::move(answers));
  try {
    made->acceptor.open();
    const mode_t before = ::umask(0117);
    boost::system::error_code error;
    made->acceptor.bind(made->path, error);
    ::umask(before);
    if (error) throw boost::system::system_error(error);
    made->acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("can't listen on {}: {}", made->path, error.code().message()));
  }
  parts_ = std::move(made);
}

control_socket::~control_socket() {
  if (parts_) ::unlink(parts_->path.c_str());
}

asio::awaitable<void> control_socket::serve() {
  co_await accept_all(parts_->acceptor, parts_->conversations, most_conversations,
                      [this](local::socket with) { return converse(std::move(with), parts_->answers); });
}

}  // namespace flipback::serve
