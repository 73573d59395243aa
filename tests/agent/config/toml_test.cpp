#include "agent/config/toml.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using settings::position;

namespace {

constexpr std::string_view text = R"(title = "x"   # a comment
[probes.zulu]
type = "http"
port = 5
[probes.alpha]
when = """
redis.up == 0"""
lit = '''a'''
odd = { "ä" = "ö", share = 0.5, yes = true }
many = ["one", 2]
[[rules]]
name = "first"
[[rules]]
name = "second"
)";

position at(std::uint32_t line, std::uint32_t column) {
  return {"a.toml", line, column};
}

}  // namespace

TEST_CASE("toml_keeps_places_and_order") {
  settings::diagnostics problems;
  const settings::node root = config::parse_toml(text, "a.toml", problems);
  REQUIRE(problems.clean());
  settings::section top(root, "", problems);
  CHECK(top.where("title") == at(1, 9));
  CHECK(top.raw("title")->inside == at(1, 10));
  auto probes = top.inners("probes");
  REQUIRE(probes.size() == 2);
  CHECK(probes[0].first == "zulu");
  CHECK(probes[0].second.path() == "probes.zulu");
  CHECK(probes[0].second.where("absent") == at(2, 1));
  CHECK(probes[1].first == "alpha");
  settings::section& alpha = probes[1].second;
  CHECK(alpha.text("when") == "redis.up == 0");
  CHECK(alpha.raw("when")->inside == at(7, 1));
  CHECK(alpha.raw("lit")->inside == at(8, 10));
  auto odd = alpha.inner("odd");
  REQUIRE(odd);
  CHECK(odd->where("ä") == at(9, 15));
  CHECK(odd->raw("ä")->inside == at(9, 16));
  CHECK(odd->number("share") == 0.5);
  CHECK(odd->boolean("yes") == true);
  const auto rules = top.items("rules");
  REQUIRE(rules.size() == 2);
  CHECK(rules[1].path() == "rules[2]");
  CHECK(rules[1].where("absent") == at(13, 1));
  CHECK(problems.clean());
}

TEST_CASE("what_is_no_toml_is_one_problem_with_its_place") {
  settings::diagnostics problems;
  const settings::node root = config::parse_toml("a = 1\nb = = 2\n", "a.toml", problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(problems.sorted()[0].at == at(2, 5));
  CHECK(problems.sorted()[0].says.starts_with("is not TOML: "));
  CHECK(std::get<settings::table>(root.value).empty());
}
