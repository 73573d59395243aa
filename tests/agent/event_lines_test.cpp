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

TEST_CASE("an_event_as_logfmt_is_pairs_of_which_each_is_quoted_where_it_must_be") {
  event e{"probe.changed", severity::warning, "api fail: answered 500", {}};
  e.with("probe", "api").with("outcome", "fail").with("latency", 0.25).with("tries", std::int64_t{3}).with("open", true).with("by", "");
  CHECK(logfmt_line(e, {}) ==
        "time=1970-01-01T00:00:00.000Z severity=warning kind=probe.changed says=\"api fail: answered 500\" probe=api outcome=fail "
        "latency=0.25 tries=3 open=true by=\"\"");
}

TEST_CASE("what_others_wrote_begins_no_pair_and_no_line_of_logfmt") {
  const auto reason_in = [](const std::string& reason) {
    const std::string line = logfmt_line(held(reason), {});
    CHECK_FALSE(line.contains('\n'));
    return line.substr(line.find(" reason=") + sizeof(" reason=") - 1);
  };
  CHECK(reason_in("plain") == "plain");
  CHECK(reason_in("m\u00fcde") == "m\u00fcde");
  CHECK(reason_in("a=b") == "\"a=b\"");
  CHECK(reason_in("say \"no\"") == R"("say \"no\"")");
  CHECK(reason_in("C:\\x") == R"("C:\\x")");
  CHECK(reason_in("x\ny severity=critical") == R"("x\ny severity=critical")");
  CHECK(reason_in("x\x1b[2J\u202e\u009b\x7f") == R"("x\u001b[2J\u202e\u009b\u007f")");
  CHECK(reason_in("f\xFCr") == "\"f\uFFFDr\"");
}

TEST_CASE("each_severity_has_its_priority_for_journald") {
  CHECK(journald_priority(severity::debug) == "<7>");
  CHECK(journald_priority(severity::info) == "<6>");
  CHECK(journald_priority(severity::warning) == "<4>");
  CHECK(journald_priority(severity::critical) == "<2>");
}
