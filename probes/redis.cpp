#include "flipback/quoted.hpp"

#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/host.hpp"
#include "probes/net/tls_settings.hpp"
#include "probes/net/url.hpp"
#include "probes/redis/keys.hpp"
#include "probes/redis/replies.hpp"
#include "probes/redis/vitals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace flipback {

namespace {

// Redis 6 takes one a command.
constexpr std::array sections{"server", "clients", "memory", "persistence", "stats", "replication"};

/// Keys that are counted, by their pattern.
struct counted_keys {
  std::string name;
  std::string pattern;
  std::string_view measured_as;
};

struct terms {
  net::endpoint to;
  std::string user;
  secret password;
  bool tls = false;
  net::tls_options tls_options;
  std::int64_t database = 0;
  std::vector<counted_keys> keys;
  std::uint64_t scan_limit = 0;
  redis::expected expected;
};

/// What an error reply to PING means: Redis tells the kind by its first word.
net::failure failure_of(const std::string& error, const secret& password) {
  const auto begins = [&](std::string_view word) { return error.starts_with(word); };
  if (begins("NOAUTH")) return {reason::unauthorised, "a password is required"};
  if (begins("NOPERM")) return {reason::forbidden, "the user may not PING"};
  if (begins("LOADING")) return {reason::starting, "it is loading its data set"};
  if (begins("ERR max number of clients")) return {reason::saturated, "no connection is left: maxclients is reached"};
  if (begins("MISCONF")) return {reason::expectation, "it can't save its data, and refuses writes (MISCONF)"};
  if (begins("MASTERDOWN")) return {reason::expectation, "it answers nobody while its master is away (MASTERDOWN)"};
  return {reason::bad_status, fmt::format("answered {}", flipback::quoted(error, std::span(&password, 1)))};
}

/// An error as the answer to AUTH: never repeated, since Redis repeats what it was sent where it does not know the command.
net::failure not_let_in(const std::string& error) {
  const bool by_password = error.starts_with("WRONGPASS") || error.starts_with("ERR invalid password") || error.starts_with("ERR AUTH");
  if (by_password) return {reason::unauthorised, "wrong user or password"};
  if (error.starts_with("ERR max number of clients") || error.starts_with("LOADING")) return failure_of(error, {});
  return {reason::unauthorised, "AUTH was answered with an error (not shown: it may repeat the password)"};
}

class redis_probe final : public probe {
 public:
  redis_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    const auto connected = co_await net::connect(through_, terms_.to, terms_.tls ? &terms_.tls_options : nullptr, r);
    if (connected) {
      if (const auto days = (*connected)->certificate_days()) found.measure("certificate_left", *days * 86400);
      redis::conversation with(**connected);
      co_await look(with, r, found);
    } else {
      found.unwell(connected.error());
    }
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(redis::conversation& with, run& r, findings& found) const {
    r.now = phase::asking;
    const bool logs_in = !terms_.password.empty();
    if (logs_in && terms_.user.empty()) with.say({"AUTH", terms_.password.reveal()});
    if (logs_in && !terms_.user.empty()) with.say({"AUTH", terms_.user, terms_.password.reveal()});
    with.say({"PING"});
    for (const char* section : sections) with.say({"INFO", section});
    const auto sent = co_await with.send();
    r.now = phase::reading;
    if (!sent) {
      // Where no connection is left, Redis says so unasked and hangs up, before it read anything.
      const auto unasked = co_await with.next();
      if (unasked && unasked->is_error) co_return found.unwell(not_let_in(unasked->text));
      co_return found.unwell(sent.error());
    }
    if (logs_in) {
      const auto answered = co_await with.next();
      if (!answered) co_return found.unwell(answered.error());
      if (answered->is_error) co_return found.unwell(not_let_in(answered->text));
    }
    const auto pong = co_await with.next();
    if (!pong) co_return found.unwell(pong.error());
    if (!pong->is_error && pong->text != "PONG") co_return found.unwell(reason::bad_answer, "the answer to PING is not PONG");
    if (pong->text.starts_with("NOAUTH")) co_return found.unwell(failure_of(pong->text, terms_.password));
    const bool loading = pong->text.starts_with("LOADING");
    if (!pong->is_error) found.well("PONG");
    if (pong->is_error && !loading) found.unwell(failure_of(pong->text, terms_.password));
    redis::info about;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const auto told = co_await with.next();
      if (!told) co_return found.unwell(told.error());
      if (!told->is_error) about.add(told->text);
    }
    if (about.empty()) found.note("the user may not ask for INFO: nothing is measured");
    redis::judge(about, terms_.expected, found);
    if (redis::is_in_cluster(about)) co_await look_at_cluster(with, found);
    if (loading && found.is_well()) found.unwell(failure_of(pong->text, terms_.password));
    if (!pong->is_error) co_await count(with, r, found);
  }

  static asio::awaitable<void> look_at_cluster(redis::conversation& with, findings& found) {
    with.say({"CLUSTER", "INFO"});
    if (const auto sent = co_await with.send(); !sent) co_return found.unwell(sent.error());
    const auto told = co_await with.next();
    if (!told) co_return found.unwell(told.error());
    if (told->is_error) co_return found.note("the user may not ask for CLUSTER INFO: how its cluster is is not known");
    redis::info about;
    about.add(told->text);
    redis::judge_cluster(about, found);
  }

