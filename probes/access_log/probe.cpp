#include "probes/access_log/tail.hpp"
#include "probes/access_log/terms.hpp"
#include "probes/access_log/traffic.hpp"
#include "probes/kinds.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <filesystem>
#include <iterator>

namespace flipback {

namespace {

namespace al = access_log;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr duration stale = seconds(15);
constexpr duration settle = milliseconds(100);  // lines come in flocks: one look for all of them
constexpr std::uint64_t read_for_a_check = 256 * 1024;
constexpr std::uint64_t read_to_catch_up = 8 * 1024 * 1024;  // some 20,000 lines: less than 50 ms of work, once

/// The measurements of the traffic as a whole, and, behind a slot's name and a dot, of the attempts on each slot.
struct rate {
  std::string_view name;
  std::uint64_t al::tally::* counts;
};
constexpr std::array rates{rate{"error_rate", &al::tally::errors}, rate{"client_error_rate", &al::tally::client_errors},
                           rate{"success_rate", &al::tally::successes}, rate{"limited_rate", &al::tally::limited},
                           rate{"aborted_rate", &al::tally::aborted}};
constexpr std::array<std::pair<std::string_view, double>, 4> quantiles{{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}};

/// The names of one group of measurements; an observation refers to them, so they live as long as the probe.
struct names {
  explicit names(const std::string& prefix) : requests(prefix + "requests"), rps(prefix + "rps"), latencies(prefix + "latencies") {
    for (const rate& r : rates) of_rates.push_back(prefix + std::string(r.name));
    for (const auto& [name, q] : quantiles) of_quantiles.push_back(prefix + std::string(name));
  }
  std::string requests;
  std::string rps;
  std::string latencies;
  std::deque<std::string> of_rates;
  std::deque<std::string> of_quantiles;

  void declare(std::vector<measurement_declaration>& into) const {
    into.push_back({requests, signal_kind::gauge, unit::number, 0, {}, stale});
    into.push_back({rps, signal_kind::ratio, unit::per_second, 0, {}, stale});
    for (const std::string& name : of_rates) into.push_back({name, signal_kind::ratio, unit::ratio, 0, {}, stale});
    for (std::size_t i = 0; i < quantiles.size(); ++i) {
      into.push_back({of_quantiles[i], signal_kind::distribution, unit::seconds, quantiles[i].second, latencies, stale});
    }
  }

  void measure(std::vector<measurement>& into, const al::tally& from, double over) const {
    const auto count = static_cast<double>(from.requests);
    const bool quiet = from.requests == 0;
    into.push_back({requests, count, quiet});
    into.push_back({rps, pooled{count, over}, quiet});
    for (std::size_t i = 0; i < rates.size(); ++i) {
      into.push_back({of_rates[i], pooled{static_cast<double>(from.*rates[i].counts), count}, quiet});
    }
    into.push_back({latencies, std::make_shared<const sketch>(from.latencies), from.latencies.count() == 0});
  }
};

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class access_log_probe final : public probe {
 public:
  access_log_probe(asio::any_io_executor executor, al::terms t, const std::vector<slot_upstreams>& slots,
                   std::shared_ptr<const nginx_facts> nginx)
      : executor_(std::move(executor)),
        nginx_(std::move(nginx)),
        terms_(std::move(t)),
        tail_(terms_.path),
        traffic_(terms_.keys, terms_.leave_out, to_seconds(terms_.hang_after), slots),
        slot_upstreams_(slots),
        all_("") {
    for (const slot_upstreams& s : slots) slots_.emplace_back(s.slot + ".");
    all_.declare(declared_);
    for (const names& n : slots_) n.declare(declared_);
    declared_.push_back({"lag", signal_kind::gauge, unit::seconds});
    declared_.push_back({"local_errors", signal_kind::gauge, unit::number});
    declared_.push_back({"malformed", signal_kind::gauge, unit::number});
  }

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_; }
  [[nodiscard]] bool follows() const override { return true; }

  [[nodiscard]] std::string unfit_to_act() const override {
    const bool configured =
        std::ranges::all_of(as_nginx_has_it(), [](const access_log_directive& l) { return l.format.contains("$http_user_agent"); });
    const auto missing = traffic_.missing();
    if (configured && std::ranges::find(missing, al::field::agent) == missing.end()) return {};
    return fmt::format("{} has no user agent, so that our own requests can't be told from users'", terms_.path);
  }

