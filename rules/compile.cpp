#include "rules/compile.hpp"

#include "rules/language/checker.hpp"
#include "rules/language/overlap.hpp"
#include "rules/language/parser.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::rules {

namespace {

/// The number of the series that takes a signal's samples, made where there is none yet.
std::size_t series_in(compiled& in, const signal& of) {
  const auto [at, is_new] = in.series_by_name.try_emplace(of.samples, in.all.size());
  if (is_new) in.all.emplace_back(of.kind, of.stale, of.of_live);
  return at->second;
}

constexpr duration plain_window = std::chrono::minutes(1);  // a ratio or distribution without `over`

constexpr int parts_of_a_window = 5;
constexpr duration shortest_part = std::chrono::seconds(20);

bool counts_errors(signal_kind k) {
  return k == signal_kind::ratio || k == signal_kind::ratios;
}

class compiling {
 public:
  compiling(const catalogue& signals, settings::diagnostics& problems) : signals_(signals), problems_(problems) {}

  void add(const rule_source& from) {
    rule made;
    made.from = from;
    made.least = {static_cast<double>(from.min_samples), static_cast<double>(from.min_errors)};
    bool good = text(from, "when", from.when, made.when);
    good = text(from, "until", from.until, made.until) && good;
    good = text(from, "unless", from.unless, made.unless) && good;
    if (!good || !made.when) return;
    bind(*made.when, made);
    made.asks = made.sources.size();
    find_longest(made);
    const bool has_ratio = std::ranges::any_of(made.sources, [&](const source& s) { return counts_errors(into_.all[s.series].kind()); });
    const auto of_each =
        std::ranges::find_if(made.sources, [&](const source& s) { return into_.all[s.series].kind() == signal_kind::ratios; });
    if (from.then == consequence::rollback && of_each != made.sources.end())
      report(from, from.at, fmt::format("{} is of all traffic, whichever slot had it; expected then = \"alert\"", of_each->name));
    if (from.min_errors > 0 && !has_ratio)
      report(from, from.at, "min_errors: does nothing, for when reads no ratio, whose errors could be counted; leave it out");
    if (made.until) {
      if (const auto both = overlap(*made.when, *made.until))
        report(from, from.until.at, fmt::format("until: can be true while when is, with {}; expected one that can't", *both));
    }
    if (made.until) bind(*made.until, made);
    if (made.unless) bind(*made.unless, made);
    std::ranges::sort(made.reads);
    made.reads.erase(std::ranges::unique(made.reads).begin(), made.reads.end());
    into_.rules.push_back(std::move(made));
  }

  compiled take() { return std::move(into_); }

 private:
  void report(const rule_source& of, const text_place& at, std::string_view says) {
    problems_.add({at.file, at.line, at.column}, fmt::format("rule {}: {}", of.name, says));
  }

  bool text(const rule_source& of, std::string_view key, const source_text& from, branch& into) {
    if (from.text.empty()) return true;
    auto parsed = parse(from.text);
    std::optional<language_error> error;
    if (!parsed)
      error = std::move(parsed.error());
    else
      error = check(**parsed, signals_);
    if (error) {
      problems_.add({from.at.file, from.at.line, static_cast<std::uint32_t>(from.at.column + error->column)},
                    fmt::format("rule {}: {}: {}", of.name, key, error->says));
      return false;
    }
    into = std::move(*parsed);
    return true;
  }

  void bind(expression& e, rule& of) {
    if (auto* r = std::get_if<reading>(&e.is)) {
      bind(*r, of);
    } else if (auto* c = std::get_if<calculation>(&e.is)) {
      bind(*c->left, of);
      bind(*c->right, of);
    } else if (auto* p = std::get_if<comparison>(&e.is)) {
      bind(*p->left, of);
      bind(*p->right, of);
    } else if (auto* t = std::get_if<counts_test>(&e.is)) {
      bind(t->of, of);
      into_.all[of.sources[t->of.source].series].look_back();
      of.asks_worse = of.asks_worse || t->how == showing::worse;
    } else if (auto* j = std::get_if<junction>(&e.is)) {
      bind(*j->left, of);
      bind(*j->right, of);
    } else if (auto* i = std::get_if<inversion>(&e.is)) {
      bind(*i->of, of);
    }
  }

  void bind(reading& r, rule& of) {
    const bool acts = of.from.then == consequence::rollback;
    const signal* const wide = signals_.find(r.signal);
    const signal* const narrow = acts && !wide->narrowed.empty() ? signals_.find(wide->narrowed) : nullptr;
    const signal& named = narrow != nullptr ? *narrow : *wide;
    source s;
    s.series = series_of(named);
    s.how = r.how;
    s.quantile = named.quantile;
    s.since_cutover = acts;
    s.in = unit_of(r, named);
    s.name = wide->name;
    s.length = r.window;
    const bool pools = counts_errors(named.kind) || named.kind == signal_kind::distribution;
    if (s.length == duration{} && pools) s.length = plain_window;
    s.windowed = s.length > duration{};
    s.before = r.before;
    s.tells = named.tells;
    if (s.before) s.remembered = into_.all[s.series].remember(s.length, s.how, s.quantile);
    if (s.windowed && !s.before) s.window = into_.all[s.series].window(s.length, start_of(of.from));
    const signal* const anew = named.anew.empty() || !s.windowed || s.before ? nullptr : signals_.find(named.anew);
    if (anew != nullptr) {
      s.anew = series_of(*anew);
      into_.all[*s.anew].window(part_of(s.length), series::start::full);
      if (std::ranges::find(into_.anew, *s.anew) == into_.anew.end()) into_.anew.push_back(*s.anew);
    }
    r.source = of.sources.size();
    of.reads.push_back(s.series);
    of.sources.push_back(std::move(s));
  }

  std::size_t series_of(const signal& named) { return series_in(into_, named); }

  static series::start start_of(const rule_source& of) {
    if (of.then != consequence::rollback) return series::start::kept;
    return of.partial ? series::start::at_cutover : series::start::full;
  }

  /// A count has no unit, whatever is counted; an outcome over a window is a share, a counter grows by the second.
  static unit unit_of(const reading& r, const signal& named) {
    if (r.how == function::count) return unit::number;
    if (r.how == function::sum && named.kind != signal_kind::gauge) return unit::number;
    if (r.how == function::over && named.kind == signal_kind::outcome) return unit::ratio;
    if (r.how == function::over && named.kind == signal_kind::counter) return unit::per_second;
    return named.in;
  }

  static void find_longest(rule& of) {
    for (source& s : of.sources) {
      const source* longest = nullptr;
      for (const source& other : of.sources) {
        if (other.series == s.series && other.windowed && !other.before && (longest == nullptr || other.length > longest->length))
          longest = &other;
      }
      s.has_longest = longest != nullptr;
      if (longest != nullptr) s.longest = longest->window;
    }
  }

  const catalogue& signals_;
  settings::diagnostics& problems_;
  compiled into_;
};

}  // namespace

duration part_of(duration window) {
  return std::min(window, std::max<duration>(window / parts_of_a_window, shortest_part));
}

void keep(compiled& in, const signal& of, duration length) {
  in.all[series_in(in, of)].window(length, series::start::kept);
}

compiled compile(std::span<const rule_source> rules, const catalogue& signals, settings::diagnostics& problems) {
  compiling all(signals, problems);
  for (const rule_source& r : rules) {
    if (r.enabled) all.add(r);
  }
  return all.take();
}

}  // namespace flipback::rules
