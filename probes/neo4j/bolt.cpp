#include "probes/neo4j/bolt.hpp"

#include "flipback/quoted.hpp"

#include "probes/net/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::neo4j {

namespace {

using namespace std::string_view_literals;

// Each proposal is 0, how many minor versions below are meant too, minor, major.
constexpr std::string_view proposals =
    "\x60\x60\xB0\x17"
    "\x00\x08\x08\x05"
    "\x00\x02\x04\x04"
    "\x00\x00\x00\x00"
    "\x00\x00\x00\x00"sv;
constexpr std::size_t longest_answer = 1024 * 1024;
constexpr std::size_t longest_chunk = 0xFFFF;

enum tag : std::uint8_t {
  hello = 0x01,
  goodbye = 0x02,
  run = 0x10,
  pull = 0x3F,
  logon = 0x6A,
  success = 0x70,
  record = 0x71,
  failed = 0x7F
};

net::failure hung_up() {
  return {reason::closed, "the server hung up before its answer was whole"};
}

std::string text_in(const json::value& map, std::string_view key) {
  const json::object* members = map.if_object();
  const json::value* found = members == nullptr ? nullptr : members->if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string{};
}

/// What a FAILURE says. From 5.7 on the code stands beside a GQL status, under another name.
net::failure failure_in(const message& m) {
  const json::value about = m.fields.empty() ? json::value() : m.fields.front();
  const std::string code = text_in(about, "neo4j_code");
  return failure_of(flipback::quoted(code.empty() ? text_in(about, "code") : code), flipback::quoted(text_in(about, "message")));
}

}  // namespace

net::failure failure_of(std::string_view code, std::string_view says) {
  const std::string whole = fmt::format("{}: {}", code, says);
  if (code.ends_with(".Security.AuthenticationRateLimit"))
    return {reason::limited, "the user is locked out for a while: too many wrong passwords (AuthenticationRateLimit)"};
  if (code.ends_with(".Security.CredentialsExpired"))
    return {reason::unauthorised, "the password must be changed before anything can be asked (CredentialsExpired)"};
  if (code.ends_with(".Security.Unauthorized") || code.ends_with(".Security.AuthorizationExpired") ||
      code.ends_with(".Security.TokenExpired"))
    return {reason::unauthorised, "wrong user or password (Unauthorized)"};
  if (code.contains(".Security.")) return {reason::forbidden, whole};
  if (code.ends_with(".DatabaseNotFound")) return {reason::absent, whole};
  return {reason::bad_status, whole};
}

asio::awaitable<net::result<void>> bolt::fill(std::size_t size) {
  while (unread_.size() < size) {
    std::array<char, 4096> part{};
    const auto got = co_await on_.read_some(asio::buffer(part));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return std::unexpected(hung_up());
    unread_.append(part.data(), *got);
  }
  co_return net::result<void>{};
}

asio::awaitable<net::result<void>> bolt::shake_hands() {
  const auto sent = co_await on_.write(asio::buffer(proposals));
  if (!sent) co_return std::unexpected(sent.error());
  const auto come = co_await fill(4);
  if (!come) {
    if (come.error().why != reason::closed) co_return std::unexpected(come.error());
    co_return std::unexpected(
        net::failure{reason::closed, "the server hung up on a Bolt handshake: it speaks something else, or wants TLS"});
  }
  const std::string version = unread_.substr(0, 4);
  unread_.erase(0, 4);
  if (version == "HTTP") co_return std::unexpected(net::failure{reason::bad_answer, "the server speaks HTTP there, not Bolt"});
  if (version == "\0\0\0\0"sv)
    co_return std::unexpected(
        net::failure{reason::bad_answer, "the server has no Bolt version in common with us (5.0 to 5.8, 4.2 to 4.4)"});
  minor_ = static_cast<unsigned char>(version[2]);
  major_ = static_cast<unsigned char>(version[3]);
  const bool known = (major_ == 5 && minor_ <= 8) || (major_ == 4 && minor_ >= 2 && minor_ <= 4);
  if (version[0] != '\0' || version[1] != '\0' || !known)
    co_return std::unexpected(net::failure{reason::bad_answer, "the answer is not a Bolt handshake"});
  co_return net::result<void>{};
}

