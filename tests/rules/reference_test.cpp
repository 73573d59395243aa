#include "rules/chance.hpp"
#include "rules/engine.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <random>

// The readings of semantics.md once more, the slow way: each from all samples anew, each probability summed term by term. Both must agree
// on cases made by chance; of one that differs, the shortest that still does is shown.

using namespace flipback;
using namespace flipback::rules;
using std::chrono::seconds;

namespace {

constexpr int cases = 2000;

/// A second of a ratio's counts, or none: nobody watched.
using second = std::optional<pooled>;

struct story {
  std::vector<second> all;
  int cutover = 0;  ///< after so many seconds
  int window = 20;
  double limit = 0.05;
  double confidence = 0.999;
};

constexpr instant start{std::chrono::hours(1)};

// ---- The reference.

long double log_pmf(int k, int n, long double p) {
  long double log_of = 0;
  for (int i = 0; i < k; ++i) log_of += std::log(static_cast<long double>(n - i)) - std::log(static_cast<long double>(k - i));
  return log_of + k * std::log(p) + (n - k) * std::log1p(-p);
}

long double binomial_at_least(int x, int n, long double p) {
  long double sum = 0;
  for (int k = x; k <= n; ++k) sum += std::exp(log_pmf(k, n, p));
  return sum;
}

long double log_of_choices(int n, int k) {
  long double log_of = 0;
  for (int i = 1; i <= k; ++i) log_of += std::log(static_cast<long double>(n - k + i)) - std::log(static_cast<long double>(i));
  return log_of;
}

long double fisher_at_least(int x, int n, int bx, int bn) {
  long double sum = 0;
  for (int k = std::max(x, x + bx - bn); k <= std::min(n, x + bx); ++k)
    sum += std::exp(log_of_choices(n, k) + log_of_choices(bn, x + bx - k) - log_of_choices(n + bn, x + bx));
  return sum;
}

struct reference {
  explicit reference(const story& of) : of_(of), end_(static_cast<int>(of.all.size())) {}

  /// Seconds [from, to), of those since the cutover alone where asked.
  pooled sum(int from, int to, bool since_cutover = true) const {
    pooled made;
    for (int i = std::max(from, since_cutover ? of_.cutover : 0); i < to; ++i) {
      if (i < 0 || !of_.all[static_cast<std::size_t>(i)]) continue;
      made.numerator += of_.all[static_cast<std::size_t>(i)]->numerator;
      made.denominator += of_.all[static_cast<std::size_t>(i)]->denominator;
    }
    return made;
  }
  bool is_full() const { return end_ - of_.cutover >= of_.window; }
  bool is_stale() const {
    for (int i = end_; i > 0 && i > end_ - 16; --i) {
      const second& s = of_.all[static_cast<std::size_t>(i - 1)];
      if (s && s->denominator > 0) return false;
    }
    return true;
  }
  bool is_known() const { return is_full() && !is_stale() && of_.all.back() && sum(end_ - of_.window, end_).denominator > 0; }
  int before_begins() const { return std::max(0, of_.cutover - 600); }

  double clumps() const {
    const int m = (of_.cutover - before_begins()) / 30;
    const pooled whole = sum(of_.cutover - 30 * m, of_.cutover, false);
    if (m < 5 || whole.numerator < 3 || whole.numerator == whole.denominator) return 1;
    const double p = whole.numerator / whole.denominator;
    double squares = 0;
    for (int b = 0; b < m; ++b) {
      const pooled block = sum(of_.cutover - 30 * (m - b), of_.cutover - 30 * (m - b - 1), false);
      squares += std::pow(block.numerator - block.denominator * p, 2);
    }
    return std::clamp(m / (m - 1.0) * squares / (p * (1 - p) * whole.denominator), 1.0, 20.0);
  }

  truth surely() const {
    if (!is_known()) return truth::unknown;
    for (int i = 0; i < 5; ++i) {
      const pooled fifth = sum(end_ - of_.window + i * of_.window / 5, end_ - of_.window + (i + 1) * of_.window / 5);
      if (fifth.denominator == 0 || fifth.numerator <= (i < 4 ? of_.limit / 2 : of_.limit) * fifth.denominator) return truth::no;
    }
    const pooled now = sum(end_ - of_.window, end_);
    const int x = static_cast<int>(std::floor(now.numerator / clumps()));
    const int n = std::max(x, static_cast<int>(std::round(now.denominator / clumps())));
    return truth_of(binomial_at_least(x, n, of_.limit) < 1 - of_.confidence);
  }

