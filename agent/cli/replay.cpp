#include "agent/cli/replay.hpp"

#include "agent/config/configuration.hpp"
#include "agent/event_lines.hpp"
#include "agent/record/mapped_file.hpp"
#include "agent/record/record_file.hpp"
#include "agent/verdict_event.hpp"
#include "rules/replay/player.hpp"
#include "rules/replay/record.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace flipback::cli {

namespace {

namespace replaying = rules::replay;
constexpr int unreadable = 2;

/// Prints what the rules say, and counts it.
class report {
 public:
  report(const replaying::player& of, const replay_options& options) : player_(of), json_(options.format == "json"), all_(options.all) {}

  void tell(const rules::change& c) {
    const rules::rule& of = player_.rules()[c.rule];
    event e = event_of(c, of);
    if (e.severity == severity::debug && !all_) return;
    const bool rolls_back = c.kind == rules::change_kind::verdict && c.to == rules::verdict::breached &&
                            of.from.then == rules::consequence::rollback && player_.window_is_open() && !c.not_this_release;
    if (rolls_back) {
      e.says += "; here it would have asked its guards, and rolled back";
      ++rollbacks_;
    }
    ++told_;
    print(e.with("rollback", rolls_back), player_.wall(c.at));
  }

  void end(double seconds) const {
    const std::string covered = format_duration(std::chrono::floor<std::chrono::seconds>(player_.covered()));
    event e{"replay.ended",
            severity::info,
            fmt::format("{} samples of {} signals over {}, {} rules: {} changes, {} rollbacks", player_.samples(), player_.signals(),
                        covered, player_.rules().size(), told_, rollbacks_),
            {}};
    e.with("samples", static_cast<std::int64_t>(player_.samples())).with("changes", static_cast<std::int64_t>(told_));
    e.with("rollbacks", static_cast<std::int64_t>(rollbacks_)).with("seconds", seconds);
    print(e, player_.wall(player_.now()));
  }

 private:
  void print(const event& e, wall_time at) const { fmt::print("{}\n", json_ ? json_line(e, at) : text_line(e, at)); }

  const replaying::player& player_;
  bool json_;
  bool all_;
  std::size_t told_ = 0;
  std::size_t rollbacks_ = 0;
};

bool complain(std::string_view where, std::string_view what) {
  fmt::print(stderr, "{}: {}\n", where, what);
  return false;
}

/// Plays one file to its end; false, and said, where it can't be read.
bool play(const std::string& file, replaying::player& player, report& to) {
  const auto mapped = mapped_file::of(file);
  if (!mapped) return complain(file, mapped.error());
  replaying::record_reader reader(mapped->bytes());
  for (;;) {
    const auto entries = reader.next();
    if (!entries) return complain(file, fmt::format("at byte {}: {}", entries.error().at, entries.error().says));
    if (entries->empty()) break;
    for (const replaying::entry& e : *entries) player.take(e, [&](const rules::change& c) { to.tell(c); });
  }
  if (reader.torn() > 0) complain(file, fmt::format("its last {} bytes are not whole, and passed over", reader.torn()));
  return true;
}

}  // namespace

int replay(const replay_options& options) {
  settings::diagnostics problems;
  std::vector<rules::rule_source> own;
  if (!options.rules.empty()) own = config::load_rules(options.rules, config::process_environment(), problems);
  replaying::player player(std::move(own), problems);
  report to(player, options);
  const instant began = std::chrono::steady_clock::now();
  bool good = problems.clean();
  const std::string older = record_file::older(options.file);
  if (good && std::filesystem::exists(older)) good = play(older, player, to);
  good = good && play(options.file, player, to);
  if (good && !player.has_begun()) good = complain(options.file, "holds no samples");
  if (good) player.end([&](const rules::change& c) { to.tell(c); });
  for (const settings::problem& p : problems.sorted()) fmt::print(stderr, "{}\n", to_string(p));
  if (!good || !problems.clean()) return unreadable;
  to.end(to_seconds(std::chrono::steady_clock::now() - began));
  return 0;
}

}  // namespace flipback::cli
