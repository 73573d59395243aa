#include "flipback/quoted.hpp"

#include "probes/access_log/error_memory.hpp"
#include "probes/access_log/source.hpp"
#include "probes/access_log/terms.hpp"
#include "probes/access_log/traffic.hpp"
#include "probes/access_log/traffic_signals.hpp"
#include "probes/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace flipback {

namespace {

namespace al = access_log;
using std::chrono::seconds;

constexpr std::uint64_t read_for_a_check = 256 * 1024;
constexpr std::uint64_t read_to_catch_up = 8 * 1024 * 1024;  // some 20,000 lines: less than 50 ms of work, once

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class access_log_probe final : public probe, public knows_errors {
 public:
  access_log_probe(const asio::any_io_executor& executor, al::terms t, std::vector<slot_upstreams> slots,
                   std::shared_ptr<const nginx_facts> nginx)
      : nginx_(std::move(nginx)),
        terms_(std::move(t)),
        can_tell_(terms_.format),
        slot_upstreams_(can_tell_.slots ? std::move(slots) : std::vector<slot_upstreams>{}),
        source_(terms_.is_socket ? al::make_syslog_source(executor, terms_.path, terms_.access)
                                 : al::make_file_source(executor, terms_.path)),
        traffic_(counting()),
        signals_(can_tell_, slot_upstreams_, terms_.lag_limit) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return signals_.declares(); }
  [[nodiscard]] bool follows() const override { return true; }

  [[nodiscard]] error_shares errors_since(instant since) const override { return errors_.since(since); }

  [[nodiscard]] std::string unfit_to_act() const override {
    if (terms_.format.can_be_forged())
      return fmt::format("{} is written with escape=none, so that a client can write lines of its own into it", terms_.path);
    const bool configured =
        std::ranges::all_of(as_nginx_has_it(), [](const access_log_directive& l) { return l.format.contains("$http_user_agent"); });
    const auto missing = traffic_.missing();
    if (configured && terms_.format.has(al::field::agent) && std::ranges::find(missing, al::field::agent) == missing.end()) return {};
    return fmt::format("{} has no user agent, so that our own requests can't be told from users'", terms_.path);
  }

  asio::awaitable<void> follow() override {
    following_ = true;
    if (terms_.catch_up > duration{}) catch_up();
    return source_->follow([this] { look(); });
  }

  asio::awaitable<observation> observe(run& r) override {
    r.now = phase::reading;
    if (!following_) {
      if (auto seen = source_->glance()) co_return std::move(*seen);
      source_->go_back(read_for_a_check, wall_seconds() - to_seconds(terms_.catch_up));
      traffic_.take();
    }
    look();
    const al::pool pool = traffic_.take();
    const instant now = std::chrono::steady_clock::now();
    errors_.add(pool, now, wall_seconds());
    const instant since = std::exchange(last_, now);
    const double over = since == instant{} ? (following_ ? 1.0 : 0.0) : to_seconds(now - since);  // a single look is of no known time
    if (problem_) co_return observation::fail(problem_->why, fmt::format("{} {}", terms_.path, problem_->says));
    const std::vector<access_log_directive> configured = as_nginx_has_it();
    if (std::ranges::any_of(configured, &access_log_directive::conditional)) {
      co_return observation::fail(reason::no_prerequisite, "nginx logs only some requests there (access_log with if=): no base for rates");
    }
    observation seen = signals_.say(pool, since, over, following_ ? std::optional(wall_seconds()) : std::nullopt, traffic_.missing());
    for (const second& s : std::exchange(past_, {})) {
      const duration ago = from_seconds(std::max(0.0, wall_seconds() - s.began));
      earlier& e = seen.before.emplace_back(ago, std::max(duration{}, ago - seconds(1)), std::vector<measurement>{});
      signals_.measure(e.measurements, s.counted, 1);
    }
    add_notes(seen, pool, configured);
    // A single look that finds lines, and can read none of them, has found no quiet log.
    const bool read_none = pool.all.requests == 0 && pool.local_errors == 0 && pool.newest_line == 0;
    if (!following_ && pool.malformed > 0 && read_none) {
      seen.why = reason::bad_answer;
      seen.result = outcome_of(seen.why);
    }
    co_return seen;
  }

 private:
  struct second {
    double began = 0;  ///< since 1970
    al::pool counted;
  };

  [[nodiscard]] al::traffic counting() const { return {terms_.format, terms_.leave_out, to_seconds(terms_.hang_after), slot_upstreams_}; }

  /// What nginx was found to write to this file; nothing where that is not known.
  [[nodiscard]] std::vector<access_log_directive> as_nginx_has_it() const {
    return nginx_ ? al::written_to(terms_.path, nginx_->access_logs) : std::vector<access_log_directive>{};
  }

  void look() {
    const auto take = [this](std::string_view text) { traffic_.add(text); };
    auto more = source_->read(take);
    for (int turns = 0; more && *more && turns < 4; ++turns) more = source_->read(take);
    traffic_.add_malformed(source_->take_spoilt());
    problem_ = more ? std::nullopt : std::optional(std::move(more.error()));
  }

  void add_notes(observation& to, const al::pool& pool, const std::vector<access_log_directive>& configured) const {
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
    if (!source_->go_back(read_to_catch_up, now - to_seconds(terms_.catch_up))) return;
    al::traffic before = counting();
    double began = 0;
    const auto close = [&] {
      if (began > 0) past_.push_back({began, before.take()});
    };
    const auto take = [&](std::string_view text) {
      const auto time = before.time_of(text);
      if (!time || *time < now - to_seconds(terms_.catch_up)) return;
      // nginx writes a line when its request has ended; another worker's may come a moment late.
      if (const double its = std::floor(*time); its > began) {
        close();
        began = its;
      }
      before.add(text);
    };
    for (auto more = source_->read(take); more && *more;) more = source_->read(take);
    close();
  }

  std::shared_ptr<const nginx_facts> nginx_;
  al::terms terms_;
  al::abilities can_tell_;
  std::vector<slot_upstreams> slot_upstreams_;
  std::unique_ptr<al::source> source_;
  al::traffic traffic_;
  std::vector<second> past_;  ///< what was logged before we came, until the first run takes it
  al::traffic_signals signals_;
  al::error_memory errors_;
  bool following_ = false;
  instant last_{};
  std::optional<al::trouble> problem_;
};

}  // namespace

std::unique_ptr<probe> make_access_log_probe(settings::section& from, const surroundings& in) {
  return std::make_unique<access_log_probe>(in.executor, al::read_terms(from), in.slots, in.nginx);
}

}  // namespace flipback
