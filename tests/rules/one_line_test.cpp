#include "flipback/one_line.hpp"

#include "flipback/utf8.hpp"

#include <doctest/doctest.h>

using namespace flipback;

TEST_CASE("what_a_terminal_would_obey_is_written_out") {
  CHECK(one_line("plain: café € 🙂 \\d+") == "plain: café € 🙂 \\d+");
  CHECK(one_line("a\nb\r\tc") == "a\\nb\\r\\tc");
  CHECK(one_line("x\x1b[2J\x07\x7f") == "x\\x1b[2J\\x07\\x7f");
  CHECK(one_line("c1 \xC2\x9B"
                 "2J \xC2\x85 \xC2\xA0") == "c1 \\u009b2J \\u0085 \xC2\xA0");
  CHECK(one_line("a\u00ADb\u200Bc\uFEFFd\u2060\U000E0041") == "a\\u00adb\\u200bc\\ufeffd\\u2060\\U000e0041");
  CHECK(one_line("\u0646\u0645\u06CC\u200C\u062E") == "\u0646\u0645\u06CC\u200C\u062E");  // Persian needs its joiner
  CHECK(one_line("\u202Etxt.exe\u2066 \u200F\u061C\u2028") == "\\u202etxt.exe\\u2066 \\u200f\\u061c\\u2028");
  CHECK(one_line(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("bytes_that_are_no_utf8_are_written_out") {
  CHECK(one_line("f\xFCr \x9B") == "f\\xfcr \\x9b");
  CHECK(one_line("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // a surrogate is no character
}

TEST_CASE("of_several_lines_the_line_ends_stay") {
  CHECK(escaped_json("{\"a\": \"\u202Ex\xC2\x9B\x7F\", \"b\": \"\xff\"}\n") == "{\"a\": \"\\u202ex\\u009b\\u007f\", \"b\": \"\\ufffd\"}\n");
  CHECK(escaped_json("\"\U000E0041\u200B\"") == "\"\\udb40\\udc41\\u200b\"");
  CHECK(whole_lines("live  blue\nheld  \x1b[2J\r\n") == "live  blue\nheld  \\x1b[2J\\r\n");
}

TEST_CASE("well_formed_text_stays_and_a_malformed_byte_is_replaced") {
  CHECK(well_formed("für €") == "für €");
  CHECK(well_formed("f\xFCr\xE2\x82") == "f\uFFFDr\uFFFD\uFFFD");
  CHECK(well_formed("") == "");
}
