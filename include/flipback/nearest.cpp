#include "flipback/settings.hpp"

#include <algorithm>
#include <cctype>

namespace flipback::settings {

namespace {

/// Case, "-" and "_" are what people mistake without noticing.
std::string folded(std::string_view word) {
  std::string text(word);
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a` (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substituted});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 100;  // no name is longer, and the cost is a product of lengths
  if (word.size() > longest) return {};
  const std::string wanted = folded(word);
  std::string best;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest) continue;
    const std::size_t apart = distance(wanted, folded(candidate));
    const std::size_t length = std::max(wanted.size(), candidate.size());
    const bool near_enough = apart <= std::max<std::size_t>(1, length / 3) && apart < std::min(wanted.size(), candidate.size());
    if (near_enough && apart < least) {
      least = apart;
      best = candidate;
    }
  }
  return best;
}

}  // namespace flipback::settings
