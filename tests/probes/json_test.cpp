#include "probes/net/json.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace flipback;

namespace {

std::string said(const net::result<net::json_document>& read) {
  return read ? net::json::serialize(*read) : "no: " + read.error().says;
}

std::string in_parts(std::string_view body, std::size_t at_once) {
  net::json_in_parts reader;
  for (std::size_t end = at_once; end < body.size(); end += at_once) reader.take(body.substr(0, end));
  reader.take(body);
  return said(reader.whole(body));
}

}  // namespace

TEST_CASE("a_document_read_in_parts_is_the_one_read_whole_and_so_is_what_is_wrong_with_it") {
  const std::string bodies[] = {
      R"({"a":[1,2.5,-3e7,null,true,"\u00e4\n"],"b":{"c":{}}})",
      "\xef\xbb\xbf [1]  ",
      "[1,2",
      "[1]]",
      "[1] 2",
      "{\"a\":\"\xff\"}",
      "{a:1}",
      "",
      "   ",
      "<html>",
      std::string(32, '[') + std::string(32, ']'),
      std::string(33, '[') + std::string(33, ']'),
  };
  for (const std::string& body : bodies) {
    const std::string whole = said(net::parse_json(body));
    for (std::size_t at_once = 3; at_once <= body.size() + 3; ++at_once) {
      CAPTURE(body);
      CAPTURE(at_once);
      CHECK(in_parts(body, at_once) == whole);
    }
  }
}

TEST_CASE("a_document_that_takes_much_more_than_its_bytes_is_refused") {
  std::string zeros = "[0";
  while (zeros.size() < 1'000'000) zeros += ",0";
  CHECK(in_parts(zeros + "]", 4096) == "no: the JSON in the body takes more than 12MiB of memory");
  std::string places = "[[13.4050,52.5200]";
  while (places.size() < 1'000'000) places += ",[13.4050,52.5200]";
  CHECK(in_parts(places + "]", 4096).starts_with("[["));
}

TEST_CASE("copies_of_a_document_share_it") {
  const auto read = net::parse_json("[1]");
  REQUIRE(read);
  const net::json_document copy = *read;
  CHECK(copy.operator->() == read->operator->());
}
