#include "agent/event_lines.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;

namespace {

/// An event that says what an operator gave as the reason.
event held(const std::string& reason) {
  event made{"rollback.held", severity::warning, "no automatic rollback acts: held by alice: " + reason, {}};
  return std::move(made.with("reason", reason));
}

}  // namespace

TEST_CASE("an_event_is_one_line_whatever_others_wrote_into_it") {
  const event forged = held("x\x1b[2J\n2026-11-29T05:00:00.000Z critical rollback.closed: a line of nobody \u202E\xC2\x9B");
  for (const std::string& line : {text_line(forged, {}), journald_line(forged)}) {
    CHECK_FALSE(line.contains('\n'));
    CHECK_FALSE(line.contains('\x1b'));
    CHECK(line.contains("held by alice: x\\x1b[2J\\n2026-"));
    CHECK(line.ends_with("a line of nobody \\u202e\\u009b"));
  }
}

TEST_CASE("an_event_as_json_says_the_same_and_is_valid_whatever_its_bytes") {
  const std::string reason = "x\x1b[2J\nrow \u202E";
  const auto read = boost::json::parse(json_line(held(reason), {}));
  CHECK(read.at("reason").as_string() == reason);
  const auto latin = boost::json::parse(json_line(held("f\xFCr"), {}));
  CHECK(latin.at("reason").as_string() == "f\uFFFDr");
  CHECK(latin.at("says").as_string().ends_with("f\uFFFDr"));
}
