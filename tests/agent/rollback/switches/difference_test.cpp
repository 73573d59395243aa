#include "agent/rollback/switches/difference.hpp"

#include <doctest/doctest.h>

using flipback::rollback::first_difference;
using flipback::rollback::likeness_of;

TEST_CASE("the_first_line_that_differs_is_shown_with_its_number") {
  struct {
    std::string name, found, expected, says;
  } const cases[] = {
      {"nothing", "a\nb\n", "a\nb\n", ""},
      {"a word", "a\nlisten 81;\nc\n", "a\nlisten 80;\nc\n", R"(line 2 is "listen 81;", expected "listen 80;")"},
      {"a comment more", "a\n# mine\nb\n", "a\nb\n", R"(line 2 is "# mine", expected "b")"},
      {"a comment at the end", "a\nb\n# mine\n", "a\nb\n", R"(line 3 is "# mine", expected the end of the file)"},
      {"cut short", "a\n", "a\nb\n", R"(it ends before line 2, expected "b")"},
      {"empty", "", "a\n", R"(it ends before line 1, expected "a")"},
      {"blanks", "a;\t\n", "a; \n", R"(line 1 is "a;\t", expected "a; ")"},
      {"what a terminal would obey", "\x1b[2J\n", "\xff\n", R"(line 1 is "\x1b[2J", expected "\xff")"},
      {"no last newline", "a\nb", "a\nb\n", "only the newline at its end is missing"},
      {"a newline more", "a\n\n", "a\n", "only the newlines at its end differ: 2, expected 1"},
      {"CRLF", "a\r\nb\r\n", "a\nb\n", "only its line ends differ: CRLF, expected LF"},
      {"LF", "a\nb\n", "a\r\nb\r\n", "only its line ends differ: LF, expected CRLF"},
      {"CRLF and no last newline", "a\r\nb", "a\nb\n", "only its line ends differ: CRLF, expected LF"},
      {"one CRLF", "a\r\nb\n", "a\r\nb\r\n", "only some of its line ends differ (CRLF and LF)"},
      {"another line's CRLF", "a\r\nb\n", "a\nb\r\n", "only some of its line ends differ (CRLF and LF)"},
      {"CRLF and a word", "a\r\nc\r\n", "a\nb\n", R"(line 2 is "c", expected "b")"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(first_difference(c.found, c.expected) == c.says);
  }
}

TEST_CASE("a_long_line_is_shown_where_it_differs_and_no_character_is_cut") {
  std::string same;
  for (int i = 0; i < 500; ++i) same += "ä";
  const std::string says = first_difference(same + "x" + same, same + "y" + same);
  CHECK(says.size() < 300);
  CHECK(says.find("äx") != std::string::npos);
  CHECK(says.find("äy") != std::string::npos);
  CHECK(says.find("\\x") == std::string::npos);
}

TEST_CASE("what_may_be_a_secret_is_not_shown") {
  for (const std::string line : {"proxy_set_header Authorization \"Basic aHVudGVyMg==\";", "set $api_key aHVudGVyMg==;"}) {
    for (const bool found : {true, false}) {
      const std::string says = found ? first_difference(line, "a\n") : first_difference("a\n", line);
      CHECK(says == "line 1 differs, and is not shown, since it may hold a secret");
    }
  }
}

TEST_CASE("how_far_apart_two_texts_are_does_not_rest_on_where_the_lines_stand") {
  CHECK(likeness_of("a\nb\n", "a\r\nb").apart == 0);
  CHECK(likeness_of("# mine\na\nb\n", "a\nb\n").apart == 1);
  CHECK(likeness_of("a\nb\n", "a\nc\n").apart == 2);
  CHECK(likeness_of("", "a\nc\n").apart == 2);
  CHECK(likeness_of("# mine\na\n\nb\n", "b\n\na\n").common == 2);
  CHECK(likeness_of(" \n\nd\n", "a\n\n \n").common == 0);
}
