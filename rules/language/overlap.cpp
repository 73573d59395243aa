#include "rules/language/overlap.hpp"

#include "rules/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

namespace flipback::rules {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::size_t most_ways = 64;

/// The values with which a comparison is true.
struct range {
  double from = -infinite;
  double to = infinite;
  bool from_itself = false;  ///< the end belongs to it
  bool to_itself = false;
  unit in = unit::number;

  [[nodiscard]] bool is_empty() const { return from > to || (from == to && !(from_itself && to_itself)); }
};

range both(const range& a, const range& b) {
  range r = a;
  if (b.from > r.from || (b.from == r.from && !b.from_itself)) r.from = b.from, r.from_itself = b.from_itself;
  if (b.to < r.to || (b.to == r.to && !b.to_itself)) r.to = b.to, r.to_itself = b.to_itself;
  return r;
}

/// One way for a condition to be true: each of these readings in its range.
using way = std::map<std::string, range>;

std::optional<range> range_of(comparing how, const number& limit) {
  const auto below = [&](bool itself) { return range{-infinite, limit.value, false, itself, limit.in}; };
  const auto above = [&](bool itself) { return range{limit.value, infinite, itself, false, limit.in}; };
  switch (how) {
    case comparing::greater:
      return above(false);
    case comparing::greater_equal:
      return above(true);
    case comparing::less:
      return below(false);
    case comparing::less_equal:
      return below(true);
    case comparing::equal:
      return range{limit.value, limit.value, true, true, limit.in};
    case comparing::unequal:
      return std::nullopt;
  }
  return std::nullopt;
}

way joined(const way& a, const way& b) {
  way made = a;
  for (const auto& [name, r] : b) {
    const auto [at, is_new] = made.try_emplace(name, r);
    if (!is_new) at->second = both(at->second, r);
  }
  return made;
}

/// All ways; nothing where they can't be told.
std::optional<std::vector<way>> ways(const expression& e) {
  if (const auto* j = std::get_if<junction>(&e.is)) {
    auto left = ways(*j->left);
    auto right = ways(*j->right);
    if (!left || !right || left->size() * right->size() > most_ways) return std::nullopt;
    if (!j->all) {
      left->insert(left->end(), right->begin(), right->end());
      return left;
    }
    std::vector<way> made;
    for (const way& a : *left) {
      for (const way& b : *right) made.push_back(joined(a, b));
    }
    return made;
  }
  const auto* c = std::get_if<comparison>(&e.is);
  if (c == nullptr || !std::holds_alternative<reading>(c->left->is) || !std::holds_alternative<number>(c->right->is)) return std::nullopt;
  const auto values = range_of(c->how, std::get<number>(c->right->is));
  if (!values) return std::nullopt;
  return std::vector<way>{{{to_text(*c->left), *values}}};
}

}  // namespace

std::optional<std::string> overlap(const expression& when, const expression& until) {
  const auto in = ways(when);
  const auto out = ways(until);
  if (!in || !out) return std::nullopt;
  for (const way& begins : *in) {
    for (const way& ends : *out) {
      const bool told = std::ranges::all_of(ends, [&](const auto& e) { return begins.contains(e.first); });
      const way at_once = joined(begins, ends);
      const bool never = std::ranges::any_of(at_once, [](const auto& e) { return e.second.is_empty(); });
      if (!told || never) continue;
      const auto& [name, values] = *at_once.find(ends.begin()->first);
      const auto shown = [&](double v) { return format_value(v, values.in); };
      if (values.from == -infinite) return fmt::format("{} below {}", name, shown(values.to));
      if (values.to == infinite) return fmt::format("{} above {}", name, shown(values.from));
      return fmt::format("{} between {} and {}", name, shown(values.from), shown(values.to));
    }
  }
  return std::nullopt;
}

}  // namespace flipback::rules
