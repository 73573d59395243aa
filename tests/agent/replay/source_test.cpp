#include "agent/replay/source.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace flipback::replay;

namespace {

std::string read(const std::string& word) {
  const source made = source_of(word);
  return fmt::format("{}: {}", made.signal, fmt::join(made.files, " and "));
}

}  // namespace

TEST_CASE("a_source_is_a_file_or_a_signals_files") {
  CHECK(read("dump.om") == ": dump.om");
  CHECK(read("traffic.error_rate=a.json") == "traffic.error_rate: a.json");
  CHECK(read("traffic.error_rate=a.json,b.json") == "traffic.error_rate: a.json and b.json");
  CHECK(read("up.x=/tmp/a=b.json") == "up.x: /tmp/a=b.json");
  CHECK(read("./day=1/dump") == ": ./day=1/dump");
  CHECK(read("=a") == ": =a");
}

TEST_CASE("what_a_file_is_is_told_by_how_it_begins") {
  CHECK(content_of("flipback record 3\n\x01") == content::record);
  CHECK(content_of("flipback rec") == content::record);
  CHECK(content_of("") == content::text);
  CHECK(content_of("flipback_probe_up 1\n") == content::text);
  CHECK(content_of("# TYPE a gauge\n") == content::text);
  CHECK(content_of("{__name__=\"a\"} 1 2\n") == content::text);
  CHECK(content_of(" \n{ \"status\": \"success\"") == content::json);
  CHECK(content_of("{") == content::json);
  CHECK(content_of("[]") == content::json);
}