  asio::awaitable<void> count(redis::conversation& with, const run& r, findings& found) const {
    if (terms_.keys.empty()) co_return;
    if (terms_.database != 0) {
      with.say({"SELECT", std::to_string(terms_.database)});
      if (const auto sent = co_await with.send(); !sent) co_return found.unwell(sent.error());
      const auto selected = co_await with.next();
      if (!selected) co_return found.unwell(selected.error());
      if (selected->text.starts_with("NOPERM"))
        co_return found.unwell(reason::forbidden, fmt::format("the user may not SELECT database {}", terms_.database));
      if (selected->is_error) co_return found.unwell(reason::absent, fmt::format("the database {} is not there", terms_.database));
    }
    const instant until = r.deadline - (r.deadline - r.started) / 5;
    for (const counted_keys& keys : terms_.keys) {
      const auto counted = co_await redis::count_keys(with, keys.pattern, terms_.scan_limit, until);
      if (!counted) co_return found.unwell(counted.error());
      if (!*counted) {
        found.note(fmt::format("{} not counted: more keys than scan_limit, or than there is time for", keys.name));
        continue;
      }
      found.measure(keys.measured_as, static_cast<double>(**counted));
      found.well(fmt::format("{} {}", **counted, keys.name));
    }
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
};

constexpr std::array schemes{net::scheme{"redis", 6379, false, true}, net::scheme{"rediss", 6379, true, true}, net::scheme{"unix"}};
constexpr std::int64_t most_databases = 1'000'000;

bool take_number(std::string_view text, std::int64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && into >= 0 && into < most_databases;
}

/// "/3" and "?db=3" are the third database, as Redis' clients mean it, which take the second where both are there. What else comes after
/// a "?" is theirs.
bool take_database(std::string_view path, std::string_view query, std::int64_t& into) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (!path.empty() && !take_number(path, into)) return false;
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    if (one.starts_with("db=") && !take_number(one.substr(3), into)) return false;
    query.remove_prefix(std::min(one.size() + 1, query.size()));
  }
  return true;
}

void take_url(settings::section& from, terms& into) {
  constexpr std::string_view expected = "expected redis://[user:password@]host[:port][/database], rediss://… or unix:///path[?db=database]";
  auto read = net::parse_url(from.text("url", ""), schemes);
  if (!read) {
    from.report("url", fmt::format("found {}, which {}; {}", from.shown("url"), read.error(), expected));
    return;
  }
  std::string& before = read->to.socket_path.empty() ? read->target : read->to.socket_path;
  const std::size_t mark = std::min(before.find('?'), before.size());
  const std::string query = before.substr(std::min(mark + 1, before.size()));
  before.resize(mark);
  if (!take_database(read->target, query, into.database))
    from.report("url", fmt::format("found {}, whose path or db= is no number of a database; {}", from.shown("url"), expected));
  into.to = std::move(read->to);
  into.tls = read->tls;
  into.user = std::move(read->user);
  into.password = std::move(read->password);
  from.keep(into.password);
}

void read_keys(settings::section& from, terms& into, declarations& declared) {
  const settings::node* found = from.raw("keys");
  auto inner = from.inner("keys");
  if (!inner) return;
  for (const auto& [name, unused] : std::get<settings::table>(found->value)) {
    const bool fits = declarations::is_name(name);
    if (!fits) inner->report(name, "is no name of a signal, expected letters, digits, _ and -");
    std::string pattern = inner->required_text(name, "rate_limit:*");
    if (fits && !pattern.empty())
      into.keys.push_back({name, std::move(pattern), declared.add_of(name, "keys", signal_kind::gauge, unit::number)});
  }
  inner->finish();
}

}  // namespace

std::unique_ptr<probe> make_redis_probe(settings::section& from, const surroundings& in) {
  terms t;
  if (from.has("url")) {
    take_url(from, t);
    if (from.has("host")) from.report("host", "stands beside url: expected one of them");
  } else {
    t.to.host = from.required_text("host", "127.0.0.1");
    net::report_not_a_host(from, "host", t.to.host);
    t.to.port = static_cast<std::uint16_t>(from.integer("port", 6379, 1, 65535));
    t.tls = from.boolean("tls", false);
  }
  t.database = from.integer("database", t.database, 0, most_databases - 1);
  if (const auto user = from.text("user")) t.user = *user;
  if (auto password = from.hidden("password")) t.password = std::move(*password);
  if (!t.user.empty() && t.password.empty()) from.report_here("has a user and no password, expected both");
  t.tls_options = net::read_tls_options(from);
  t.expected.memory_limit = static_cast<double>(from.size("memory_limit", 0, 1, std::uint64_t{1} << 60U));
  t.expected.role = from.choice("role", "", {"master", "replica"});
  declarations declared;
  for (const measurement_declaration& d : redis::vitals) declared.add(d);
  if (t.tls) declared.add({"certificate_left", signal_kind::gauge, unit::seconds});
  read_keys(from, t, declared);
  t.scan_limit = static_cast<std::uint64_t>(from.integer("scan_limit", 100'000, 1000, 10'000'000));
  from.finish();
  return std::make_unique<redis_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
