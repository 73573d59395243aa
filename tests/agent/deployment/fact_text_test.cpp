#include "agent/deployment/fact_text.hpp"

#include "agent/deployment/fact_reader.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace flipback;
using namespace flipback::deployment;
namespace json = boost::json;

namespace {

std::string written(json::value value) {
  return json::serialize(json::object{{"it", std::move(value)}});
}

std::string problem_of(std::string_view text, const std::function<void(fact_reader&)>& reading) {
  fact_reader from(text, "the hold");
  reading(from);
  const auto finished = from.finish(0);
  return finished ? "" : finished.error();
}

}  // namespace

TEST_CASE("any_text_reads_back_the_same") {
  std::mt19937 chance(7);
  std::vector<std::string> texts{
      "",         "plain", "grün", "\xF0\x9F\x98\x80", "\xff\xfe", std::string("a\0b", 3), "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
      "\xE2\x82", "\"\\\n"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text(chance() % 6, '\0');
    for (char& c : text) c = static_cast<char>(chance() % 3 == 0 ? 'x' : 0x70 + chance() % 0x90);
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    fact_reader from(written(fact_value(text)), "it");
    const auto read = from.finish(from.text("it"));
    REQUIRE_MESSAGE(read.has_value(), read.error());
    REQUIRE(*read == text);
  }
}

TEST_CASE("text_is_written_as_people_read_it_where_it_can_be") {
  CHECK(written(fact_value("grün")) == R"({"it":"grün"})");
  CHECK(written(fact_value("\xff")) == R"({"it":{"base64":"/w=="}})");
}

TEST_CASE("any_bytes_of_a_file_read_back_the_same") {
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 7 + size);
    fact_reader from(written(fact_bytes(bytes)), "it");
    const auto read = from.finish(from.bytes("it"));
    REQUIRE(read.has_value());
    REQUIRE(*read == bytes);
  }
}

TEST_CASE("bytes_that_were_changed_since_are_no_bytes") {
  for (const std::string_view text : {"=", "A", "AAA", "A===", "AA=A", "AAAA=AAA", "AB==", "AA=", "AA A", "AA-_", "====", "/w==\n"}) {
    CAPTURE(text);
    CHECK_FALSE(bytes_of_fact(text).has_value());
  }
  CHECK(bytes_of_fact("AQI=") == std::string("\1\2"));
}

TEST_CASE("times_are_kept_to_the_nanosecond_before_1970_too") {
  using std::chrono::nanoseconds;
  for (const std::int64_t count : {0L, 1L, -1L, 1'795'910'000'123'456'789L, -5'000'000'001L}) {
    const wall_time wall{nanoseconds(count)};
    const instant at{nanoseconds(count)};
    const stamp both{"b-1", at, wall};
    const std::string text = json::serialize(json::object{{"wall", fact_value(wall)}, {"at", fact_value(at)}, {"both", fact_value(both)}});
    fact_reader from(text, "it");
    CHECK(from.wall("wall") == wall);
    CHECK(from.monotonic("at") == at);
    CHECK(from.stamp("both") == both);
    CHECK(from.good());
  }
}

TEST_CASE("what_is_missing_or_mistyped_is_named") {
  struct row {
    std::string_view text;
    std::function<void(fact_reader&)> reading;
    std::string_view says;
  };
  static constexpr std::array<std::string_view, 2> words{"begun", "ended"};
  const std::array rows{
      row{R"({})", [](fact_reader& f) { f.text("by"); }, "the hold: by: is missing"},
      row{R"({"by":1})", [](fact_reader& f) { f.text("by"); }, "the hold: by: found a whole number, expected a text"},
      row{R"({"by":null})", [](fact_reader& f) { f.text("by"); }, "the hold: by: found null, expected a text"},
      row{R"({"by":{}})", [](fact_reader& f) { f.text("by"); }, "the hold: by.base64: is missing"},
      row{R"({"by":{"base64":"?"}})", [](fact_reader& f) { f.text("by"); }, "the hold: by.base64: is no base64"},
      row{R"({"until":1.0})", [](fact_reader& f) { f.wall("until"); }, "found a number with a fraction, expected a whole number"},
      row{R"({"until":"1"})", [](fact_reader& f) { f.wall("until"); }, "found a text, expected a whole number"},
      row{R"({"until":18446744073709551615})", [](fact_reader& f) { f.wall("until"); }, "larger than any number"},
      row{R"({"n":-1})", [](fact_reader& f) { f.count("n"); }, "not negative"},
      row{R"({"is":1})", [](fact_reader& f) { f.yes_or_no("is"); }, "expected a yes or no"},
      row{R"({"kind":"new"})", [](fact_reader& f) { f.one_of("kind", words); }, R"(kind: "new" is none of the words)"},
      row{R"({"at":{"boot":"b","wall":1}})", [](fact_reader& f) { f.stamp("at"); }, "the hold: at.monotonic: is missing"},
      row{R"({"at":[]})", [](fact_reader& f) { f.stamp("at"); }, "at: found a list, expected an object"},
      row{R"({"list":[{},1]})", [](fact_reader& f) { f.objects("list"); }, "list[1]: found a whole number, expected an object"},
      row{R"({"list":[{"a":1},{}]})",
          [](fact_reader& f) {
            for (fact_reader& o : f.objects("list")) o.count("a");
          },
          "list[1].a: is missing"},
      row{R"([])", [](fact_reader& f) { f.text("by"); }, "the hold is a list, expected a JSON object"},
      row{"{\"by\":\"x", [](fact_reader& f) { f.text("by"); }, "the hold is no JSON"},
      row{"", [](fact_reader& f) { f.text("by"); }, "the hold is no JSON"},
      row{"{\"by\":\"\xff\"}", [](fact_reader& f) { f.text("by"); }, "the hold is no JSON"},
      row{R"({"by":1,"until":"x"})",
          [](fact_reader& f) {
            f.text("by");
            f.wall("until");
          },
          "the hold: by:"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    const std::string says = problem_of(r.text, r.reading);
    CHECK_MESSAGE(says.contains(r.says), says);
  }
}

TEST_CASE("a_problem_of_the_callers_own_spoils_the_fact") {
  CHECK(problem_of(R"({"n":1})", [](fact_reader& f) { f.refuse("n", "is of a newer version"); }) == "the hold: n: is of a newer version");
  CHECK(problem_of(R"({"n":1,"more":2})", [](fact_reader& f) { CHECK(f.count("n") == 1); }).empty());
}
