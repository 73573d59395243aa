#include "rules/chance.hpp"

#include <algorithm>
#include <cmath>

namespace flipback::rules {

namespace {

constexpr double negligible = 1e-12;  // of the sum: what a term must exceed to be worth adding

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// The sum of terms of which each is the one before times `ratio(k)`, from `first` at k on. Terms fall from there, so that one which is
/// nothing is the last.
double falling_sum(double first, double k, double last, double step, const auto& ratio) {
  double sum = 0;
  for (double term = first; term > sum * negligible; k += step) {
    sum += term;
    if (k == last) break;
    term *= ratio(k);
  }
  return sum;
}

/// A tail of a distribution with one peak: the shorter way to it, so that terms fall from the first on.
double tail(double at_least, double most, double mean, const auto& term, const auto& up, const auto& down) {
  if (at_least > mean) return std::min(1.0, falling_sum(term(at_least), at_least, most, 1, up));
  return std::max(0.0, 1 - falling_sum(term(at_least - 1), at_least - 1, 0, -1, down));
}

}  // namespace

double binomial_tail(double at_least, double of, double p) {
  if (at_least <= 0) return 1;
  if (at_least > of || p <= 0) return 0;
  if (p >= 1) return 1;
  const double odds = p / (1 - p);
  const auto term = [&](double k) { return std::exp(log_choose(of, k) + k * std::log(p) + (of - k) * std::log1p(-p)); };
  return tail(
      at_least, of, of * p, term, [&](double k) { return (of - k) / (k + 1) * odds; }, [&](double k) { return k / (of - k + 1) / odds; });
}

double fisher_tail(double errors, double requests, double other_errors, double other_requests) {
  const double all = requests + other_requests;
  const double wrong = errors + other_errors;
  const double least = std::max(0.0, wrong - other_requests);
  const double most = std::min(requests, wrong);
  if (errors <= least) return 1;
  const double right = all - wrong;
  const auto term = [&](double k) { return std::exp(log_choose(wrong, k) + log_choose(right, requests - k) - log_choose(all, requests)); };
  const auto up = [&](double k) { return (wrong - k) * (requests - k) / ((k + 1) * (right - requests + k + 1)); };
  const auto down = [&](double k) { return k * (right - requests + k) / ((wrong - k + 1) * (requests - k + 1)); };
  return tail(errors, most, requests * wrong / all, term, up, down);
}

double clumping(std::span<const pooled> blocks) {
  constexpr std::size_t fewest_blocks = 5;
  constexpr double fewest_errors = 3;
  constexpr double most = 20;
  pooled all;
  for (const pooled& b : blocks) {
    all.numerator += b.numerator;
    all.denominator += b.denominator;
  }
  if (blocks.size() < fewest_blocks || all.numerator < fewest_errors || all.numerator >= all.denominator) return 1;
  const double p = all.numerator / all.denominator;
  double squares = 0;
  for (const pooled& b : blocks) squares += (b.numerator - b.denominator * p) * (b.numerator - b.denominator * p);
  const auto m = static_cast<double>(blocks.size());
  return std::clamp(m / (m - 1) * squares / (p * (1 - p) * all.denominator), 1.0, most);
}

}  // namespace flipback::rules
