#include "probes/postgres/fingerprint.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

using flipback::postgres::fingerprint;
using namespace std::string_view_literals;

TEST_CASE("a_fingerprint_keeps_what_a_statement_does_and_no_value") {
  struct example {
    std::string_view sql;
    std::string_view expected;
  };
  constexpr std::array examples{
      example{"SELECT 1", "SELECT ?"},
      example{"  SELECT\n\t*  FROM t\r\nWHERE a = 5 ; ", "SELECT * FROM t WHERE a = ? ;"},
      example{"SELECT 'it''s' || E'it\\'s \\\\' || e''", "SELECT ? || ? || ?"},
      example{"SELECT U&'d\\0061t' UESCAPE '!', u&\"x\", B'101', x'1F', N'y'", "SELECT ? UESCAPE ?, \"x\", ?"},
      example{"SELECT $$a 'b' $c$ $$, $tag$ $$ 'x' $tag$", "SELECT ?"},
      example{"SELECT foo$bar$1 FROM a$b WHERE x = $1 AND y=$2", "SELECT foo$bar$1 FROM a$b WHERE x = ? AND y=?"},
      example{"SELECT 1.5e-3, .5, 0x1F, 1_000, 5., 123abc", "SELECT ?"},
      example{"SELECT t1.c2 FROM s3.t1 WHERE t1.c2 > -7", "SELECT t1.c2 FROM s3.t1 WHERE t1.c2 > -?"},
      example{"SELECT a -- 'secret'\n, b /* 'x' /* nested */ 'y' */ FROM t", "SELECT a , b FROM t"},
      example{"DELETE FROM t WHERE id IN (1, 2,3, 'x')", "DELETE FROM t WHERE id IN (?)"},
      example{"DELETE FROM t WHERE id IN (-1, -2)", "DELETE FROM t WHERE id IN (-?)"},
      example{"INSERT INTO t VALUES (1, 'a'), (2, 'b'),(3, 'c')", "INSERT INTO t VALUES (?)"},
      example{"SELECT 'a'\n  'b'", "SELECT ?"},
      example{"SELECT \"Mixed_Case\" FROM \"odd \"\" name\"", "SELECT \"Mixed_Case\" FROM \"?\""},
      example{"ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD ?"},
      example{"SELECT größe FROM maße", "SELECT größe FROM maße"},
      example{"", ""},
      example{"-- only this", ""},
  };
  for (const example& e : examples) {
    CAPTURE(e.sql);
    CHECK(fingerprint(e.sql) == e.expected);
  }
}

TEST_CASE("a_fingerprint_of_a_text_that_was_cut_has_nothing_of_the_literal_in_it") {
  CHECK(fingerprint("SELECT 'hunt") == "SELECT ?");
  CHECK(fingerprint("SELECT E'hunt\\") == "SELECT ?");
  CHECK(fingerprint("SELECT $x$hunt") == "SELECT ?");
  CHECK(fingerprint("SELECT $$hunt$") == "SELECT ?");
  CHECK(fingerprint("SELECT $hunt") == "SELECT…");
  CHECK(fingerprint("SELECT \"hunt") == "SELECT \"?\"");
  CHECK(fingerprint("SELECT a /* hunt") == "SELECT a");
  CHECK(fingerprint("SELECT a /* hunt /* er */") == "SELECT a");
}

TEST_CASE("a_fingerprint_ends_where_a_text_can_be_read_in_two_ways") {
  // With standard_conforming_strings off the string goes on behind the second quote, with it on the third one begins another.
  CHECK(fingerprint(R"(SELECT 'a\', 'hunter', b)") == "SELECT ?…");
  CHECK(fingerprint(R"(SELECT 'it\'s hunter')") == "SELECT ?…");
  // The second part of an escape string is one, too.
  CHECK(fingerprint("SELECT E'a'\n'\\' hunter'") == "SELECT ?…");
  CHECK(fingerprint(R"(SELECT 'C:\temp', b)") == "SELECT ?, b");
}

TEST_CASE("a_fingerprint_is_short_and_one_line_of_utf8") {
  std::string wide = "SELECT ";
  for (int i = 0; i < 1000; ++i) wide += "größe" + std::to_string(i) + ", ";
  CHECK(fingerprint(wide).size() <= 200 + "…"sv.size());
  CHECK(fingerprint(wide).ends_with("…"));
  CHECK(fingerprint("SELECT \x01\x1b[31m\xff\n'x'").find('\x1b') == std::string::npos);
  std::string many = "SELECT a FROM t WHERE id IN (0";
  for (int i = 1; i < 200'000; ++i) many += "," + std::to_string(i);
  CHECK(fingerprint(many + ") AND b") == "SELECT a FROM t WHERE id IN (?) AND b");
}

TEST_CASE("no_literal_survives_in_whatever_order_pieces_come_and_wherever_they_are_cut") {
  std::mt19937 random(7);
  // Each is a token that holds the word, or none that does.
  constexpr std::array pieces{"'hunter'"sv,
                              "'it''s hunter'"sv,
                              R"(E'\'hunter\\')"sv,
                              "$$hunter$$"sv,
                              "$a$ ' hunter $$ $a$"sv,
                              "U&'hunter'"sv,
                              "/*hunter'*/"sv,
                              "/* /*'*/ hunter */"sv,
                              "--hunter'\n"sv,
                              "b'hunter'"sv,
                              "\"o'dd\""sv,
                              "\"a\"\"b'\""sv,
                              "name"sv,
                              "e"sv,
                              "x$y"sv,
                              "1.5e+3"sv,
                              "$1"sv,
                              "("sv,
                              ")"sv,
                              ","sv,
                              "+"sv,
                              "::text"sv,
                              "\xc3\xa9"sv,
                              "\xff"sv,
                              "'hunter\n'"sv,
                              R"('back\slash hunter')"sv,
                              "$hunter_tag$ x $hunter_tag$"sv,
                              "é"sv,
                              ";"sv,
                              "\n"sv};
  for (int round = 0; round < 20'000; ++round) {
    std::string sql;
    const auto count = random() % 12;
    for (unsigned i = 0; i < count; ++i) {
      sql += pieces.at(random() % pieces.size());
      sql += random() % 8 == 0 ? "\n" : " ";
    }
    if (random() % 2 == 0) sql.resize(random() % (sql.size() + 1));
    const std::string made = fingerprint(sql);
    CAPTURE(sql);
    CHECK(made.find("hunt") == std::string::npos);
    CHECK(made.size() <= 203);
  }
}

TEST_CASE("any_bytes_have_a_fingerprint") {
  std::mt19937 random(11);
  constexpr std::string_view likely = "'\"$\\-/*eEuU&aA1.(), \n\xff";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, ' ');
    for (char& c : bytes) c = random() % 4 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    CHECK(fingerprint(bytes).size() <= 203);
  }
}
