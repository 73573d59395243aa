#include "flipback/quoted.hpp"

#include "probes/access_log/error_memory.hpp"
#include "probes/access_log/lacking.hpp"
#include "probes/access_log/live_now.hpp"
#include "probes/access_log/source.hpp"
#include "probes/access_log/terms.hpp"
#include "probes/access_log/traffic.hpp"
#include "probes/access_log/traffic_signals.hpp"
#include "probes/kinds.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace flipback {

namespace {

namespace al = access_log;
using namespace asio::experimental::awaitable_operators;

constexpr std::uint64_t read_for_a_check = 256 * 1024;
constexpr std::uint64_t read_to_catch_up = 8 * 1024 * 1024;  // some 20,000 lines: less than 50 ms of work, once

instant steady_now() {
  return std::chrono::steady_clock::now();
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class access_log_probe final : public probe, public knows_errors, public knows_lacking {
 public:
  access_log_probe(const surroundings& in, al::terms t)
      : executor_(in.executor),
        network_(in.network),
        nginx_(in.nginx),
        terms_(std::move(t)),
        can_tell_(terms_.format),
        slots_(in.slots),
        source_(terms_.is_socket ? al::make_syslog_source(in.executor, terms_.paths.front(), terms_.access)
                                 : al::make_file_source(in.executor, terms_.paths)),
        addresses_(std::make_shared<const nginx::slot_addresses>(slots_)),
        traffic_(counting()),
        signals_(can_tell_, slots_, terms_.lag_limit),
        live_(in.live) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return signals_.declares(); }
  [[nodiscard]] bool follows() const override { return true; }

  [[nodiscard]] std::vector<lacking_signal> lacks() const override { return al::lacking(terms_.format, slots_); }

  [[nodiscard]] error_shares errors_since(instant since) const override {
    error_shares made = errors_.since(since);
    made.is_read = is_ready_;
    return made;
  }

  [[nodiscard]] std::string unfit_to_act() const override {
    const auto configured_so = as_nginx_has_it();
    if (terms_.format.can_be_forged() || std::ranges::any_of(configured_so, &access_log_directive::forgeable))
      return fmt::format("{} is written with escape=none, so that a client can write lines of its own into it", log_name());
    const bool configured =
        std::ranges::all_of(configured_so, [](const access_log_directive& l) { return l.format.contains("$http_user_agent"); });
    const auto missing = traffic_.missing();
    if (configured && terms_.format.has(al::field::agent) && std::ranges::find(missing, al::field::agent) == missing.end()) return {};
    return fmt::format("{} has no user agent, so that our own requests can't be told from users'", log_name());
  }

  [[nodiscard]] std::string doubtful_to_act() const override {
    if (slots_.empty() || can_tell_.slots) return {};
    return fmt::format(
        "{} does not say where a request went ($upstream_addr), so that another slot's errors can't be told from the live one's",
        log_name());
  }

  asio::awaitable<void> follow() override {
    following_ = true;
    live_.start();
    if (terms_.is_socket) {  // nobody keeps its lines for us while names are looked up
      is_ready_ = true;
      co_await (look_up() && source_->follow([this] { look(); }));
      co_return;
    }
    co_await look_up();
    if (terms_.catch_up > duration{}) catch_up();
    is_ready_ = true;
    co_await source_->follow([this] { look(); });
  }

  asio::awaitable<observation> observe(run& r) override {
    r.now = phase::reading;
    if (!following_) {
      if (auto seen = source_->glance()) co_return std::move(*seen);
      co_await look_up();
      source_->go_back(read_for_a_check, wall_seconds() - to_seconds(terms_.catch_up));
      is_ready_ = true;
      traffic_.take();
    }
    co_await readiness();
    look();
    const al::pool pool = traffic_.take();
    const instant now = steady_now();
    errors_.add(pool, now, wall_seconds());
    const instant since = std::exchange(last_, now);
    const double over = since == instant{} ? (following_ ? 1.0 : 0.0) : to_seconds(now - since);  // a single look is of no known time
    if (problem_) co_return observation::fail(problem_->why, std::move(problem_->says));
    const std::vector<access_log_directive> configured = as_nginx_has_it();
    if (std::ranges::any_of(configured, &access_log_directive::conditional)) {
      co_return observation::fail(reason::no_prerequisite, "nginx logs only some requests there (access_log with if=): no base for rates");
    }
    observation seen = signals_.say(pool, since, over, following_ ? std::optional(wall_seconds()) : std::nullopt, traffic_.missing());
    if (live_.is_known() && seen.result == outcome::pass) {
      const instant told = std::max(since, live_.told_at());
      signals_.measure_live(seen.measurements, pool, told, told == since ? over : to_seconds(now - told), live_.is_anew());
    }
    tell_past(seen);
    add_notes(seen, pool, configured);
    // A single look that finds lines, and can read none of them, has found no quiet log.
    const bool read_none = pool.came_in() == 0 && pool.newest_line == 0;
    if (!following_ && pool.malformed > 0 && read_none) {
      seen.why = reason::bad_answer;
      seen.result = outcome_of(seen.why);
    }
    co_return seen;
  }

 private:
  [[nodiscard]] al::traffic counting() const {
    al::traffic made(terms_.format, terms_.leave_out, to_seconds(terms_.hang_after), slots_, to_seconds(terms_.slow_after));
    made.goes_by(addresses_);
    return made;
  }

  [[nodiscard]] std::string log_name() const { return fmt::format("{}", fmt::join(terms_.paths, ", ")); }

  /// What nginx was found to write to these files; nothing where that is not known.
  [[nodiscard]] std::vector<access_log_directive> as_nginx_has_it() const {
    return nginx_ ? al::written_to(terms_.paths, nginx_->access_logs) : std::vector<access_log_directive>{};
  }

  /// nginx logs addresses, and a slot's upstreams may be written as names. Whoever asks nginx looks them up again whenever it changes;
  /// until then, and where nobody does, they are what they are now.
  asio::awaitable<void> look_up() {
    nginx::slot_addresses found(slots_);
    if (!found.has_names()) co_return;
    co_await found.resolve(network_);
    addresses_ = std::make_shared<const nginx::slot_addresses>(std::move(found));
    traffic_.goes_by(addresses_);
  }

  /// What was read before the past was caught up with would be counted twice.
  asio::awaitable<void> readiness() {
    asio::steady_timer pause(executor_);
    while (!is_ready_) {
      pause.expires_after(std::chrono::milliseconds(5));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  void look() {
    if (!is_ready_) return;
    const instant now = steady_now();
    const double wall = wall_seconds();
    if (live_.has_turned(now)) {
      traffic_.forget_live();
      errors_.forget();
      past_is_lives_ = false;
    }
    traffic_.goes_live(live_.as_of(now, wall));
    if (nginx_ && nginx_->addresses) traffic_.goes_by(nginx_->addresses);
    const auto take = [&](std::string_view text) { traffic_.add(text, wall); };
    auto more = source_->read(take);
    for (int turns = 0; more && *more && turns < 4; ++turns) more = source_->read(take);
    traffic_.add_malformed(source_->take_spoilt());
    problem_ = more ? std::nullopt : std::optional(std::move(more.error()));
  }

  void add_notes(observation& to, const al::pool& pool, const std::vector<access_log_directive>& configured) const {
    if (!doubtful_to_act().empty())
      to.says += can_tell_.local ? "; it does not tell slots apart, so that all that nginx passed on is counted"
                                 : "; it does not tell slots apart, nor what nginx answered itself, so that all requests are counted";
    if (nginx_ && nginx_->known && configured.empty()) to.says += "; nginx's configuration logs nothing there";
    if (std::ranges::any_of(configured, &access_log_directive::buffered)) to.says += "; nginx buffers it (access_log with buffer= or gzip)";
    if (pool.malformed > 0 && pool.all.requests == 0 && !configured.empty())
      to.says += fmt::format("; nginx writes there {}", flipback::quoted(configured.front().format));
    if (const std::string note = source_->note(); !note.empty()) to.says += "; " + note;
  }

  /// Reads what was logged before we came, each line at its own time: none of it is news, since it may lie before a cutover, or have been
  /// told by who read the log before a reload.
  void catch_up() {
    const double now = wall_seconds();
    const double oldest = now - to_seconds(terms_.catch_up);
    if (!source_->go_back(read_to_catch_up, oldest)) return;
    al::traffic before = counting();
    before.goes_live(live_.as_of(steady_now(), now));
    double began = 0;
    std::multimap<double, al::held_against_live> held;
    const auto close = [&] {
      if (began <= 0) return;
      const al::pool second = before.take();
      past_[began].merge(second);
      held.emplace(began, second);
    };
    const auto take = [&](std::string_view text) {
      const auto time = before.time_of(text);
      if (!time || *time < oldest) return;
      if (const double its = std::floor(*time); its != began) {
        close();
        began = its;
      }
      before.add(text);
    };
    for (auto more = source_->read(take); more && *more;) more = source_->read(take);
    close();
    // Who asks whether a release is to blame asks for what failed before a reload, too.
    for (const auto& [second, what] : held) errors_.add(what, steady_now() - from_seconds(now - second), second);
  }

  /// What was live in a past second is known of what lies after the cutover.
  void tell_past(observation& to) {
    const instant now = steady_now();
    const double wall = wall_seconds();
    const auto ago = [&](double at) { return from_seconds(std::max(0.0, wall - at)); };
    const al::traffic::live live = live_.as_of(now, wall);
    for (const auto& [began, counted] : std::exchange(past_, {})) {
      const duration from = ago(began);
      earlier& e = to.before.emplace_back(from, std::max(duration{}, from - std::chrono::seconds(1)), std::vector<measurement>{});
      signals_.measure(e.measurements, counted, 1);
      const double cutover = live.since.value_or(0);
      if (!live.slot || !past_is_lives_ || cutover >= began + 1) continue;
      const bool in_it = cutover > began;
      signals_.measure_live(e.measurements, counted, in_it ? now - ago(cutover) : instant{}, in_it ? began + 1 - cutover : 1, false);
    }
  }

  asio::any_io_executor executor_;
  net::network& network_;
  std::shared_ptr<const nginx_facts> nginx_;
  al::terms terms_;
  al::abilities can_tell_;
  std::vector<slot_upstreams> slots_;
  std::unique_ptr<al::source> source_;
  std::shared_ptr<const nginx::slot_addresses> addresses_;  ///< from the slots' `upstreams` alone
  al::traffic traffic_;
  std::map<double, al::counts> past_;  ///< what was logged before we came, by second since 1970, until the first run takes it
  bool past_is_lives_ = true;          ///< the slot that was counted as the live one then is live
  al::traffic_signals signals_;
  al::live_now live_;
  al::error_memory errors_;
  bool following_ = false;
  bool is_ready_ = false;  ///< the past has been caught up with
  instant last_{};
  std::optional<al::trouble> problem_;
};

}  // namespace

std::unique_ptr<probe> make_access_log_probe(settings::section& from, const surroundings& in) {
  return std::make_unique<access_log_probe>(in, al::read_terms(from));
}

}  // namespace flipback