asio::awaitable<net::result<void>> bolt::say(message m) {
  const std::string whole = packed(m);
  std::string chunks;
  for (std::size_t at = 0; at < whole.size(); at += longest_chunk) {
    const std::size_t size = std::min(longest_chunk, whole.size() - at);
    chunks += static_cast<char>(size >> 8);
    chunks += static_cast<char>(size & 0xFF);
    chunks.append(whole, at, size);
  }
  chunks += "\0\0"sv;
  co_return co_await on_.write(asio::buffer(chunks));
}

asio::awaitable<net::result<message>> bolt::hear() {
  std::string whole;
  for (;;) {
    if (const auto come = co_await fill(2); !come) co_return std::unexpected(come.error());
    const std::size_t size = static_cast<unsigned char>(unread_[0]) << 8U | static_cast<unsigned char>(unread_[1]);
    unread_.erase(0, 2);
    if (size == 0 && !whole.empty()) break;  // with nothing before it, it only keeps the connection awake
    if (whole.size() + size > longest_answer) co_return std::unexpected(net::failure{reason::too_large, "the answer is longer than 1MiB"});
    if (const auto come = co_await fill(size); !come) co_return std::unexpected(come.error());
    whole.append(unread_, 0, size);
    unread_.erase(0, size);
  }
  auto read = unpacked(whole);
  if (!read) co_return std::unexpected(net::failure{reason::bad_answer, fmt::format("a Bolt message {}", read.error())});
  co_return std::move(*read);
}

asio::awaitable<net::result<message>> bolt::ask(message m) {
  const auto said = co_await say(std::move(m));
  if (!said) co_return std::unexpected(said.error());
  auto heard = co_await hear();
  if (!heard || heard->tag != failed) co_return std::move(heard);
  co_return std::unexpected(failure_in(*heard));
}

asio::awaitable<net::result<void>> bolt::log_in(std::string user, std::string password) {
  json::object identity;
  identity["scheme"] = user.empty() ? "none" : "basic";
  if (!user.empty()) {
    identity["principal"] = user;
    identity["credentials"] = password;
  }
  const bool by_itself = major_ == 5 && minor_ >= 1;  // LOGON came with 5.1; before it HELLO says both
  json::object about = by_itself ? json::object{} : identity;
  about["user_agent"] = "flipback/" FLIPBACK_VERSION;
  if (major_ == 5 && minor_ >= 3) about["bolt_agent"] = json::object{{"product", "flipback/" FLIPBACK_VERSION}};
  message greeting;
  greeting.tag = hello;
  greeting.fields.emplace_back(std::move(about));
  const auto greeted = co_await ask(std::move(greeting));
  if (!greeted) co_return std::unexpected(greeted.error());
  if (!greeted->fields.empty()) server_ = flipback::quoted(text_in(greeted->fields.front(), "server"));
  if (by_itself) {
    message who;
    who.tag = logon;
    who.fields.emplace_back(std::move(identity));
    const auto known = co_await ask(std::move(who));
    if (!known) co_return std::unexpected(known.error());
  }
  co_return net::result<void>{};
}

asio::awaitable<net::result<json::value>> bolt::first_value(std::string query, std::string database) {
  message asking;
  asking.tag = run;
  asking.fields.emplace_back(std::move(query));
  asking.fields.emplace_back(json::object{});
  asking.fields.emplace_back(json::object{{"mode", "r"}, {"db", std::move(database)}});
  const auto running = co_await ask(std::move(asking));
  if (!running) co_return std::unexpected(running.error());
  message pulling;
  pulling.tag = pull;
  pulling.fields.emplace_back(json::object{{"n", 1}});
  auto first = co_await ask(std::move(pulling));
  if (!first) co_return std::unexpected(first.error());
  if (first->tag == success) co_return json::value();
  const json::array* row = first->tag == record && !first->fields.empty() ? first->fields.front().if_array() : nullptr;
  if (row == nullptr) co_return std::unexpected(net::failure{reason::bad_answer, "the answer to a query is neither a row nor its end"});
  json::value value = row->empty() ? json::value() : row->front();
  // The query may still fail after its first row.
  auto last = co_await hear();
  if (!last) co_return std::unexpected(last.error());
  if (last->tag == failed) co_return std::unexpected(failure_in(*last));
  co_return value;
}

asio::awaitable<void> bolt::say_goodbye() {
  message leaving;
  leaving.tag = goodbye;
  co_await say(std::move(leaving));
}

std::string bolt::version() const {
  return fmt::format("{}.{}", major_, minor_);
}

}  // namespace flipback::neo4j
