#include "rules/language/checker.hpp"

#include "flipback/settings.hpp"

#include <fmt/format.h>

namespace flipback::rules {

namespace {

constexpr duration longest_window = std::chrono::days(30);

/// What an expression is: a condition, or a value in a unit. A literal without a unit may stand for more than one.
struct type {
  bool condition = false;
  unit in = unit::number;
  bool zero = false;
};

using checked = std::expected<type, language_error>;

std::unexpected<language_error> wrong(const expression& at, std::string says) {
  return std::unexpected(language_error{at.column, std::move(says)});
}

bool is_dimensionless(unit u) {
  return u == unit::number || u == unit::ratio || u == unit::per_second;
}

bool comparable(const type& a, const type& b) {
  return a.zero || b.zero || a.in == b.in || (is_dimensionless(a.in) && is_dimensionless(b.in));
}

class checking {
 public:
  explicit checking(const catalogue& signals) : signals_(signals) {}

  checked of(const expression& e) {
    return std::visit([&](const auto& is) { return of(e, is); }, e.is);
  }

 private:
  checked of(const expression& /*at*/, const number& n) { return type{false, n.in, n.value == 0 && n.in == unit::number}; }

  checked of(const expression& at, const reading& r) { return read(at, r, false); }

  checked read(const expression& at, const reading& r, bool is_tested) {
    const signal* const found = signals_.find(r.signal);
    if (found == nullptr) {
      if (const std::string why = signals_.why_lacking(r.signal); !why.empty())
        return wrong(at, fmt::format("found the signal {}, which no probe gives: {}", r.signal, why));
      std::vector<std::string> names;
      for (const signal& s : signals_.all()) names.push_back(s.name);
      const std::string meant = settings::nearest(r.signal, names);
      return wrong(at, fmt::format("found the signal {}, which no probe gives{}", r.signal,
                                   meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
    }
    if (found->kind == signal_kind::ratios && !is_tested)
      return wrong(at, fmt::format("{0} is a ratio of each path, and no number; expected surely({0} over 5m > 50%)", r.signal));
    if (r.window > duration{} && r.window <= found->every)
      return wrong(at, fmt::format("{} over {} holds one sample at most: the probe runs every {}; expected a longer window", r.signal,
                                   format_duration(r.window), format_duration(found->every)));
    if (r.window > longest_window)
      return wrong(at, fmt::format("found {} over {}, expected a window of at most {}", r.signal, format_duration(r.window),
                                   format_duration(longest_window)));
    if (r.how == function::count) {
      if (found->kind == signal_kind::gauge && found->in == unit::per_second)
        return wrong(at, fmt::format("count({0} over {1}) counts the samples of a rate, not what it is the rate of; expected "
                                     "avg({0} over {1}), or a count of a ratio, as in count(traffic.error_rate over {1})",
                                     r.signal, format_duration(r.window)));
      return type{};
    }
    const auto refuse = [&](std::string_view f) {
      return wrong(at, fmt::format("{} for {}, and {} is {} {}", f, f.starts_with("increase") ? "counters" : "gauges and outcomes",
                                   r.signal, found->kind == signal_kind::outcome ? "an" : "a", name_of(found->kind)));
    };
    if (r.how == function::sum) {
      if (found->kind == signal_kind::distribution) return wrong(at, fmt::format("{} is a distribution, whose sum is not known", r.signal));
      if (found->kind == signal_kind::counter)
        return wrong(at, fmt::format("{} is a counter; expected increase({} over {})", r.signal, r.signal, format_duration(r.window)));
      return type{false, found->kind == signal_kind::gauge ? found->in : unit::number};
    }
    if (r.how == function::increase) {
      if (found->kind != signal_kind::counter) return refuse("increase is");
      return type{false, found->in};
    }
    const bool extreme = r.how == function::min || r.how == function::max || r.how == function::avg;
    if (extreme && found->kind != signal_kind::gauge && found->kind != signal_kind::outcome) return refuse("min, max and avg are");
    if (r.how == function::over && found->kind == signal_kind::counter) return type{false, unit::per_second};
    if (r.how == function::over && found->kind == signal_kind::outcome) return type{false, unit::ratio};
    return type{false, found->in};
  }

  checked of(const expression& at, const calculation& c) {
    const auto left = value(*c.left);
    if (!left) return left;
    const auto right = value(*c.right);
    if (!right) return right;
    if (c.how == calculating::plus || c.how == calculating::minus) {
      if (!comparable(*left, *right)) return differ(at, *left, *right);
      return type{false, left->zero ? right->in : left->in};
    }
    if (c.how == calculating::times) {
      if (!is_dimensionless(left->in) && !is_dimensionless(right->in)) {
        return wrong(at, fmt::format("{} times {} is nothing that a rule can use", name_of(left->in), name_of(right->in)));
      }
      return type{false, is_dimensionless(left->in) ? right->in : left->in};
    }
    if (right->zero) return wrong(at, "divides by 0, which is no number; expected another divisor");
    if (left->in == right->in) return type{false, unit::ratio};
    if (!is_dimensionless(right->in))
      return wrong(at, fmt::format("{} divided by {} is nothing that a rule can use", name_of(left->in), name_of(right->in)));
    return type{false, left->in};
  }

  checked of(const expression& at, const comparison& c) {
    const auto left = value(*c.left);
    if (!left) return left;
    const auto right = value(*c.right);
    if (!right) return right;
    if (!comparable(*left, *right)) return differ(at, *left, *right);
    if (!reads(*c.left) && !reads(*c.right)) return wrong(at, "compares two numbers, which is always so or never; expected a signal");
    if (auto never = beyond_a_share(*c.left, *c.right)) return std::unexpected(*std::move(never));
    if (auto never = beyond_a_share(*c.right, *c.left)) return std::unexpected(*std::move(never));
    return type{true, unit::number};
  }

  checked of(const expression& at, const counts_test& t) {
    const auto ratio = read(at, t.of, true);
    if (!ratio) return ratio;
    const signal& found = *signals_.find(t.of.signal);
    if (found.kind == signal_kind::ratios && t.how == showing::worse)
      return wrong(at,
                   fmt::format("found worse of {0}; expected surely({0} over 5m > 50%), which is no for what was so before", t.of.signal));
    if (found.kind != signal_kind::ratio && found.kind != signal_kind::ratios)
      return wrong(at, fmt::format("{} is for ratios, whose requests are counted, and {} is {} {}", name_of(t.how), t.of.signal,
                                   found.kind == signal_kind::outcome ? "an" : "a", name_of(found.kind)));
    if (t.limit < 0 || t.limit >= 1)
      return wrong(at, fmt::format("found the limit {}, expected a share below 100%", format_ratio(t.limit)));
    if (t.confidence <= 0 || t.confidence >= 1)
      return wrong(at, fmt::format("found the confidence {}, expected one between 0% and 100%, such as 99.9%", format_ratio(t.confidence)));
    return type{true, unit::number};
  }

  checked of(const expression& /*at*/, const junction& j) {
    const auto left = condition(*j.left);
    if (!left) return left;
    return condition(*j.right);
  }

  checked of(const expression& /*at*/, const inversion& i) { return condition(*i.of); }

  checked value(const expression& e) {
    auto found = of(e);
    if (found && found->condition) return wrong(e, "found a condition, expected a number or a signal");
    return found;
  }

  static bool reads(const expression& e) {
    if (const auto* c = std::get_if<calculation>(&e.is)) return reads(*c->left) || reads(*c->right);
    return std::holds_alternative<reading>(e.is);
  }

  /// A share is held against a number that it never reaches: 5 where 5% was meant.
  std::optional<language_error> beyond_a_share(const expression& value, const expression& limit) const {
    const auto* r = std::get_if<reading>(&value.is);
    const auto* n = std::get_if<number>(&limit.is);
    if (r != nullptr && n != nullptr && n->in == unit::ratio && r->how == function::count)
      return language_error{limit.column, fmt::format("found {} for a count, expected a number such as 20", format_ratio(n->value))};
    if (r == nullptr || n == nullptr || n->value <= 1 || r->how == function::count || r->how == function::sum) return std::nullopt;
    const signal& of = *signals_.find(r->signal);
    const bool is_share = of.kind == signal_kind::ratio && of.in == unit::ratio;
    const bool is_outcome = of.kind == signal_kind::outcome;
    const bool is_bare = n->in == unit::number && of.in == unit::ratio;
    if (!is_share && !is_outcome && !is_bare) return std::nullopt;
    return language_error{limit.column,
                          fmt::format("found {}, which {} {} reaches; expected a share such as {}%",
                                      n->in == unit::ratio ? format_ratio(n->value) : fmt::format("{:g}", n->value), r->signal,
                                      is_bare && !is_share ? "hardly" : "never", n->in == unit::ratio ? 5 : n->value)};
  }

  static std::unexpected<language_error> differ(const expression& at, const type& left, const type& right) {
    return wrong(at, fmt::format("found {} beside {}, expected the same unit on both sides", name_of(left.in), name_of(right.in)));
  }

 public:
  checked condition(const expression& e) {
    auto found = of(e);
    if (found && !found->condition) return wrong(e, "found a value, expected a condition such as traffic.error_rate > 5%");
    return found;
  }

 private:
  const catalogue& signals_;
};

}  // namespace

std::optional<language_error> check(const expression& condition, const catalogue& signals) {
  auto found = checking(signals).condition(condition);
  if (!found) return std::move(found.error());
  return std::nullopt;
}

}  // namespace flipback::rules
