#include "flipback/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace flipback::settings {

std::string to_string(const problem& p) {
  if (p.at.line == 0) return p.at.file.empty() ? p.says : fmt::format("{}: {}", p.at.file, p.says);
  if (p.at.column == 0) return fmt::format("{}:{}: {}", p.at.file, p.at.line, p.says);
  return fmt::format("{}:{}:{}: {}", p.at.file, p.at.line, p.at.column, p.says);
}

void diagnostics::add(position at, std::string says) {
  if (std::ranges::find(silent_, at) == silent_.end()) problems_.push_back({std::move(at), std::move(says)});
}

std::vector<problem> diagnostics::sorted() const {
  // Files come in the order in which something was first wrong with them.
  std::vector<std::string> files;
  for (const problem& p : problems_) {
    if (std::ranges::find(files, p.at.file) == files.end()) files.push_back(p.at.file);
  }
  // A problem's own number last: libstdc++'s stable_sort uses what C++17 deprecated.
  const auto place = [&](std::size_t i) {
    const position& at = problems_[i].at;
    return std::tuple(std::ranges::find(files, at.file) - files.begin(), at.line, at.column, i);
  };
  std::vector<std::size_t> numbers(problems_.size());
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  std::ranges::sort(numbers, {}, place);
  std::vector<problem> all;
  for (const std::size_t i : numbers) {
    const problem& p = problems_[i];
    const bool twice = !all.empty() && all.back().at == p.at && all.back().says == p.says;
    if (!twice) all.push_back(p);
  }
  return all;
}

}  // namespace flipback::settings
