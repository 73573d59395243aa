#include "agent/rollback/switches/text_pieces.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flipback::rollback;
using namespace std::string_literals;

TEST_CASE("a_piece_occurs_only_where_it_stands_alone_and_outside_comments") {
  struct {
    std::string name, bytes;
    std::size_t times;
    std::string piece = "127.0.0.1:8000";
  } const cases[] = {
      {"alone", "127.0.0.1:8000", 1},
      {"in a directive", "server 127.0.0.1:8000;", 1},
      {"in an address", "proxy_pass http://127.0.0.1:8000/api;", 1},
      {"as a value", "a=127.0.0.1:8000 b='127.0.0.1:8000' c=\"127.0.0.1:8000\"", 3},
      {"within braces", "{127.0.0.1:8000}", 1},
      {"a longer port", "server 127.0.0.1:80001;", 0},
      {"beside a longer one", "server 127.0.0.1:80001; server 127.0.0.1:8000; server 1127.0.0.1:8000;", 1},
      {"a longer address", "server 1127.0.0.1:8000;", 0},
      {"after a colon", "x:127.0.0.1:8000", 0},
      {"before a dot", "127.0.0.1:8000.", 0},
      {"with Windows' line ends", "server\r\n127.0.0.1:8000\r\n;\r\n", 1},
      {"in a comment", "# 127.0.0.1:8000\n", 0},
      {"after a comment", "# it's \"here\n127.0.0.1:8000", 1},
      {"after a carriage return in a comment", "# comment\r127.0.0.1:8000\n", 0},
      {"behind a directive's end", "listen 80;# 127.0.0.1:8000\n", 0},
      {"behind a brace", "server {# 127.0.0.1:8000\n}# 127.0.0.1:8000", 0},
      {"a number sign within a word", "a#b 127.0.0.1:8000;", 1},
      {"a number sign within quotes", "log '# \\' # ' 127.0.0.1:8000;", 1},
      {"a number sign within double quotes", "log \"a # b\" 127.0.0.1:8000; # 127.0.0.1:8000", 1},
      {"a quote within a word", "log it's 127.0.0.1:8000; # don't 127.0.0.1:8000\n", 1},
      {"a number sign that is escaped", "log \\# 127.0.0.1:8000;", 1},
      {"a variable in braces", "set $a ${b}#c; x 127.0.0.1:8000;", 1},
      {"quotes over lines", "log 'a\n# b' 127.0.0.1:8000;", 1},
      {"a quote that closes before a comment", "log 'a'# 127.0.0.1:8000\n", 0},
      {"a directive, one line", "upstream a {server 127.0.0.1:8000;server b;}", 1, "server 127.0.0.1:8000;"},
      {"a directive, longer port", "server 127.0.0.1:80001;", 0, "server 127.0.0.1:8000;"},
      {"a directive, longer word", "myserver 127.0.0.1:8000;", 0, "server 127.0.0.1:8000;"},
      {"a directive, begun by another's end", "listen 80;server 127.0.0.1:8000;", 1, "server 127.0.0.1:8000;"},
      {"over a comment", "server # c\n a;", 0, "server # c\n a;"},
      {"with a comment between", "server # c\n a;", 0, "server  a;"},
      {"a path, at its end", "root /old/srv/blue;", 0, "/srv/blue"},
      {"a path", "root /srv/blue;", 1, "/srv/blue"},
      {"a path, longer", "root /srv/blue-2;", 0, "/srv/blue"},
      {"over several lines", "a\n  b;\na\r\n  b;\n", 1, "a\n  b;"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(occurrences_of(c.piece, c.bytes).size() == c.times);
  }
}

TEST_CASE("only_the_pieces_are_replaced_and_every_other_byte_stays") {
  const std::string before = "up blue;\r\n# blue stays\r\nlog 'x # y' \"blue\";\tblue blue-2 /blue/\0\xff blue"s;
  const std::string after =
      "up green-long;\r\n# blue stays\r\nlog 'x # y' \"green-long\";\tgreen-long blue-2 /green-long/\0\xff green-long"s;
  const replacement there[] = {{"blue", "green-long"}};
  const replacement back[] = {{"green-long", "blue"}};
  CHECK(replaced(before, there).value() == after);
  CHECK(replaced(after, back).value() == before);
}

TEST_CASE("pieces_are_replaced_in_one_pass") {
  const replacement swap[] = {{"a", "b"}, {"b", "a"}};
  CHECK(replaced("a b; a/b", swap).value() == "b a; b/a");
}

TEST_CASE("pieces_that_overlap_are_an_error") {
  const replacement both[] = {{"a b", "x"}, {"b c", "y"}};
  REQUIRE_FALSE(replaced("a b c", both).has_value());
  CHECK(replaced("a b c", both).error().find("overlaps") != std::string::npos);
  CHECK(replaced("a b b c", both).value() == "x y");
}

TEST_CASE("pieces_that_can_t_tell_slots_apart_are_refused") {
  struct {
    std::string name;
    std::vector<std::string> blue, green;
    std::string problem;
  } const cases[] = {
      {"good", {"server a:1;", "blue"}, {"server a:2;", "green"}, ""},
      {"a common beginning", {"127.0.0.1:8000"}, {"127.0.0.1:80001"}, ""},
      {"a common beginning by a dash", {"api"}, {"api-2"}, ""},
      {"within", {"blue"}, {"/srv/blue;"}, "the piece \"blue\" of slot blue occurs within \"/srv/blue;\" of slot green"},
      {"within, the other way", {"server a; down;"}, {"server a;"}, "occurs within"},
      {"within its own", {"server a:1;", "a:1;"}, {"server b:1;", "b:2;"}, "occurs within"},
      {"equal", {"same", "a"}, {"same", "b"}, "the piece \"same\" of slot blue is also one of slot green"},
      {"equal in one slot", {"a", "a"}, {"b", "c"}, "is also one of slot blue"},
      {"counts", {"a", "b"}, {"c"}, "slot blue has 2 pieces of text and slot green has 1"},
      {"none", {"a"}, {}, "slot green has no pieces"},
      {"empty", {"a", " "}, {"b", "c"}, "a piece of text of slot blue is empty"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const pieces_of_slot slots[] = {{"blue", c.blue}, {"green", c.green}};
    const auto problems = problems_with(slots);
    CHECK(problems.empty() == c.problem.empty());
    if (!c.problem.empty() && !problems.empty()) CHECK(problems.front().find(c.problem) != std::string::npos);
  }
}
