#include "agent/cli/replay.hpp"

#include "flipback/one_line.hpp"
#include "flipback/timestamp.hpp"

#include "agent/config/configuration.hpp"
#include "agent/event_lines.hpp"
#include "agent/judging/verdict_event.hpp"
#include "agent/record/record_file.hpp"
#include "agent/replay/metrics.hpp"
#include "agent/replay/source.hpp"
#include "rules/replay/player.hpp"
#include "rules/replay/record.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

namespace flipback::cli {

namespace {

namespace replaying = rules::replay;
constexpr int unreadable = 2;

/// Prints what the rules say, and counts it.
class report {
 public:
  report(replaying::player& of, const replay_options& options) : player_(of), json_(options.format == "json"), all_(options.all) {
    player_.on_freed = [this](std::size_t rule, const replaying::decision& d) {
      event e{"replay.freed", severity::critical, fmt::format("{} is free to act", player_.rules()[rule].from.name), {}};
      print(add(d, e.with("rule", player_.rules()[rule].from.name)), player_.wall(player_.now()));
    };
  }

  void tell(const rules::change& c) {
    const rules::rule& of = player_.rules()[c.rule];
    event e = event_of(c, of);
    if (e.severity == severity::debug && !all_) return;
    const bool breached = c.kind == rules::change_kind::verdict && c.to == rules::verdict::breached;
    const auto led_to = breached ? player_.decide(c.rule, c.true_since.value_or(c.at)) : std::nullopt;
    ++told_;
    print(led_to ? add(*led_to, e) : e.with("rollback", false), player_.wall(c.at));
  }

  void end() const {
    const std::string covered = format_duration(std::chrono::floor<std::chrono::seconds>(player_.covered()));
    event e{"replay.ended",
            severity::info,
            fmt::format("{} samples of {} signals over {}, {} rules: {} changes, {} rollbacks", player_.samples(), player_.signals(),
                        covered, player_.rules().size(), told_, rollbacks_),
            {}};
    e.with("samples", static_cast<std::int64_t>(player_.samples())).with("changes", static_cast<std::int64_t>(told_));
    e.with("rollbacks", static_cast<std::int64_t>(rollbacks_));
    print(e, player_.wall(player_.now()));
  }

 private:
  /// What a breach led to.
  event& add(const replaying::decision& d, event& to) {
    using kind = replaying::decision::kind;
    constexpr std::array<std::string_view, 5> begins{
        "it would only have told: ", "here it would have been blocked: ", "here it would have been withheld: ",
        "here it would have asked a person: ", "here it would have asked its other guards, and rolled back"};
    to.says += fmt::format("; {}{}", begins.at(static_cast<std::size_t>(d.is)), d.why);
    rollbacks_ += d.is == kind::rolls_back ? 1 : 0;
    return to.with("rollback", d.is == kind::rolls_back);
  }

  void print(const event& e, wall_time at) const { fmt::print("{}\n", json_ ? json_line(e, at) : text_line(e, at)); }

