#include "rules/explanation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::rules {

namespace {

std::string_view name_of(truth t) {
  return t == truth::yes ? "true" : t == truth::no ? "false" : "unknown";
}

std::string_view sign_of(calculating c) {
  constexpr std::string_view signs = "+-*/";
  return signs.substr(static_cast<std::size_t>(c), 1);
}

/// How tightly a part holds together, as the grammar has it.
int binding(const expression& e) {
  if (const auto* j = std::get_if<junction>(&e.is)) return j->all ? 2 : 1;
  if (std::holds_alternative<inversion>(e.is)) return 3;
  if (std::holds_alternative<comparison>(e.is) || std::holds_alternative<counts_test>(e.is)) return 4;
  if (const auto* c = std::get_if<calculation>(&e.is)) return c->how == calculating::plus || c->how == calculating::minus ? 5 : 6;
  return 7;
}

/// A part of something that binds so tightly.
std::string inside(const expression& e, int outer) {
  return binding(e) < outer ? fmt::format("({})", to_text(e)) : to_text(e);
}

std::string text_of(const reading& r) {
  source written;
  written.name = r.signal;
  written.length = r.window;
  written.how = r.how;
  written.before = r.before;
  return label(written);
}

class explaining {
 public:
  explaining(std::span<const source> sources, std::span<const series> all, least_fill least, instant now)
      : sources_(sources), all_(all), least_(least), now_(now) {}

  void condition(const expression& e, unsigned depth) {
    const evaluation found = evaluate(e, sources_, all_, least_, now_, true);
    const auto row = [&](std::string text, std::string says) {
      rows_.push_back({depth, std::move(text), std::string(name_of(found.is)), std::move(says)});
    };
    if (const auto* j = std::get_if<junction>(&e.is)) {
      row(j->all ? "and" : "or", {});
      parts(*j, depth + 1);
    } else if (const auto* i = std::get_if<inversion>(&e.is)) {
      row("not", {});
      condition(*i->of, depth + 1);
    } else if (const auto* t = std::get_if<counts_test>(&e.is)) {
      row(to_text(e), found.says);
      signal(sources_[t->of.source], depth + 1);
    } else {
      const auto& c = std::get<comparison>(e.is);
      // A false that no number on the row shows.
      const bool by_terms = found.is == truth::no && !found.says.contains(" the limit is ");
      row(to_text(e), found.is == truth::unknown || by_terms ? found.says : "");
      value(*c.left, depth + 1);
      value(*c.right, depth + 1);
    }
  }

  std::vector<explanation_row> take() { return std::move(rows_); }

 private:
  /// "a and b and c" is one row with three parts, not two of two.
  void parts(const junction& j, unsigned depth) {
    for (const branch* side : {&j.left, &j.right}) {
      const auto* more = std::get_if<junction>(&(*side)->is);
      if (more != nullptr && more->all == j.all && side == &j.left)
        parts(*more, depth);
      else
        condition(**side, depth);
    }
  }

  void value(const expression& e, unsigned depth) {
    if (const auto* c = std::get_if<calculation>(&e.is)) {
      value(*c->left, depth);
      value(*c->right, depth);
    } else if (const auto* r = std::get_if<reading>(&e.is)) {
      signal(sources_[r->source], depth);
    }
  }

  void signal(const source& s, unsigned depth) {
    const series& of = all_[s.series];
    const auto found = read(s, all_, now_);
    std::vector<std::string> says;
    if (s.before) return before(s, found, depth);
    std::string value = shown(found, s);
    if (of.kind() == signal_kind::ratios) value = fmt::format("{} that fail", of.each_in_fifths(s.window, now_).size());
    if (s.windowed && s.how != function::count) {
      const fill f = of.filled(s.window);
      if (of.kind() == signal_kind::ratio && s.in == unit::ratio)
        says.push_back(fmt::format("{:.0f} of {:.0f}", f.errors, f.samples));
      else
        says.push_back(fmt::format("{:.0f} {}", f.samples, of.kind() == signal_kind::distribution ? "requests" : "samples"));
    }
    const instant newest = of.newest_at();
    if (newest == instant::min()) {
      says.emplace_back("no sample yet");
    } else {
      const duration age = std::max<duration>(now_ - newest, {});
      says.push_back(fmt::format("newest sample {} ago", format_duration(std::chrono::floor<std::chrono::milliseconds>(age))));
      if (of.is_stale(now_)) says.push_back(why_stale(of, newest));
    }
    rows_.push_back({depth, label(s), std::move(value), fmt::format("{}", fmt::join(says, ", "))});
  }

  /// A sample may be new and tell nothing of how it is now: no request came in its time, or it has no value.
  std::string why_stale(const series& of, instant newest) const {
    const std::string limit = fmt::format("stale: the limit is {}", format_duration(of.stale_after()));
    const instant tells = of.newest_that_tells();
    if (tells == newest) return limit;
    if (tells == instant::min()) return "none yet that tells anything";
    return fmt::format("the newest that tells anything {} ago, {}", whole_seconds(now_ - tells), limit);
  }

  void before(const source& s, std::optional<double> found, unsigned depth) {
    const series& of = all_[s.series];
    const std::string says =
        of.was_cut_over() ? fmt::format("at the cutover {} ago", whole_seconds(now_ - of.cut_over_at())) : "there has been no cutover yet";
    rows_.push_back({depth, label(s), shown(found, s), says});
  }

  static std::string whole_seconds(duration d) { return format_duration(std::chrono::floor<std::chrono::seconds>(d)); }

  static std::string shown(std::optional<double> found, const source& s) { return found ? format_value(*found, s.in) : "unknown"; }

  std::span<const source> sources_;
  std::span<const series> all_;
  least_fill least_;
  instant now_;
  std::vector<explanation_row> rows_;
};

}  // namespace

std::string to_text(const expression& e) {
  const int own = binding(e);
  if (const auto* n = std::get_if<number>(&e.is)) return format_value(n->value, n->in);
  if (const auto* r = std::get_if<reading>(&e.is)) return text_of(*r);
  if (const auto* c = std::get_if<calculation>(&e.is))
    return fmt::format("{} {} {}", inside(*c->left, own), sign_of(c->how), inside(*c->right, own + 1));
  if (const auto* p = std::get_if<comparison>(&e.is))
    return fmt::format("{} {} {}", to_text(*p->left), name_of(p->how), to_text(*p->right));
  if (const auto* t = std::get_if<counts_test>(&e.is)) {
    if (t->how == showing::worse) return fmt::format("worse({})", text_of(t->of));
    return fmt::format("surely({} > {}, {})", text_of(t->of), format_ratio(t->limit), format_ratio(t->confidence));
  }
  if (const auto* j = std::get_if<junction>(&e.is))
    return fmt::format("{} {} {}", inside(*j->left, own), j->all ? "and" : "or", inside(*j->right, own));
  return fmt::format("not {}", inside(*std::get<inversion>(e.is).of, own));
}

std::vector<explanation_row> explain(const expression& condition, std::span<const source> sources, std::span<const series> all,
                                     least_fill least, instant now) {
  explaining made(sources, all, least, now);
  made.condition(condition, 0);
  return made.take();
}

}  // namespace flipback::rules
