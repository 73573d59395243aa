#include "rules/evidence.hpp"

#include "rules/chance.hpp"

#include <algorithm>
#include <cmath>

namespace flipback::rules {

namespace {

constexpr double chance_of_worse = 0.01;
constexpr std::size_t block = 30;  // seconds

/// Counts as if errors came alone: a page that breaks makes several at once.
pooled unclumped(const pooled& counts, double clumps) {
  const double errors = std::floor(counts.numerator / clumps);
  return {errors, std::max(errors, std::round(counts.denominator / clumps))};
}

/// Half as much again, or half of the way to all where that is nearer.
double half_as_much_again(double value, double all) {
  return std::min(1.5 * value, (all + value) / 2);
}

pooled sum_of(const auto& counts) {
  pooled sum;
  for (const pooled& c : counts) {
    sum.numerator += c.numerator;
    sum.denominator += c.denominator;
  }
  return sum;
}

/// Whole blocks, counted back from the cutover.
std::vector<pooled> in_blocks(const std::vector<pooled>& by_second) {
  std::vector<pooled> blocks(by_second.size() / block);
  const std::size_t left_out = by_second.size() % block;
  for (std::size_t i = left_out; i < by_second.size(); ++i) {
    pooled& b = blocks[(i - left_out) / block];
    b.numerator += by_second[i].numerator;
    b.denominator += by_second[i].denominator;
  }
  return blocks;
}

}  // namespace

truth surely(const fifths& counts, double limit, double confidence, double clumps) {
  const pooled all = sum_of(counts);
  if (all.denominator <= 0) return truth::unknown;
  const auto lasts = [&](const pooled& c) { return c.denominator > 0 && c.numerator > limit / 2 * c.denominator; };
  if (!std::ranges::all_of(counts, lasts)) return truth::no;
  if (counts.back().numerator <= limit * counts.back().denominator) return truth::no;
  const pooled alone = unclumped(all, clumps);
  return truth_of(binomial_tail(alone.numerator, alone.denominator, limit) < 1 - confidence);
}

foremost surely_one(const fifths_by_key& counts, const counts_by_key* before, double limit, double confidence, double least_errors) {
  foremost found;
  for (const auto& [key, each] : counts) {
    foremost one{.key = key, .counts = sum_of(each)};
    if (one.counts.numerator < std::max(least_errors, 1.0)) continue;
    if (before != nullptr) {
      const auto then = before->find(key);
      one.was_so_before = then != before->end() && then->second.numerator > limit / 2 * then->second.denominator;
    }
    one.is = truth_of(!one.was_so_before && surely(each, limit, confidence, 1) == truth::yes);
    const bool says_more = one.is == found.is ? one.counts.numerator > found.counts.numerator : one.is == truth::yes;
    if (says_more) found = std::move(one);
  }
  return found;
}

counts_before::counts_before(std::vector<pooled> by_second)
    : by_second_(std::move(by_second)), all_(sum_of(by_second_)), clumps_(clumping(in_blocks(by_second_))) {}

counts_before::stretch counts_before::worst(duration length) const {
  const auto seconds = static_cast<std::size_t>(std::chrono::ceil<std::chrono::seconds>(length).count());
  if (by_second_.size() <= seconds) return {all_, {}, true};
  pooled sum;
  stretch found;
  const auto is_worse = [&] {
    const bool as_many = sum.numerator == found.counts.numerator && sum.denominator < found.counts.denominator;
    return found.counts.denominator <= 0 || sum.numerator > found.counts.numerator || as_many;
  };
  for (std::size_t i = 0; i < by_second_.size(); ++i) {
    sum.numerator += by_second_[i].numerator;
    sum.denominator += by_second_[i].denominator;
    if (i >= seconds) {
      sum.numerator -= by_second_[i - seconds].numerator;
      sum.denominator -= by_second_[i - seconds].denominator;
    }
    if (i + 1 < seconds || sum.denominator <= 0 || !is_worse()) continue;
    found.counts = sum;
    found.before_cutover = std::chrono::seconds(by_second_.size() - 1 - i);
  }
  return found;
}

truth counts_before::is_worse(const pooled& now, duration length) const {
  if (all_.denominator <= 0 || now.denominator <= 0) return truth::unknown;
  const stretch then = worst(length);
  if (then.counts.denominator > 0) {
    const double share = then.counts.numerator / then.counts.denominator;
    if (now.numerator / now.denominator <= half_as_much_again(share, 1)) return truth::no;
    if (!then.is_whole && now.numerator <= half_as_much_again(then.counts.numerator, then.counts.denominator)) return truth::no;
  }
  const pooled mine = unclumped(now, clumps_);
  const double errors = std::ceil(all_.numerator / clumps_);
  const double requests = std::max(errors, std::round(all_.denominator / clumps_));
  return truth_of(fisher_tail(mine.numerator, mine.denominator, errors, requests) < chance_of_worse);
}

}  // namespace flipback::rules
