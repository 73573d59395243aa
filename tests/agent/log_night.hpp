#pragma once

#include "agent/config/catalogue.hpp"
#include "agent/deployment/decider.hpp"
#include "agent/judging/observing.hpp"
#include "probes/access_log/error_memory.hpp"
#include "probes/access_log/tail.hpp"
#include "probes/access_log/traffic.hpp"
#include "probes/access_log/traffic_signals.hpp"
#include "rules/built_in.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>

/// A night as nginx logs it, told line by line: the traffic's probe makes of each second what it makes of it in the agent, and the rules
/// that roll back judge that, by a clock of the night's own.
namespace flipback::log_night {

using namespace std::chrono_literals;
using std::chrono::seconds;
using namespace rules;
namespace al = access_log;
namespace fs = std::filesystem;

inline constexpr instant cutover{std::chrono::hours(1000)};
inline constexpr double wall_at_cutover = 1795762000;
inline constexpr seconds well_before = 6min;  ///< the release before was watched and well for so long

/// A request as nginx logs it: what is not said is as in a good answer.
struct request {
  int status = 200;
  const char* method = "GET";
  const char* path = "/api";
  const char* client = "203.0.113.7";
  const char* request_time = "0.040";
  const char* upstream = "127.0.0.1:8001";
  const char* upstream_status = "200";
  const char* header_time = "0.040";
  const char* response_time = "0.040";
};
inline constexpr request well{};
inline constexpr request of_blue{.upstream = "127.0.0.1:8000"};
inline constexpr request failing{.status = 500, .upstream_status = "500"};

/// So many of them a second.
struct some {
  int each_second;
  request like;
};

/// The traffic's probe, but for who reads its file, and when.
class log_probe final : public probe, public knows_errors {
 public:
  explicit log_probe(const al::line_format& format, al::filter leave_out)
      : seen_(format, std::move(leave_out), 1, slots), signals_(al::abilities(format), slots, 10s) {
    seen_.goes_live({.slot = 0});
  }

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return signals_.declares(); }
  asio::awaitable<observation> observe(run&) override { co_return observation::unknown(reason::own_stall, "it is asked at once below"); }
  observation observe(instant since, double wall) {
    const al::pool pool = seen_.take();
    errors_.add(pool, since + 1s, wall);
    told_.clear();
    observation seen = signals_.say(pool, since, 1, wall, seen_.missing());
    if (seen.result == outcome::pass) signals_.measure_live(seen.measurements, pool, since, 1, live_.anew.has_value());
    return seen;
  }
  [[nodiscard]] error_shares errors_since(instant since) const override {
    const auto known = told_.find(since);
    return known != told_.end() ? known->second : told_.emplace(since, errors_.since(since)).first->second;
  }
  /// Told of the slot that is live, as the agent tells it.
  void goes_live(std::size_t slot, double since) {
    seen_.forget_live();
    errors_.forget();
    told_.clear();
    seen_.goes_live(live_ = {slot, since});
  }
  void counts_anew(double since) {
    live_.anew = since;
    seen_.goes_live(live_);
  }
  void take(std::string_view line) {
    seen_.add(line);
    ++taken_;
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  inline static const std::vector<slot_upstreams> slots{{"blue", {"127.0.0.1:8000"}}, {"green", {"127.0.0.1:8001"}}};

  al::traffic seen_;
  al::traffic::live live_;
  al::traffic_signals signals_;
  al::error_memory errors_;
  mutable std::map<instant, error_shares> told_;  ///< of this second: it is asked for at every step
  std::size_t taken_ = 0;
};

/// A log on disk. What was renamed is as old to its reader as if a second of the night were one of the clock.
class log_file {
 public:
  ~log_file() { fs::remove_all(folder_); }
  void append(std::string_view line) const { std::ofstream(written_, std::ios::app) << line << '\n'; }
  /// nginx goes on writing where it did, until it reopens.
  void rename() {
    fs::rename(path_, copy_);
    written_ = copy_;
  }
  void reopen() { written_ = path_; }
  void copy_and_truncate() const {
    fs::copy_file(path_, copy_);
    fs::resize_file(path_, 0);
  }
  void read(log_probe& into) {
    for (int turns = 0; turns < 4; ++turns) {
      if (!tail_.read([&](std::string_view line) { into.take(line); })) throw std::runtime_error("the night's log can't be read");
    }
    if (fs::exists(copy_)) fs::last_write_time(copy_, fs::file_time_type::clock::now() - 1s);
  }

 private:
  fs::path folder_ = [] {
    static int number = 0;
    const fs::path made = fs::temp_directory_path() / fmt::format("flipback-log-{}-{}", ::getpid(), ++number);
    fs::create_directories(made);
    return made;
  }();
  fs::path path_ = folder_ / "flipback.log";
  fs::path copy_ = folder_ / "flipback.log.1";
  fs::path written_ = path_;
  al::tail tail_{path_};
};

class night {
 public:
  explicit night(const al::field_keys& keys = al::recommended_keys(), al::filter leave_out = {}, std::vector<rule_source> own = {},
                 seconds before = well_before)
      : now_(-before) {
    configured_.deployment.emplace();
    configured_.probes.push_back({.name = "traffic", .type = "access_log", .every = 1s, .table = {}});
    probe_ = new log_probe(keys, std::move(leave_out));
    probes_.push_back({configured_.probes.data(), std::unique_ptr<probe>(probe_)});
    const catalogue signals = config::signals_of(configured_, probes_);
    settings::diagnostics problems;
    judged_ = engine(compile(with_built_ins(own, signals, true).on, signals, problems));
    for (const settings::problem& p : problems.sorted()) told_.push_back(to_string(p));
    observing_.emplace(probes_, judged_, nullptr, [this](const event& e) {
      if (e.severity != severity::debug) tell(e.says);
    });
  }
  night(const night&) = delete;
  night& operator=(const night&) = delete;

