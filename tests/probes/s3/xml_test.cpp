#include "probes/s3/xml.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flipback;

namespace {

std::string refused(std::string_view text) {
  const auto read = s3::parse_xml(text);
  if (read) return "read";
  CHECK(read.error().why == reason::bad_answer);
  return read.error().says;
}

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "<a>";
  for (int i = 0; i < depth; ++i) text += "</a>";
  return text;
}

}  // namespace

TEST_CASE("an_error_of_s3_is_read") {
  const auto read = s3::parse_xml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>a &lt;b&gt; &amp; "
      "&#228;</Message><Empty/></Error>");
  REQUIRE(read);
  CHECK(read->name == "Error");
  CHECK(read->text_of("Code") == "NoSuchBucket");
  CHECK(read->text_of("Message") == "a <b> & \xc3\xa4");
  CHECK(read->child("Empty") != nullptr);
  CHECK(read->child("Nothing") == nullptr);
  CHECK(read->text_of("Nothing").empty());
}

TEST_CASE("what_is_no_xml_is_refused") {
  CHECK(refused("") == "the body is empty, expected XML");
  CHECK(refused("{\"a\": 1}").starts_with("the body is not XML: "));
  CHECK(refused("<a><b></a></b>").starts_with("the body is not XML: "));
  CHECK(refused("<a>").starts_with("the body is not XML: "));
  CHECK(refused("<a/><b/>").starts_with("the body is not XML: "));
  CHECK(refused("<a>\xff\xfe</a>").starts_with("the body is not XML: "));
  CHECK(refused(std::string_view("<a>\0</a>", 8)).starts_with("the body is not XML: "));
}

TEST_CASE("hostile_xml_is_refused_before_it_costs_anything") {
  CHECK(refused(nested(16)) == "read");
  CHECK(refused(nested(17)) == "the XML in the body is nested too deep");
  std::string endless;
  for (int i = 0; i < 500'000; ++i) endless += "<a>";
  CHECK(refused(endless) == "the XML in the body is nested too deep");
  CHECK(refused("<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>") == "the XML in the body has a document type");
  CHECK(refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>") == "the XML in the body has a document type");
  std::string long_tag = "<a";
  for (int i = 0; i < 1000; ++i) long_tag += " b" + std::to_string(i) + "=\">\"";
  CHECK(refused(long_tag + "/>") == "the XML in the body has a tag of more than 4KiB");
  CHECK(refused("<a b=\">\"><!-- <c " + std::string(5000, ' ') + " --></a>") == "read");
  std::string wide = "<a>";
  for (int i = 0; i < 19'999; ++i) wide += "<b/>";
  CHECK(refused(wide + "</a>") == "read");
  CHECK(refused(wide + "<b/></a>") == "the XML in the body has more than 20,000 elements");
  CHECK(refused("<a>&b;</a>").starts_with("the body is not XML: "));
}
