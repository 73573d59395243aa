#include "probes/s3/listing.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace flipback;

TEST_CASE("a_page_of_objects_is_read") {
  const auto page = s3::parse_listing(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>backups</Name><IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>abc=</NextContinuationToken>"
      "<Contents><Key>db/2026-11-25+a%2Bb%01.dump</Key><LastModified>2026-11-25T20:53:01.123Z</LastModified><Size>1048576</Size></Contents>"
      "<Contents><Key>db/no-time</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents>"
      "<Contents><Key>db/bad%zz</Key><LastModified>2026-11-25T20:53:01Z</LastModified></Contents>"
      "<Contents/></ListBucketResult>");
  REQUIRE(page);
  REQUIRE(page->objects.size() == 1);
  CHECK(page->objects[0].key == "db/2026-11-25 a+b\x01.dump");
  CHECK(page->objects[0].size == 1048576);
  CHECK(page->objects[0].modified == wall_time(std::chrono::milliseconds(1795639981123)));
  CHECK(page->next == "abc=");
}

TEST_CASE("an_empty_page_is_the_last") {
  const auto page = s3::parse_listing(
      "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>");
  REQUIRE(page);
  CHECK(page->objects.empty());
  CHECK(page->next.empty());
}

TEST_CASE("another_document_is_no_page") {
  CHECK(s3::parse_listing("<html><body>It works!</body></html>").error().says == "the body is XML, but no ListBucketResult: it is no S3");
  CHECK(!s3::parse_listing("{}"));
}
