#include "agent/rollback/journal_row.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace flipback;
using namespace flipback::rollback;

namespace {

std::string all_bytes(std::size_t size) {
  std::string made;
  for (std::size_t i = 0; i < size; ++i) made += static_cast<char>(i * 31 + i / 256);
  return made;
}

row first_row() {
  row made;
  made.of.id = "2026-11-29T03:30:12Z-1";
  made.of.from = {"green", "2.4.0\xff"};
  made.of.to = {"blue", ""};
  made.of.rule = "error-rate";
  made.of.why = "9% > 5%\n\"quoted\"";
  made.of.by = std::string("a\0b", 3);
  made.of.begun = wall_time(std::chrono::nanoseconds(1'795'910'000'123'456'789));
  made.of.changes = {
      file_change{"/etc/nginx/sites-enabled/default", {file_image::kind::regular, all_bytes(1024 * 1024), "", 0640, 33, 34}, {}},
      file_change{"/etc/nginx/l\xe9nk",
                  {file_image::kind::link, "", "../sites-available/gr\xfcn", 0, 0, 0},
                  {file_image::kind::link, "", "../sites-available/blue", 0, 0, 0}},
      command_change{"green", "blue"},
  };
  made.of.flip = true;
  return made;
}

row later(row::kind kind) {
  row made;
  made.number = 18'446'744'073'709'551'615U;
  made.is = kind;
  made.answer = deployment::answer::no;
  made.says = "nginx: [emerg] \xff";
  if (kind == row::kind::put || kind == row::kind::undoing) {
    made.change = 2;
    made.to = end::before;
  }
  return made;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("what_an_attempt_is_about_reads_back_the_same_whatever_bytes_it_has") {
  const row written = first_row();
  const std::string text = to_text(written);
  CHECK_FALSE(text.contains('\n'));
  const auto read = row_from(text);
  REQUIRE_MESSAGE(read.has_value(), read.error());
  CHECK((*read == written));
}

TEST_CASE("each_kind_of_row_reads_back_the_same") {
  using enum row::kind;
  for (const row::kind kind : {put, tested, reloading, reloaded, looked, undoing, ended}) {
    CAPTURE(name_of(kind));
    for (const auto answer : {deployment::answer::no, deployment::answer::yes, deployment::answer::cant_tell}) {
      row written = later(kind);
      written.answer = answer;
      const auto read = row_from(to_text(written));
      REQUIRE_MESSAGE(read.has_value(), read.error());
      CHECK((*read == written));
    }
  }
}

TEST_CASE("a_row_that_this_version_does_not_know_is_an_error_and_never_none") {
  struct line {
    std::string text;
    std::string_view says;
  };
  const std::string begun = to_text(first_row());
  const std::string put = to_text(later(row::kind::put));
  const std::array lines{
      line{replaced(put, R"("is":"put")", R"("is":"asked")"), R"(is: "asked" is none of the words that this version knows)"},
      line{replaced(put, R"("version":1)", R"("version":2)"), "version: found 2, and this flipback"},
      line{replaced(put, R"("version":1,)", ""), "version: is missing"},
      line{replaced(put, R"("change":2,)", ""), "change: is missing"},
      line{replaced(put, R"("to":"before")", R"("to":1)"), "to: found a whole number, expected a word"},
      line{replaced(put, R"("answer":"no")", R"("answer":"perhaps")"), "answer: \"perhaps\""},
      line{replaced(begun, R"("is":"command")", R"("is":"ritual")"), "of.changes[2].is: \"ritual\""},
      line{replaced(begun, R"("is":"regular")", R"("is":"fifo")"), "of.changes[0].before.is: \"fifo\""},
      line{replaced(begun, R"("mode":416)", R"("mode":4294967296)"), "mode: is larger"},
      line{replaced(begun, R"("by":)", R"("buy":)"), "of.by: is missing"},
      line{begun.substr(0, begun.size() / 2), "is no JSON"},
      line{"", "is no JSON"},
      line{"{}", "version: is missing"},
  };
  for (const line& l : lines) {
    const auto read = row_from(l.text);
    CAPTURE(l.says);
    REQUIRE_FALSE(read.has_value());
    CHECK_MESSAGE(read.error().contains(l.says), read.error());
  }
}

TEST_CASE("a_row_that_does_not_say_whether_it_is_of_a_flip_is_of_a_rollback") {
  std::string text = to_text(first_row());
  const std::string said = R"(,"flip":true)";
  REQUIRE(text.find(said) != std::string::npos);
  text.erase(text.find(said), said.size());
  const auto read = row_from(text);
  REQUIRE(read);
  CHECK_FALSE(read->of.flip);
}