  replaying::player& player_;
  bool json_;
  bool all_;
  std::size_t told_ = 0;
  std::size_t rollbacks_ = 0;
};

bool complain(std::string_view where, std::string_view what) {
  fmt::print(stderr, "{}\n", one_line(fmt::format("{}: {}", where, what)));
  return false;
}

bool complain(const settings::diagnostics& problems) {
  for (const settings::problem& p : problems.sorted()) fmt::print(stderr, "{}\n", one_line(to_string(p)));
  return problems.clean();
}

/// Plays one file to its end; false, and said, where it can't be read.
bool play(const std::string& file, replaying::player& player, report& to) {
  auto opened = file_window::of(file);
  if (!opened) return complain(file, opened.error());
  auto reader = reader_of(*opened);
  for (;;) {
    const auto entries = reader.next();
    if (!entries) return complain(file, fmt::format("at byte {}: {}", entries.error().at, entries.error().says));
    if (entries->empty()) break;
    for (const replaying::entry& e : *entries) player.take(e, [&](const rules::change& c) { to.tell(c); });
  }
  if (reader.torn() > 0) complain(file, fmt::format("its last {} bytes are not whole, and passed over", reader.torn()));
  return true;
}

/// A record, and the file before it where there is one.
bool play_record(const std::string& file, replaying::player& player, report& to) {
  const std::string older = record_file::older(file);
  if (std::filesystem::exists(older) && !play(older, player, to)) return false;
  if (!play(file, player, to)) return false;
  return player.has_begun() || complain(file, "holds no samples");
}

/// A file's text; or one sentence on why it can't be had.
std::expected<std::string, std::string> whole(const std::string& file) {
  auto opened = file_window::of(file);
  if (!opened) return std::unexpected(opened.error());
  constexpr std::size_t most = replay::scrapes::most.bytes;
  if (opened->size() > most) return std::unexpected(fmt::format("has {} bytes, expected at most {}", opened->size(), most));
  return opened->whole();
}

/// Adds what one word on the command line names.
bool add(const std::string& word, replay::metrics& to) {
  const replay::source from = replay::source_of(word);
  std::vector<std::string> texts;
  for (const std::string& file : from.files) {
    auto text = whole(file);
    if (!text) return complain(file, text.error());
    const replay::content in = replay::content_of(*text);
    if (in == replay::content::record) return complain(file, "is a record, which is replayed alone");
    if (in == replay::content::json && from.signal.empty())
      return complain(file, fmt::format("is JSON, expected with the signal that it gives: traffic.error_rate={}", file));
    if (in == replay::content::text && !from.signal.empty()) return complain(file, "is no JSON, expected an answer of /api/v1/query_range");
    texts.push_back(std::move(*text));
  }
  if (texts.size() > 2) return complain(word, "names more than two files, expected NAME=FILE or NAME=NUMERATOR,DENOMINATOR");
  std::expected<void, std::string> added;
  if (from.signal.empty())
    added = to.add_text(texts[0]);
  else if (texts.size() == 1)
    added = to.add_query(from.signal, texts[0]);
  else
    added = to.add_ratio(from.signal, texts[0], texts[1]);
  return added || complain(from.signal.empty() ? from.files[0] : word, added.error());
}

bool read_cutovers(const std::vector<std::string>& words, std::vector<wall_time>& into) {
  for (const std::string& word : words) {
    const auto at = parse_timestamp(word);
    if (!at) return complain("--cutover", fmt::format("found {}, expected a time with its offset, such as 2026-11-24T03:30:12Z", word));
    into.push_back(*at);
  }
  return true;
}

/// What Prometheus recorded.
bool play_metrics(const replay_options& options, replay::metrics& from, replaying::player& player, report& to) {
  std::vector<wall_time> cutovers;
  if (!read_cutovers(options.cutovers, cutovers)) return false;
  for (const std::string& word : options.sources) {
    if (!add(word, from)) return false;
  }
  if (auto made = from.finish(std::move(cutovers)); !made) return complain("replay", made.error());
  for (const std::string& note : from.notes()) complain("note", note);
  from.tell([&](const replaying::entry& e) { player.take(e, [&](const rules::change& c) { to.tell(c); }); });
  return true;
}

bool is_record(const std::vector<std::string>& sources) {
  auto opened = file_window::of(sources.front());
  if (!opened) return std::filesystem::exists(record_file::older(sources.front()));
  const auto begin = opened->piece(0, replaying::magic.size());
  return begin && replay::content_of(*begin) == replay::content::record;
}

}  // namespace

int replay(const replay_options& options) {
  settings::diagnostics problems;
  const bool recorded = options.sources.size() == 1 && is_record(options.sources);
  if (recorded && !options.cutovers.empty()) {
    complain("--cutover", "is for metrics: a record has its cutovers in it");
    return unreadable;
  }
  config::configuration from;
  if (!options.rules.empty() && recorded)
    from.rules = config::load_rules(options.rules, {config::process_environment()}, problems);
  else if (!options.rules.empty())
    from = config::load_for_replay(options.rules, {config::process_environment()}, problems);
  std::optional<replay::metrics> metrics;
  if (!recorded && problems.clean()) metrics.emplace(from, problems);
  replaying::player player(from.rules, problems);
  report to(player, options);
  bool good = problems.clean();
  good = good && (recorded ? play_record(options.sources.front(), player, to) : play_metrics(options, *metrics, player, to));
  if (good) player.end([&](const rules::change& c) { to.tell(c); });
  if (!complain(problems) || !good) return unreadable;
  to.end();
  return 0;
}

}  // namespace flipback::cli
