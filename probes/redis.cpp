#include "probes/kinds.hpp"
#include "probes/net/tls_settings.hpp"
#include "probes/net/url.hpp"
#include "probes/redis/replies.hpp"

#include <fmt/format.h>

#include <array>

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
  if (begins("NOPERM")) return observation::fail(reason::forbidden, "the user may not PING");
  if (begins("LOADING")) return observation::fail(reason::starting, "it is loading its data set");
  if (begins("ERR max number of clients")) return observation::fail(reason::saturated, "no connection is left: maxclients is reached");
  return observation::fail(reason::bad_status, fmt::format("answered {}", error.substr(0, 200)));
}

/// An error as the answer to AUTH: never repeated, since Redis repeats what it was sent where it does not know the command.
observation not_let_in(const std::string& error) {
  const bool by_password = error.starts_with("WRONGPASS") || error.starts_with("ERR invalid password") || error.starts_with("ERR AUTH");
  if (by_password) return observation::fail(reason::unauthorised, "wrong user or password");
  if (error.starts_with("ERR max number of clients") || error.starts_with("LOADING")) return failed(error);
  return observation::fail(reason::unauthorised, "AUTH was answered with an error (not shown: it may repeat the password)");
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
    const auto sent = co_await with.send();
    r.now = phase::reading;
    if (!sent) {
      // Where no connection is left, Redis says so unasked and hangs up, before it read anything.
      const auto unasked = co_await with.next();
      if (unasked && unasked->is_error) co_return not_let_in(unasked->text);
      co_return observation::fail(sent.error().why, sent.error().says);
    }
    if (!terms_.password.empty()) {
      const auto answered = co_await with.next();
      if (!answered) co_return observation::fail(answered.error().why, answered.error().says);
      if (answered->is_error) co_return not_let_in(answered->text);
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

constexpr std::array schemes{net::scheme{"redis", 6379, false, true}, net::scheme{"rediss", 6379, true, true}, net::scheme{"unix"}};

void take_url(settings::section& from, terms& into) {
  auto read = net::parse_url(from.text("url", ""), schemes);
  if (!read) {
    from.report("url", fmt::format("found {}, which {}; expected redis://[user:password@]host[:port], rediss://… or unix:///path",
                                   from.shown("url"), read.error()));
    return;
  }
  into.to = std::move(read->to);
  into.tls = read->tls;
  into.user = std::move(read->user);
  into.password = std::move(read->password);
}

}  // namespace

std::unique_ptr<probe> make_redis_probe(settings::section& from, const surroundings& in) {
  terms t;
  if (from.has("url")) {
    take_url(from, t);
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