  truth worse() const {
    const pooled before = sum(before_begins(), of_.cutover, false);
    if (!is_known() || of_.cutover == 0 || before.denominator == 0) return truth::unknown;
    const pooled now = sum(end_ - of_.window, end_);
    const int length = of_.cutover - before_begins();
    std::vector<pooled> stretches;
    if (length <= of_.window) stretches.push_back(before);
    for (int from = before_begins(); length > of_.window && from + of_.window <= of_.cutover; ++from)
      stretches.push_back(sum(from, from + of_.window, false));
    std::erase_if(stretches, [](const pooled& s) { return s.denominator == 0; });
    std::ranges::sort(stretches, [](const pooled& a, const pooled& b) {
      return a.numerator > b.numerator || (a.numerator == b.numerator && a.denominator < b.denominator);
    });
    if (!stretches.empty()) {
      const pooled worst = stretches.front();
      const double q = worst.numerator / worst.denominator;
      if (now.numerator / now.denominator <= std::min(1.5 * q, (1 + q) / 2)) return truth::no;
      if (length > of_.window && now.numerator <= std::min(1.5 * worst.numerator, (worst.numerator + worst.denominator) / 2))
        return truth::no;
    }
    const int x = static_cast<int>(std::floor(now.numerator / clumps()));
    const int n = std::max(x, static_cast<int>(std::round(now.denominator / clumps())));
    const int bx = static_cast<int>(std::ceil(before.numerator / clumps()));
    const int bn = std::max(bx, static_cast<int>(std::round(before.denominator / clumps())));
    return truth_of(fisher_at_least(x, n, bx, bn) < 0.01L);
  }

