#include "probes/journey/text_template.hpp"

#include <doctest/doctest.h>

using namespace flipback::journey;

namespace {

const captured values{{"token", "a/b \"c\""}, {"id", "7"}};

std::string filled(std::string_view written, goes_to place) {
  return text_template(written, place).filled(values);
}

}  // namespace

TEST_CASE("captured_values_are_written_as_their_place_wants_it") {
  CHECK(filled("Bearer {token}", goes_to::plain) == "Bearer a/b \"c\"");
  CHECK(filled("/items/{id}/by/{token}?x={id}", goes_to::path) == "/items/7/by/a%2Fb%20%22c%22?x=7");
  CHECK(filled("a b&{token}", goes_to::form) == "a%20b%26a%2Fb%20%22c%22");
  CHECK(filled("say \"{token}\"", goes_to::json) == R"(say \"a/b \"c\"\")");
}

TEST_CASE("braces_that_name_nothing_are_braces") {
  CHECK(filled(R"({"id": {id}, "in": {"a b": {}}})", goes_to::plain) == R"({"id": 7, "in": {"a b": {}}})");
  CHECK(filled("{{id}", goes_to::plain) == "{id}");
  CHECK(filled("{", goes_to::plain) == "{");
  CHECK(filled("{7}", goes_to::plain) == "{7}");
  CHECK(filled("{id", goes_to::plain) == "{id");
  CHECK(text_template::literal("{id}", goes_to::plain).filled(values) == "{id}");
}

TEST_CASE("a_template_tells_what_it_takes") {
  CHECK(text_template("{token}/{id}/{{x}", goes_to::path).names() == std::vector<std::string>{"token", "id"});
  CHECK(text_template("", goes_to::path).empty());
}
