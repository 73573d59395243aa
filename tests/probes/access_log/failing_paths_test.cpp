#include "probes/access_log/failing_paths.hpp"

#include "probes/access_log/folded_path.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

using namespace flipback;
using namespace flipback::access_log;

namespace {

/// "/a 1/3, /b 2/2".
std::string said(const ratios& taken) {
  std::string all;
  for (const keyed_ratio& r : taken) all += fmt::format("{}{} {}/{}", all.empty() ? "" : ", ", *r.of, r.numerator, r.denominator);
  return all;
}

}  // namespace

TEST_CASE("numbers_and_ids_are_folded_and_names_are_not") {
  struct row {
    const char* path;
    const char* becomes;
  };
  for (const row& r :
       {row{"/", "/"}, row{"", ""}, row{"/items/17", "/items/*"}, row{"/items/17/", "/items/*/"}, row{"/items/17/edit", "/items/*/edit"},
        row{"/day/2026-11-29", "/day/*"}, row{"/v1/users", "/v1/users"}, row{"/api/v2.1/x", "/api/v2.1/x"}, row{"/u/3f2a9c", "/u/*"},
        row{"/u/facade", "/u/facade"}, row{"/u/123e4567-e89b-12d3-a456-426614174000", "/u/*"}, row{"/u/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/u/*"},
        row{"/blog/a-title-of-2024", "/blog/*"}, row{"/static/app.js", "/static/app.js"}, row{"/search", "/search"},
        row{"//7//", "//*//"}}) {
    CAPTURE(r.path);
    CHECK(folded(r.path) == r.becomes);
  }
  CHECK(folded("/" + std::string(1000, 'x')).size() == 200);
}

TEST_CASE("a_path_is_counted_from_its_first_error_on") {
  failing_paths f;
  f.add("/checkout", false);
  f.add("/checkout", true);
  f.add("/checkout", false);
  f.add("/items/1", true);
  f.add("/items/2", true);
  f.add("", true);
  CHECK(said(f.take()) == "/checkout 1/2, /items/* 2/2");
  CHECK(said(f.take()).empty());
  f.add("/checkout", false);
  CHECK(said(f.take()) == "/checkout 0/1");
}

TEST_CASE("strangers_who_ask_for_ever_other_paths_do_not_push_out_the_one_that_fails") {
  failing_paths f;
  std::uint64_t seen = 0;
  std::size_t most = 0;
  for (int second = 0; second < 1000; ++second) {
    for (int i = 0; i < 20; ++i)
      f.add(fmt::format("/no-{}-{}", static_cast<char>('a' + i), std::string(static_cast<std::size_t>(second), 'x')), true);
    f.add("/checkout", true);
    const ratios taken = f.take();
    most = std::max(most, taken.size());
    for (const keyed_ratio& r : taken) {
      if (*r.of == "/checkout") seen += r.numerator;
    }
  }
  CHECK(most <= failing_paths::most);
  CHECK(seen >= 990);
}

TEST_CASE("what_is_counted_stays_counted_while_newcomers_take_turns") {
  failing_paths f;
  for (int i = 0; i < 100; ++i) f.add("/checkout", true);
  for (int i = 0; i < 80; ++i) f.add("/no-" + std::string(static_cast<std::size_t>(i) + 1, 'x'), true);
  const ratios taken = f.take();
  const auto known = std::ranges::find(taken, "/checkout", [](const keyed_ratio& r) { return *r.of; });
  REQUIRE(known != taken.end());
  CHECK(known->numerator == 100);
}

TEST_CASE("a_path_that_fails_no_more_makes_room") {
  failing_paths f;
  for (int i = 0; i < 8; ++i) f.add("/checkout", true);
  for (unsigned i = 0; i < 4 * failing_paths::takes_until_halved; ++i) f.take();
  f.add("/checkout", false);
  CHECK(said(f.take()).empty());
}
