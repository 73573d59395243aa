#include "agent/deployment/guards.hpp"
#include "agent/rollback/outcome.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

/// The tables of packaging/docs/rollback.md of guards and outcomes say every name that an event's field may have, and no other.
namespace flipback {

namespace {

using names = std::multiset<std::string>;

/// The names in the first column of the table whose head begins so: | `name` | … |
names rows_under(const std::string& head) {
  std::ifstream in(FLIPBACK_ROLLBACK_PAGE);
  names found;
  bool there = false;
  for (std::string line; std::getline(in, line);) {
    there = line.starts_with(head) || (there && line.starts_with("|"));
    const std::size_t end = line.find("` |", 3);
    if (there && line.starts_with("| `") && end != std::string::npos) found.insert(line.substr(3, end - 3));
  }
  return found;
}

/// Every name, in the order of the values: past the last one there is none.
template <typename T>
names all_names(T first, const std::function<std::string_view(T)>& name_of) {
  names found;
  for (std::underlying_type_t<T> value = std::to_underlying(first);; ++value) {
    try {
      found.emplace(name_of(static_cast<T>(value)));
    } catch (const std::out_of_range&) {
      return found;
    }
  }
}

void check_alike(const names& documented, const names& told) {
  REQUIRE_FALSE(documented.empty());
  for (const std::string& name : told)
    CHECK_MESSAGE(documented.count(name) == 1, fmt::format("rollback.md has no row, or two, for {}", name));
  for (const std::string& name : documented)
    CHECK_MESSAGE(told.contains(name), fmt::format("rollback.md has a row for {}, which nothing says", name));
}

}  // namespace

TEST_CASE("the_readme_has_a_row_for_each_guard") {
  const names told = all_names<deployment::guard>(deployment::guard::none, [](deployment::guard g) { return name_of(g); });
  CHECK(told.size() == static_cast<std::size_t>(deployment::guard::attempts) + 1);
  check_alike(rows_under("| guard |"), told);
}

TEST_CASE("the_readme_has_a_row_for_each_outcome") {
  const names told = all_names<rollback::outcome>(rollback::outcome::rolled_back, [](rollback::outcome o) { return name_of(o); });
  CHECK(told.size() == static_cast<std::size_t>(rollback::outcome::cant_tell) + 1);
  check_alike(rows_under("| outcome |"), told);
}

}  // namespace flipback
