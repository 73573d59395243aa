#include "flipback/quoted.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace flipback;

TEST_CASE("what_others_write_becomes_one_printable_line") {
  CHECK(quoted("plain") == "plain");
  CHECK(quoted("  two\r\n\tlines \x1b[31mred ") == "two lines [31mred");
  CHECK(quoted("turned \u202E or \xC2\x9B obeyed") == "turned or obeyed");
  CHECK(quoted("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x99\x82") == "café € 🙂");
  CHECK(quoted("a\xFF\xC3") == "a\uFFFD\uFFFD");
  CHECK(quoted("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate is no character
  CHECK(quoted("\xC0\xAF") == "\uFFFD\uFFFD");            // nor is an overlong slash
  CHECK(quoted("") == "");
}

TEST_CASE("what_others_write_is_cut_between_characters") {
  CHECK(quoted(std::string(300, 'x')).size() == 200 + std::string("…").size());
  CHECK(quoted("éé", {}, 3) == "é…");
}

TEST_CASE("secrets_are_taken_out_of_what_others_write_however_they_are_written") {
  const std::array known{secret("p@ss word"), secret("tok")};
  CHECK(quoted("login p@ss word failed, again p@ss word", known) == "login *** failed, again ***");
  CHECK(quoted("/login?p=p%40ss%20word&t=tok", known) == "/login?p=***&t=***");
  CHECK(quoted("nothing", std::array{secret()}) == "nothing");
  CHECK(quoted(std::string(195, 'x') + "p@ss word", known) == std::string(195, 'x') + "***");
}

TEST_CASE("what_was_sent_is_hidden_whole_and_by_its_longer_words") {
  std::vector<secret> hidden;
  hide_sent(hidden, "Bearer hunter2-token");
  hide_sent(hidden, "id=7; session=hunter2-cookie");
  hide_sent(hidden, R"({"a": "hunter2-body", "n": 12})");
  CHECK(quoted("no hunter2-token, hunter2-cookie or hunter2-body of 12", hidden) == "no ***, *** or *** of 12");
  CHECK(quoted("Bearer hunter2-token", hidden) == "***");
}