  asio::awaitable<void> follow() override {
    following_ = true;
    if (terms_.catch_up > duration{}) catch_up();
    asio::posix::stream_descriptor changes(executor_, ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    changes.non_blocking(true);
    const std::string folder = std::filesystem::path(terms_.path).parent_path().string();
    // Without inotify (no more instances) the look once a second is all there is; that is enough to be right.
    ::inotify_add_watch(changes.native_handle(), folder.empty() ? "." : folder.c_str(),
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
    asio::steady_timer pause(executor_);
    for (;;) {
      co_await changes.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      std::array<char, 4096> unread{};
      boost::system::error_code none_left;
      while (changes.read_some(asio::buffer(unread), none_left) > 0 && !none_left) {
      }
      look();
      pause.expires_after(settle);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  asio::awaitable<observation> observe(run& r) override {
    r.now = phase::reading;
    if (!following_) {
      tail_.start_near_end(read_for_a_check);
      traffic_.take();
    }
    look();
    const al::pool pool = traffic_.take();
    const instant now = std::chrono::steady_clock::now();
    const double over = last_ == instant{} ? 1.0 : to_seconds(now - last_);
    last_ = now;
    if (!problem_.empty()) co_return observation::fail(reason::absent, fmt::format("{} {}", terms_.path, problem_));
    const std::vector<access_log_directive> configured = as_nginx_has_it();
    if (std::ranges::any_of(configured, &access_log_directive::conditional)) {
      co_return observation::fail(reason::no_prerequisite, "nginx logs only some requests there (access_log with if=): no base for rates");
    }
    const bool elsewhere = nginx_ && nginx_->known && configured.empty();
    observation seen = say(pool, over);
    for (const second& s : std::exchange(past_, {})) {
      const duration ago = from_seconds(std::max(0.0, wall_seconds() - s.began));
      earlier& e = seen.before.emplace_back(ago, std::max(duration{}, ago - seconds(1)), std::vector<measurement>{});
      measure(e.measurements, s.counted, 1);
    }
    if (elsewhere) seen.says += "; nginx's configuration logs nothing there";
    if (std::ranges::any_of(configured, &access_log_directive::buffered))
      seen.says += "; nginx buffers it (access_log with buffer= or gzip)";
    co_return seen;
  }

 private:
  struct second {
    double began = 0;  ///< since 1970
    al::pool counted;
  };

  /// What nginx was found to write to this file; nothing where that is not known.
  [[nodiscard]] std::vector<access_log_directive> as_nginx_has_it() const {
    std::vector<access_log_directive> found;
    if (!nginx_) return found;
    std::error_code unknown;
    const auto same = [&](const access_log_directive& l) {
      return l.path == terms_.path || std::filesystem::equivalent(l.path, terms_.path, unknown);
    };
    std::ranges::copy_if(nginx_->access_logs, std::back_inserter(found), same);
    return found;
  }

  void look() {
    const auto take = [this](std::string_view text) { traffic_.add(text); };
    auto more = tail_.read(take);
    for (int turns = 0; more && *more && turns < 4; ++turns) more = tail_.read(take);
    problem_ = more ? std::string() : more.error();
  }

  observation say(const al::pool& pool, double over) {
    observation seen = observation::pass(sentence(pool));
    if (pool.newest_line > 0 && following_) {
      const double lag = std::max(0.0, wall_seconds() - pool.newest_line);
      seen.measure("lag", lag);
      if (lag > to_seconds(terms_.lag_limit)) {
        seen = observation::fail(reason::no_prerequisite, fmt::format("the log is buffered: its newest line came {} late",
                                                                      format_duration(from_seconds(std::round(lag)))));
        seen.measure("lag", lag);
        return seen;
      }
    }
    seen.measure("local_errors", static_cast<double>(pool.local_errors));
    seen.measure("malformed", static_cast<double>(pool.malformed));
    measure(seen.measurements, pool, over);
    return seen;
  }

  void measure(std::vector<measurement>& into, const al::pool& pool, double over) const {
    all_.measure(into, pool.all, over);
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].measure(into, pool.slots[i], over);
  }

  /// Reads what was logged before we came, each line at its own time; those of the last second count as new.
  void catch_up() {
    const double now = wall_seconds();
    al::traffic before(terms_.keys, terms_.leave_out, to_seconds(terms_.hang_after), slot_upstreams_);
    double began = 0;
    const auto close = [&] {
      if (began > 0) past_.push_back({began, before.take()});
    };
    const auto take = [&](std::string_view text) {
      const auto time = before.time_of(text);
      if (!time || *time < now - to_seconds(terms_.catch_up)) return;
      if (*time >= now - 1) return traffic_.add(text);
      // nginx writes a line when its request has ended; another worker's may come a moment late.
      if (const double its = std::floor(*time); its > began) {
        close();
        began = its;
      }
      before.add(text);
    };
    tail_.start_near_end(read_to_catch_up);
    for (auto more = tail_.read(take); more && *more;) more = tail_.read(take);
    close();
  }

  [[nodiscard]] std::string sentence(const al::pool& pool) const {
    std::string says = fmt::format("{} requests, {} errors", pool.all.requests, pool.all.errors);
    if (pool.malformed > 0) says += fmt::format(", {} lines that are not in the JSON format", pool.malformed);
    const auto missing = traffic_.missing();
    if (missing.empty()) return says;
    std::vector<std::string_view> lacks;
    for (const al::field f : missing) lacks.push_back(al::name_of(f));
    return fmt::format("{}; the log has no {}", says, fmt::join(lacks, ", "));
  }

  asio::any_io_executor executor_;
  std::shared_ptr<const nginx_facts> nginx_;
  al::terms terms_;
  al::tail tail_;
  al::traffic traffic_;
  std::vector<slot_upstreams> slot_upstreams_;
  std::vector<second> past_;  ///< what was logged before we came, until the first run takes it
  names all_;
  std::deque<names> slots_;
  std::vector<measurement_declaration> declared_;
  bool following_ = false;
  instant last_{};
  std::string problem_;
};

}  // namespace

std::unique_ptr<probe> make_access_log_probe(settings::section& from, const surroundings& in) {
  return std::make_unique<access_log_probe>(in.executor, al::read_terms(from), in.slots, in.nginx);
}

}  // namespace flipback