  const story& of_;
  int end_;
};

// ---- The same of the engine.

struct said {
  truth surely;
  truth worse;
  std::optional<double> over;
  std::optional<double> count;
  friend bool operator==(const said&, const said&) = default;
};

said by_engine(const story& s) {
  catalogue signals;
  signals.add({"t.rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "t.rate"});
  std::vector<rule_source> rules;
  const auto over = fmt::format("t.rate over {}s", s.window);
  for (const std::string& when : {fmt::format("surely({} > {}%, {}%)", over, s.limit * 100, s.confidence * 100),
                                  fmt::format("worse({})", over), over + " > 200 * t.rate", fmt::format("count({}) > 1e9", over)}) {
    rule_source r;
    r.name = fmt::format("r{}", rules.size());
    r.when.text = when;
    r.then = consequence::rollback;
    rules.push_back(r);
  }
  settings::diagnostics problems;
  engine judged(compile(rules, signals, problems));
  for (const auto& p : problems.sorted()) FAIL(to_string(p));
  for (int i = 0; i < static_cast<int>(s.all.size()); ++i) {
    if (i == s.cutover && i > 0) judged.cutover(start + seconds(i));
    const second& now = s.all[static_cast<std::size_t>(i)];
    judged.add(
        0, {start + seconds(i), start + seconds(i + 1), now ? std::optional<measured>(*now) : std::nullopt, now && now->denominator == 0});
    judged.settle(start + seconds(i + 1));
  }
  const instant now = start + seconds(s.all.size());
  return {judged.explain(0, now).is, judged.explain(1, now).is, judged.explain(2, now).value, judged.explain(3, now).value};
}

said by_reference(const story& s) {
  const reference r(s);
  const pooled now = r.sum(r.end_ - s.window, r.end_);
  said made{r.surely(), r.worse(), {}, {}};
  if (r.is_known()) made.over = now.numerator / now.denominator;
  if (r.is_full() && s.all.back()) made.count = now.denominator;
  return made;
}

// ---- Stories by chance.

story by_chance(std::mt19937_64& chance) {
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  story s;
  s.window = std::array{10, 20, 30, 60, 150, 300}[static_cast<std::size_t>(any(0, 5))];
  s.cutover = any(0, 5) == 0 ? 0 : any(1, 700);
  s.limit = std::array{0.05, 0.02, 0.5}[static_cast<std::size_t>(any(0, 2))];
  s.confidence = std::array{0.999, 0.8}[static_cast<std::size_t>(any(0, 1))];
  const double traffic = std::array{0.1, 1.0, 8.0}[static_cast<std::size_t>(any(0, 2))];
  const double share = std::array{0.0, 0.03, 0.08, 0.3}[static_cast<std::size_t>(any(0, 3))];
  const double then = std::array{0.0, 0.06, 0.12, 0.4, 1.0}[static_cast<std::size_t>(any(0, 4))];
  const int clump = any(0, 3) == 0 ? 5 : 1;
  const int holes = any(0, 3) == 0 ? 20 : 1'000'000;
  const int length = s.cutover + any(1, 2 * s.window);
  for (int i = 0; i < length; ++i) {
    if (any(1, holes) == holes) {
      s.all.emplace_back();
      continue;
    }
    const double p = i < s.cutover ? share : then;
    const double errors = clump * std::poisson_distribution<int>(traffic * p / clump)(chance);
    s.all.emplace_back(pooled{errors, errors + std::poisson_distribution<int>(traffic * (1 - p))(chance)});
  }
  return s;
}

/// Without its oldest seconds, as long as both still differ.
story shrunk(story s) {
  for (int step = static_cast<int>(s.all.size()) / 2; step > 0;) {
    story shorter = s;
    const int off = std::min(step, static_cast<int>(shorter.all.size()) - 1);
    shorter.all.erase(shorter.all.begin(), shorter.all.begin() + off);
    shorter.cutover = std::max(0, shorter.cutover - off);
    if (off > 0 && by_engine(shorter) != by_reference(shorter))
      s = std::move(shorter);
    else
      step /= 2;
  }
  return s;
}

std::string text(const story& s) {
  std::string counts;
  for (const second& c : s.all) counts += c ? fmt::format(" {}/{}", c->numerator, c->denominator) : " -";
  return fmt::format("cutover after {}, window {}s, limit {}, confidence {}:{}", s.cutover, s.window, s.limit, s.confidence, counts);
}

std::string text(const said& s) {
  return fmt::format("surely {}, worse {}, over {}, count {}", static_cast<int>(s.surely), static_cast<int>(s.worse), s.over.value_or(-1),
                     s.count.value_or(-1));
}

}  // namespace

TEST_CASE("readings_of_counts_are_what_the_slow_way_gives") {
  std::array<std::array<int, 3>, 2> seen{};
  for (int seed = 0; seed < cases; ++seed) {
    std::mt19937_64 chance(static_cast<std::uint64_t>(seed));
    const story s = by_chance(chance);
    const said engine_says = by_engine(s);
    ++seen[0][static_cast<std::size_t>(engine_says.surely)];
    ++seen[1][static_cast<std::size_t>(engine_says.worse)];
    if (engine_says == by_reference(s)) continue;
    const story least = shrunk(s);
    FAIL_CHECK("seed ", seed, ": ", text(least), "\n engine: ", text(by_engine(least)), "\n slowly: ", text(by_reference(least)));
    break;
  }
  // Or the stories are too dull to show anything.
  for (const auto& of : seen) {
    for (const int so_often : of) CHECK(so_often > cases / 40);
  }
}

TEST_CASE("what_chance_makes_of_counts_is_exact") {
  std::mt19937_64 chance(7);
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  for (int i = 0; i < cases; ++i) {
    const int n = any(1, 400);
    const int x = any(0, n);
    const double p = any(1, 99) / 100.0;
    const auto exact = static_cast<double>(binomial_at_least(x, n, p));
    CAPTURE(x);
    CAPTURE(n);
    CAPTURE(p);
    CHECK(binomial_tail(x, n, p) == doctest::Approx(exact).epsilon(1e-9));
    const int bn = any(1, 400);
    const int bx = any(0, bn);
    CAPTURE(bx);
    CAPTURE(bn);
    CHECK(fisher_tail(x, n, bx, bn) == doctest::Approx(static_cast<double>(fisher_at_least(x, n, bx, bn))).epsilon(1e-8));
  }
  CHECK(binomial_tail(30'000, 30'000, 0.05) == 0);  // too small for a double, and it ends
  CHECK(binomial_tail(0, 0, 0.05) == 1);
}
