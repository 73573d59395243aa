#include "agent/notify/letter.hpp"

#include "a_letter.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;

namespace {

std::optional<letter> again(const letter& what) {
  return letter_in(json::parse(json::serialize(as_object(what))).as_object());
}

letter everything() {
  letter made = ended(an_incident());
  made.acknowledged = "anna has acknowledged it: looking";
  made.level = 3;
  made.reminds = true;
  made.by_flipback = true;
  return made;
}

}  // namespace

TEST_CASE("a_letter_is_the_same_after_it_was_kept") {
  CHECK(again(an_incident()) == an_incident());
  CHECK(again(everything()) == everything());
  for (const subject about : {subject::incident, subject::alerts, subject::notice, subject::cutover, subject::trial}) {
    for (const stage at : {stage::begun, stage::changed, stage::ended}) {
      for (const severity how : {severity::debug, severity::info, severity::warning, severity::critical}) {
        letter made = an_incident();
        made.about = about;
        made.at = at;
        made.severity = how;
        CHECK(again(made) == made);
      }
    }
  }
}

TEST_CASE("another_version_may_write_more_or_fewer_keys_and_none_one_of_another_type") {
  constexpr std::array<std::string_view, 7> needed{"matter", "number", "subject", "stage", "level", "began", "written"};
  const json::object whole = as_object(everything());
  REQUIRE(letter_in(whole));
  for (const auto& [key, value] : whole) {
    CAPTURE(std::string(key));
    json::object changed = whole;
    changed.erase(key);
    const bool says_what_it_is = std::ranges::find(needed, std::string_view(key)) != needed.end();
    CHECK(letter_in(changed).has_value() != says_what_it_is);
    changed = whole;
    changed[key] = nullptr;
    CHECK_FALSE(letter_in(changed));
    changed[key] = value.is_string() ? json::value(7) : json::value("x");
    CHECK_FALSE(letter_in(changed));
  }
  json::object more = whole;
  more["surplus"] = 1;
  CHECK(letter_in(more) == everything());
  CHECK_FALSE(letter_in({}));
}

TEST_CASE("an_object_whose_keys_contradict_each_other_is_no_letter") {
  const auto changed = [](std::string_view key, json::value to) {
    json::object made = as_object(everything());
    made[key] = std::move(to);
    return letter_in(made);
  };
  CHECK_FALSE(changed("id", "20261127T090411.791Z/4"));
  CHECK_FALSE(changed("lasted", "1m"));
  CHECK_FALSE(changed("number", -1));
  CHECK_FALSE(changed("number", 3.5));
  CHECK_FALSE(changed("number", 5'000'000'000));
  CHECK_FALSE(changed("subject", "party"));
  CHECK_FALSE(changed("began", "yesterday"));
  CHECK_FALSE(changed("news", json::array{"text"}));
  CHECK_FALSE(changed("ill", json::array{1}));
  letter without = everything();
  without.matter.clear();
  CHECK_FALSE(letter_in(as_object(without)));
  without = everything();
  without.number = 0;
  CHECK_FALSE(letter_in(as_object(without)));
}

TEST_CASE("the_letter_on_the_documents_page_is_one") {
  std::stringstream page;
  page << std::ifstream(FLIPBACK_NOTIFICATIONS_PAGE).rdbuf();
  const std::string text = page.str();
  const std::size_t begin = text.find("```json\n") + 8;
  json::object shown = json::parse(text.substr(begin, text.find("```", begin) - begin)).as_object();
  CHECK(shown.erase("text") == 1);
  CHECK(letter_in(shown));
}

TEST_CASE("bytes_that_are_no_character_do_not_make_it_unreadable") {
  letter made = an_incident();
  made.title = "caf\xe9";
  const auto read = again(made);
  REQUIRE(read);
  CHECK(read->title == "caf\uFFFD");
}

TEST_CASE("as_text_says_number_limit_deed_proof_and_what_to_type_first") {
  CHECK(as_text(an_incident()) ==
        "error-rate is breached on green with 1.5.0: 12.1% > 5%\n"
        "Users reach blue with 1.4.2: proven at 09:04:13Z.\n"
        "Type: `flipback status`: it says which slot is live\n"
        "Also ill: redis: connecting to 127.0.0.1:6379 was refused\n"
        "09:04:11Z error-rate is breached: 12.1% > 5%\n"
        "09:04:12Z rolling back to blue\n"
        "https://ops.example.com/flipback/incidents/20261127T090411.791Z");
}

TEST_CASE("without_its_title_it_says_what_is_below_and_without_anything_below_the_title") {
  CHECK(as_text(ended(an_incident()), false) ==
        "Users reach blue with 1.4.2: proven at 09:04:13Z.\n"
        "Type: `flipback status`: it says which slot is live\n"
        "Also ill: redis: connecting to 127.0.0.1:6379 was refused\n"
        "09:06:15Z error-rate is ok: 0.1%\n"
        "https://ops.example.com/flipback/incidents/20261127T090411.791Z");
  letter nothing;
  nothing.title = "x";
  CHECK(as_text(nothing) == "x");
  CHECK(as_text(nothing, false) == "");
}

TEST_CASE("as_text_says_why_it_comes_again") {
  letter made;
  made.title = "x";
  made.written = made.began + std::chrono::minutes(15);
  made.reminds = true;
  CHECK(as_text(made) == "x\nNobody has acknowledged it for 15m.");
  made.level = 2;
  CHECK(as_text(made) == "x\nNobody has acknowledged it for 15m, level 2.");
  made.reminds = false;
  CHECK(as_text(made) == "x\nEscalated to level 2 after 15m.");
  made.level = 1;
  made.acknowledged = "anna has acknowledged it: looking";
  CHECK(as_text(made) == "x\nanna has acknowledged it: looking");
}
