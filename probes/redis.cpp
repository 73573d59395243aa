#include "probes/kinds.hpp"
#include "probes/net/stream.hpp"
#include "probes/net/tls_settings.hpp"
#include "probes/redis/replies.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace flipback {

namespace {

using redis::reply;

constexpr std::array declared{
    measurement_declaration{"memory_used", signal_kind::gauge, unit::bytes},
    measurement_declaration{"memory_max", signal_kind::gauge, unit::bytes},
    measurement_declaration{"memory_used_ratio", signal_kind::gauge, unit::ratio},
    measurement_declaration{"evicted_keys", signal_kind::counter, unit::number},
    measurement_declaration{"rejected_connections", signal_kind::counter, unit::number},
};

struct terms {
  net::endpoint to;
  std::string user;
  secret password;
  bool tls = false;
  net::tls_options tls_options;
};

/// What an error reply means: Redis tells the kind by its first word.
observation failed(const std::string& error) {
  const auto begins = [&](std::string_view word) { return error.starts_with(word); };
  if (begins("NOAUTH")) return observation::fail(reason::unauthorised, "a password is required");
  if (begins("WRONGPASS") || begins("ERR invalid password") || begins("ERR AUTH"))
    return observation::fail(reason::unauthorised, "wrong user or password");
  if (begins("NOPERM")) return observation::fail(reason::forbidden, "the user may not PING");
  if (begins("LOADING")) return observation::fail(reason::starting, "it is loading its data set");
  if (begins("ERR max number of clients")) return observation::fail(reason::saturated, "no connection is left: maxclients is reached");
  return observation::fail(reason::bad_status, fmt::format("answered {}", error));
}

class redis_probe final : public probe {
 public:
  redis_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared; }

  asio::awaitable<observation> observe(run& r) override {
    auto connected = co_await net::connect(through_, terms_.to, terms_.tls ? &terms_.tls_options : nullptr, r);
    if (!connected) co_return observation::fail(connected.error().why, connected.error().says);
    redis::conversation with(**connected);
    r.now = phase::asking;
    if (!terms_.password.empty()) {
      if (terms_.user.empty())
        with.say({"AUTH", terms_.password.reveal()});
      else
        with.say({"AUTH", terms_.user, terms_.password.reveal()});
    }
    with.say({"PING"});
    with.say({"INFO", "memory"});
    with.say({"INFO", "stats"});
    if (const auto sent = co_await with.send(); !sent) co_return observation::fail(sent.error().why, sent.error().says);
    r.now = phase::reading;
    if (!terms_.password.empty()) {
      const auto answered = co_await with.next();
      if (!answered) co_return observation::fail(answered.error().why, answered.error().says);
      if (answered->is_error) co_return failed(answered->text);
    }
    const auto pong = co_await with.next();
    if (!pong) co_return observation::fail(pong.error().why, pong.error().says);
    if (pong->is_error) co_return failed(pong->text);
    if (pong->text != "PONG") co_return observation::fail(reason::bad_answer, "the answer to PING is not PONG");
    const auto memory = co_await with.next();
    if (!memory) co_return observation::fail(memory.error().why, memory.error().says);
    const auto stats = co_await with.next();
    if (!stats) co_return observation::fail(stats.error().why, stats.error().says);
    co_return measured_from(*memory, *stats);
  }

 private:
  static observation measured_from(const reply& memory, const reply& stats) {
    if (memory.is_error) return observation::pass("PONG (the user may not ask for INFO: nothing is measured)");
    observation seen = observation::pass("PONG");
    const auto used = redis::info_number(memory.text, "used_memory");
    auto most = redis::info_number(memory.text, "maxmemory");
    if (!most || *most == 0) most = redis::info_number(memory.text, "total_system_memory");  // 0: as much as there is
    if (used) seen.measure("memory_used", *used);
    if (most && *most > 0) seen.measure("memory_max", *most);
    if (used && most && *most > 0) {
      seen.measure("memory_used_ratio", *used / *most);
      seen.says = fmt::format("PONG, {} of {} used", format_size(*used), format_size(*most));
    }
    if (stats.is_error) return seen;
    for (const std::string_view name : {"evicted_keys", "rejected_connections"}) {
      if (const auto value = redis::info_number(stats.text, name)) seen.measure(name, *value);
    }
    return seen;
  }

  net::network& through_;
  terms terms_;
};

/// redis://[user[:password]@]host[:port][/db], rediss://, unix:///path.
bool parse_url(std::string_view url, terms& into) {
  if (url.starts_with("unix://")) {
    into.to.socket_path = url.substr(7);
    return into.to.socket_path.starts_with('/');
  }
  into.tls = url.starts_with("rediss://");
  if (!into.tls && !url.starts_with("redis://")) return false;
  std::string_view rest = url.substr(into.tls ? 9 : 8);
  rest = rest.substr(0, rest.find_first_of("/?"));
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = rest.substr(0, at);
    const std::size_t colon = who.find(':');
    into.user = who.substr(0, colon);
    if (colon != std::string_view::npos) into.password = secret(std::string(who.substr(colon + 1)));
    rest = rest.substr(at + 1);
  }
  into.to.port = 6379;
  const std::size_t colon = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0);
  into.to.host = rest.substr(0, colon);
  if (into.to.host.starts_with('[') && into.to.host.ends_with(']')) into.to.host = into.to.host.substr(1, into.to.host.size() - 2);
  if (colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), into.to.port);
    if (error != std::errc{} || end != port.data() + port.size() || into.to.port == 0) return false;
  }
  return !into.to.host.empty();
}

}  // namespace

std::unique_ptr<probe> make_redis_probe(settings::section& from, const surroundings& in) {
  terms t;
  if (from.has("url")) {
    const std::string url = from.text("url", "redis://");
    if (!parse_url(url, t)) {
      from.report("url", fmt::format("found {}, expected redis://host:port, rediss://host:port or unix:///path", from.shown("url")));
    }
    if (from.has("host")) from.report("host", "stands beside url: expected one of them");
  } else {
    t.to.host = from.required_text("host", "127.0.0.1");
    t.to.port = static_cast<std::uint16_t>(from.integer("port", 6379, 1, 65535));
    t.tls = from.boolean("tls", false);
  }
  if (const auto user = from.text("user")) t.user = *user;
  if (auto password = from.hidden("password")) t.password = std::move(*password);
  t.tls_options = net::read_tls_options(from);
  from.finish();
  return std::make_unique<redis_probe>(in.network, std::move(t));
}

}  // namespace flipback