  /// Every second these requests end, and are logged.
  night& logs(seconds until, const std::vector<some>& requests) {
    while (now_ < until) {
      for (const some& s : requests)
        for (int i = 0; i < s.each_second; ++i) write(s.like);
      one_second();
    }
    return *this;
  }
  /// A good release for as long as it matters, then the cutover.
  night& after_a_good_release(int each_second = 20) { return logs(0s, {{each_second, of_blue}}).cut_over(); }
  night& cut_over() {
    probe_->goes_live(1, wall_at_cutover);
    judged_.cutover(cutover);
    judged_.window(true);
    settle(cutover);
    return *this;
  }
  /// What the decider tells the rules; and the rules, to be asked.
  void start_anew(const flipback::deployment::start_rules_anew& how) { judged_.cutover(how.at, how.forgive, how.recalled); }
  void count_anew(instant mark) {
    probe_->counts_anew(wall_at_cutover + to_seconds(mark - cutover));
    judged_.count_anew();
  }
  void window(bool open) { judged_.window(open); }
  [[nodiscard]] engine& judged() { return judged_; }
  [[nodiscard]] const knows_errors& errors() const { return *probe_; }
  [[nodiscard]] seconds now() const { return now_; }
  /// From here on what is asked directly answers well, or does not.
  void is_up(bool live, bool stable, bool front_door) { up_ = {{"live.up", live}, {"stable.up", stable}, {"front_door.up", front_door}}; }
  /// From here on lines come so late; or so late at most, all at once, as nginx flushes a buffer.
  night& late(seconds by) {
    arrives_ = [by](seconds written) { return written + by; };
    return *this;
  }
  night& flushed_every(seconds interval) {
    arrives_ = [interval](seconds written) { return (written / interval + 1) * interval - 1s; };
    return *this;
  }
  night& on_disk() {
    file_.emplace();
    file_->append("");
    file_->read(*probe_);
    return *this;
  }
  log_file& file() { return *file_; }

  /// "05:00 error-rate breached": what rules that roll back say from the cutover on, but for what comes and goes between ok and unknown.
  [[nodiscard]] std::string told() const { return fmt::format("{}", fmt::join(told_, "; ")); }
  [[nodiscard]] std::size_t lost() const { return written_ - probe_->taken(); }
  /// What the probe said last.
  [[nodiscard]] std::string seen() const { return observing_->all().front().newest->says; }

 private:
  void write(const request& r) {
    const double time = wall_at_cutover + static_cast<double>((now_ + 1s).count());
    ++written_;
    lines_.emplace_back(
        arrives_(now_),
        fmt::format(
            R"({{"time":"{:.3f}","status":"{}","host":"h","method":"{}","path":"{}","agent":"curl/8","client":"{}","request_time":"{}",)"
            R"("upstream":"{}","upstream_status":"{}","header_time":"{}","response_time":"{}","pid":"7"}})",
            time, r.status, r.method, r.path, r.client, r.request_time, r.upstream, r.upstream_status, r.header_time, r.response_time));
  }
  void one_second() {
    for (; !lines_.empty() && lines_.front().first <= now_; lines_.pop_front()) {
      if (file_)
        file_->append(lines_.front().second);
      else
        probe_->take(lines_.front().second);
    }
    if (file_) file_->read(*probe_);
    now_ += 1s;
    const instant at = cutover + now_;
    for (auto due = judged_.due(); due && *due < at; due = judged_.due()) settle(*due);
    at_ = at;
    for (const auto& [name, up] : up_) judged_.add(judged_.series_named(name).value(), {at, at, up ? 1.0 : 0.0, false});
    observing_->take(0, {at, at + 1s}, probe_->observe(at - 1s, wall_at_cutover + static_cast<double>(now_.count())));
    settle(at);
  }
  void settle(instant at) {
    at_ = at;
    for (const change& c : judged_.settle(at)) {
      const rule_source& of = judged_.rules()[c.rule].from;
      const bool dull =
          c.kind == change_kind::verdict && c.to != verdict::breached && c.to != verdict::pending && c.from != verdict::breached;
      if (of.then != consequence::rollback || dull) continue;
      tell(fmt::format("{} {}{}", of.name, c.kind == change_kind::blind ? "blind" : name_of(c.to),
                       c.not_this_release ? " (not this release)" : ""));
    }
  }
  void tell(std::string_view says) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - cutover).count();
    if (ms < 0) return;
    const std::string part = ms % 1000 == 0 ? "" : fmt::format(".{:03}", ms % 1000);
    told_.push_back(fmt::format("{:02}:{:02}{} {}", ms / 60'000, ms / 1000 % 60, part, says));
  }

  config::configuration configured_;
  std::vector<config::made_probe> probes_;
  log_probe* probe_ = nullptr;
  engine judged_;
  std::optional<observing> observing_;
  std::optional<log_file> file_;
  std::deque<std::pair<seconds, std::string>> lines_;  ///< that did not come yet
  std::function<seconds(seconds)> arrives_ = [](seconds written) { return written; };
  std::size_t written_ = 0;
  std::map<std::string, bool> up_{{"live.up", true}, {"stable.up", true}, {"front_door.up", true}};
  seconds now_;
  instant at_{};
  std::vector<std::string> told_;
};

}  // namespace flipback::log_night
