#include "rules/condition.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace flipback::rules {

std::string label(const source& s) {
  std::string text = s.length > duration{} ? fmt::format("{} over {}", s.name, format_duration(s.length)) : s.name;
  if (const std::string_view f = name_of(s.how); !f.empty()) text = fmt::format("{}({})", f, text);
  return s.before ? fmt::format("before({})", text) : text;
}

std::optional<double> read(const source& s, std::span<const series> all, instant now) {
  const series& of = all[s.series];
  if (s.before) return of.remembered(s.remembered);
  return s.windowed ? of.read(s.window, s.how, s.quantile, now) : of.newest(s.since_cutover, now);
}

namespace {

constexpr std::size_t longest_key_said = 100;

std::string grouped(double count) {
  std::string digits = fmt::format("{:.0f}", count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

class evaluating {
 public:
  evaluating(std::span<const source> sources, std::span<const series> all, least_fill least, instant now, bool explain)
      : sources_(sources), all_(all), least_(least), now_(now), explain_(explain) {}

  evaluation of(const expression& e) {
    if (const auto* j = std::get_if<junction>(&e.is)) {
      evaluation left = of(*j->left);
      if (left.is == truth_of(!j->all)) return left;  // whatever the other side is
      evaluation right = of(*j->right);
      const truth is = j->all ? left.is && right.is : left.is || right.is;
      // The side that decided speaks for both; where both did, the first.
      evaluation& speaks = left.is == is ? left : right;
      speaks.is = is;
      return std::move(speaks);
    }
    if (const auto* i = std::get_if<inversion>(&e.is)) {
      evaluation inside = of(*i->of);
      inside.is = !inside.is;
      return inside;
    }
    if (const auto* t = std::get_if<counts_test>(&e.is)) return tested(*t);
    return compared(std::get<comparison>(e.is));
  }

 private:
  struct valued {
    std::optional<double> value;
    const source* from = nullptr;  ///< the first signal in it
    std::string lacks;             ///< why there is no value
  };

  evaluation compared(const comparison& c) {
    few_errors_ = false;
    too_late_ = false;
    fills_ = false;
    valued left = value(*c.left);
    valued right = value(*c.right);
    evaluation made;
    made.value = left.value;
    made.threshold = right.value;
    const source* named = left.from != nullptr ? left.from : right.from;
    if (named != nullptr) made.in = named->in;
    if (fills_) made.is = least_.filling;
    if (left.value && right.value) made.is = truth_of(!few_errors_ && !too_late_ && holds(c.how, *left.value, *right.value));
    if (explain_) made.says = sentence(c, left, right, made);
    return made;
  }

  evaluation tested(const counts_test& t) {
    const source& s = sources_[t.of.source];
    const series& of = all_[s.series];
    if (of.kind() == signal_kind::ratios) return tested_each(t, s, of);
    few_errors_ = false;
    fills_ = false;
    const valued share = read(s);
    evaluation made;
    made.value = share.value;
    made.in = unit::ratio;
    if (t.how == showing::surely) made.threshold = t.limit;
    if (!share.value) {
      if (fills_) made.is = least_.filling;
      made.says = share.lacks;
      return made;
    }
    const fill f = of.filled(s.window);
    const auto& before = of.before();
    if (few_errors_) {
      made.is = truth::no;
    } else if (t.how == showing::surely && least_.by_share) {
      made.is = truth_of(*share.value > t.limit);
    } else if (t.how == showing::surely) {
      made.is = surely(of.fifths_of(s.window, now_), t.limit, t.confidence, before ? before->clumps() : 1);
    } else if (least_.is_worse) {
      made.is = truth::yes;
    } else if (before) {
      made.is = before->is_worse({f.errors, f.samples}, s.length);
    }
    if (explain_) made.says = few_errors_ ? too_few_errors() : sentence(t, s, f, made, before.get());
    return made;
  }

  /// Each of several ratios by itself: how much there must be is asked of each, too.
  evaluation tested_each(const counts_test& t, const source& s, const series& of) {
    evaluation made;
    made.in = unit::ratio;
    made.threshold = t.limit;
    if (of.is_stale(now_)) {
      if (explain_) made.says = fmt::format("{} {}", label(s), why_absent(s, of));
      return made;
    }
    const foremost found = surely_one(of.each_in_fifths(s.window, now_), of.each_before().get(), t.limit, t.confidence, least_.errors);
    made.is = found.is;
    if (!found.key.empty()) made.value = found.counts.numerator / found.counts.denominator;
    if (!explain_) return made;
    if (found.key.empty()) {
      made.says = fmt::format("{}: none has {:.0f} errors", label(s), std::max(least_.errors, 1.0));
      return made;
    }
    made.says = fmt::format("{} of {} is {} ({} of {}), {} above {}", label(s), quoted(found.key, {}, longest_key_said),
                            format_ratio(*made.value), grouped(found.counts.numerator), grouped(found.counts.denominator),
                            found.is == truth::yes ? "surely" : "not surely", format_ratio(t.limit));
    if (found.was_so_before) made.says += ", or as it was before the cutover already";
    return made;
  }

  static std::string sentence(const counts_test& t, const source& s, const fill& f, const evaluation& made, const counts_before* before) {
    const std::string share =
        fmt::format("{} is {} ({} of {})", label(s), format_ratio(*made.value), grouped(f.errors), grouped(f.samples));
    if (t.how == showing::surely) {
      const bool yes = made.is == truth::yes;
      return fmt::format("{}, {} above {}{}", share, yes ? "surely" : "not surely", format_ratio(t.limit),
                         yes ? "" : ": it may be chance, or not last");
    }
    if (made.is == truth::unknown) return fmt::format("{}, and what it was before the cutover is not known", share);
    const counts_before::stretch then = before->worst(s.length);
    const double was = then.counts.denominator > 0 ? then.counts.numerator / then.counts.denominator : 0;
    return fmt::format("{}, {} than before the cutover, where it was at most {} ({} of {}{})", share,
                       made.is == truth::yes ? "worse" : "not half as bad again, or not by more than chance,", format_ratio(was),
                       grouped(then.counts.numerator), grouped(then.counts.denominator),
                       then.is_whole ? "" : fmt::format(", {} before it", format_duration(then.before_cutover)));
  }

  [[nodiscard]] std::string too_few_errors() const { return fmt::format("fewer than {:.0f} errors", least_.errors); }

  static bool holds(comparing how, double left, double right) {
    switch (how) {
      case comparing::greater:
        return left > right;
      case comparing::greater_equal:
        return left >= right;
      case comparing::less:
        return left < right;
      case comparing::less_equal:
        return left <= right;
      case comparing::equal:
        return left == right;
      case comparing::unequal:
        return left != right;
    }
    return false;
  }

  std::string sentence(const comparison& c, const valued& left, const valued& right, const evaluation& made) const {
    if (!left.lacks.empty()) return left.lacks;
    if (!right.lacks.empty()) return right.lacks;
    if (few_errors_) return too_few_errors();
    if (too_late_) return fmt::format("the cutover was more than {} ago", format_duration(before_counts_for));
    if (left.from == nullptr)
      return fmt::format("{} {} {}", format_value(*left.value, made.in), name_of(c.how), format_value(*right.value, made.in));
    std::string counts;
    const series& of = all_[left.from->series];
    if (left.from->windowed && left.from->how != function::count &&
        (of.kind() == signal_kind::ratio || of.kind() == signal_kind::distribution)) {
      const fill f = of.filled(left.from->window);
      counts = of.kind() == signal_kind::ratio && left.from->in == unit::ratio
                   ? fmt::format(" ({} of {})", grouped(f.errors), grouped(f.samples))
                   : fmt::format(" ({} samples)", grouped(f.samples));
    }
    return fmt::format("{} is {}{}, the limit is {} {}", label(*left.from), format_value(*left.value, made.in), counts, name_of(c.how),
                       format_value(*right.value, made.in));
  }

  valued value(const expression& e) {
    if (const auto* n = std::get_if<number>(&e.is)) return {n->value, nullptr, {}};
    if (const auto* r = std::get_if<reading>(&e.is)) return read(sources_[r->source]);
    const auto& c = std::get<calculation>(e.is);
    valued left = value(*c.left);
    valued right = value(*c.right);
    valued made;
    made.from = left.from != nullptr ? left.from : right.from;
    made.lacks = !left.lacks.empty() ? left.lacks : right.lacks;
    if (!left.value || !right.value) return made;
    switch (c.how) {
      case calculating::plus:
        made.value = *left.value + *right.value;
        break;
      case calculating::minus:
        made.value = *left.value - *right.value;
        break;
      case calculating::times:
        made.value = *left.value * *right.value;
        break;
      case calculating::divided:
        if (*right.value != 0) made.value = *left.value / *right.value;
        break;
    }
    if (made.value && !std::isfinite(*made.value)) made.value.reset();
    if (!made.value && explain_) made.lacks = "a division by zero has no value";
    return made;
  }

  valued read(const source& s) {
    const series& of = all_[s.series];
    valued made;
    made.from = &s;
    if (s.before) return read_before(s, of, std::move(made));
    fills_ = fills_ || (s.windowed && of.fills_in(s.window, now_) > duration{});
    if (s.has_longest && s.how != function::count) {
      const fill f = of.filled(s.longest);
      if (f.samples < least_.samples) {
        if (explain_)
          made.lacks = fmt::format("{} of {} {} for {}", grouped(f.samples), grouped(least_.samples), unit_of_count(of), s.name);
        return made;
      }
      if (of.kind() == signal_kind::ratio && f.errors < least_.errors) few_errors_ = true;
    }
    made.value = flipback::rules::read(s, all_, now_);
    if (!made.value && explain_) made.lacks = fmt::format("{} {}", label(s), why_absent(s, of));
    return made;
  }

  [[nodiscard]] std::string why_absent(const source& s, const series& of) const {
    const duration missing = s.windowed ? of.fills_in(s.window, now_) : duration{};
    if (missing > duration{} && missing < s.length)
      return fmt::format("is filling, for {} more", format_duration(std::chrono::ceil<std::chrono::seconds>(missing)));
    if (!of.is_stale(now_)) return "has no value";
    const bool has_samples = of.newest_at() != instant::min() && now_ - of.newest_at() <= of.stale_after();
    return has_samples ? "has recent samples, and none that tells anything" : "has no recent sample";
  }

  valued read_before(const source& s, const series& of, valued made) {
    too_late_ = too_late_ || (of.was_cut_over() && now_ - of.cut_over_at() > before_counts_for);
    made.value = of.remembered(s.remembered);
    if (!made.value && explain_)
      made.lacks = of.was_cut_over() ? fmt::format("{} is not known", label(s)) : std::string("there has been no cutover yet");
    return made;
  }

  static std::string_view unit_of_count(const series& of) {
    return of.kind() == signal_kind::ratio || of.kind() == signal_kind::distribution ? "requests" : "samples";
  }

  std::span<const source> sources_;
  std::span<const series> all_;
  least_fill least_;
  instant now_;
  bool explain_;
  bool few_errors_ = false;
  bool fills_ = false;     ///< a window that is read is not full
  bool too_late_ = false;  ///< to compare with what was before the cutover
};

}  // namespace

evaluation evaluate(const expression& condition, std::span<const source> sources, std::span<const series> all, least_fill least,
                    instant now, bool explain) {
  return evaluating(sources, all, least, now, explain).of(condition);
}

}  // namespace flipback::rules
