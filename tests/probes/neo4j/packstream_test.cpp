#include "probes/neo4j/packstream.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <random>

using namespace flipback;
using namespace std::string_view_literals;

namespace {

neo4j::message with(neo4j::json::value field) {
  neo4j::message m;
  m.tag = 0x71;
  m.fields.push_back(std::move(field));
  return m;
}

std::string field_of(std::string_view bytes) {
  const auto read = neo4j::unpacked(bytes);
  if (!read) return read.error();
  return neo4j::json::serialize(read->fields);
}

}  // namespace

TEST_CASE("what_is_packed_is_unpacked_again") {
  for (const std::string_view text : {R"(null)",
                                      R"(true)",
                                      R"(false)",
                                      R"(0)",
                                      R"(-16)",
                                      R"(-17)",
                                      R"(127)",
                                      R"(128)",
                                      R"(-128)",
                                      R"(-129)",
                                      R"(32767)",
                                      R"(32768)",
                                      R"(2147483648)",
                                      R"(-9223372036854775808)",
                                      R"(1.5E0)",
                                      R"("")",
                                      R"("café")",
                                      R"([])",
                                      R"([1,[2,{"a":null}]])",
                                      R"({"a":{"b":[1,2,3]}})"}) {
    CAPTURE(text);
    const auto read = neo4j::unpacked(neo4j::packed(with(neo4j::json::parse(text))));
    REQUIRE(read.has_value());
    CHECK(read->tag == 0x71);
    CHECK(neo4j::json::serialize(read->fields.at(0)) == text);
  }
}

TEST_CASE("sizes_of_every_width_are_packed_and_unpacked") {
  for (const std::size_t size : {15U, 16U, 255U, 256U, 65535U, 65536U}) {
    CAPTURE(size);
    const std::string long_text(size, 'x');
    const auto read = neo4j::unpacked(neo4j::packed(with(neo4j::json::string(long_text))));
    REQUIRE(read.has_value());
    CHECK(std::string_view(read->fields.at(0).get_string()) == long_text);
    const auto list = neo4j::unpacked(neo4j::packed(with(neo4j::json::array(size, nullptr))));
    REQUIRE(list.has_value());
    CHECK(list->fields.at(0).get_array().size() == size);
  }
}

TEST_CASE("the_bytes_are_those_of_the_specification") {
  CHECK(neo4j::packed(with(42)) == "\xB1\x71\x2A"sv);
  CHECK(neo4j::packed(with(1234)) == "\xB1\x71\xC9\x04\xD2"sv);
  CHECK(neo4j::packed(with(-9)) == "\xB1\x71\xF7"sv);
  CHECK(neo4j::packed(with("Größe")) ==
        "\xB1\x71\x87Gr\xC3\xB6\xC3\x9F"
        "e"sv);
  CHECK(field_of("\xB1\x71\xC1\x3F\xF3\xAE\x14\x7A\xE1\x47\xAE"sv) == "[1.23E0]");
  CHECK(field_of("\xB1\x71\xC8\x80"sv) == "[-128]");
}

TEST_CASE("bytes_and_structures_inside_are_read_over") {
  CHECK(field_of("\xB2\x71\xCC\x02\xAB\xCD\x01"sv) == "[null,1]");
  CHECK(field_of("\xB2\x71\xB1\x44\xC9\x48\x9D\x07"sv) == "[null,7]");  // a date, then 7
}

TEST_CASE("what_is_no_message_is_said_to_be_none") {
  CHECK(field_of("") == "is empty");
  CHECK(field_of("\x01"sv) == "is no structure");
  CHECK(field_of("\xB1"sv) == "ends before its tag");
  CHECK(field_of("\xB1\x71"sv) == "ends before a value");
  CHECK(field_of("\xB1\x71\x85hel"sv) == "ends in the middle of a string");
  CHECK(field_of("\xB1\x71\xD2\xFF\xFF\xFF\xFFx"sv) == "ends in the middle of a string");
  CHECK(field_of("\xB1\x71\xD6\xFF\xFF\xFF\xFF\x01"sv) == "ends before a value");
  CHECK(field_of("\xB1\x71\xA1\x01\x02"sv) == "has a key that is no string");
  CHECK(field_of("\xB1\x71\xDF"sv) == "has an unknown marker");
  CHECK(field_of("\xB1\x71\x01\x02"sv) == "goes on after its end");
  CHECK(field_of("\xB1\x71" + std::string(100, '\x91') + "\x01") == "is nested too deep");
  CHECK(field_of("\xB1\x71" + std::string("\xD6\x00\x04\x00\x00", 5) + std::string(262'144, '\x01')) == "has more than 131,072 values");
}

TEST_CASE("random_bytes_never_do_harm") {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = "\xB1\x71";
    for (unsigned n = random() % 40; n > 0; --n) bytes += static_cast<char>(random());
    const auto taken = neo4j::unpacked(bytes);
    (void)taken;
  }
}
