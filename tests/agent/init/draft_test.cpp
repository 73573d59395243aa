#include "agent/init/draft.hpp"

#include "agent/config/toml.hpp"
#include "agent/init/look.hpp"
#include "agent/init/settle.hpp"
#include "agent/init/toml_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace flipback;

namespace {

std::string text_read(const std::string& toml) {
  settings::diagnostics problems;
  const settings::node read = config::parse_toml("x = " + toml, "test", problems);
  REQUIRE(problems.clean());
  return std::get<std::string>(std::get<settings::table>(read.value).at("x").value.front().value);
}

}  // namespace

TEST_CASE("what_is_quoted_is_read_as_it_was") {
  for (const std::string text : {"plain", "a\"b\\c", "line\nbreak\ttab", "\x7f\x01", "umläut", "]\n[agent]\n"}) {
    CAPTURE(text);
    CHECK(text_read(init::in_toml(text)) == text);
  }
  CHECK(init::escaped("$a ${b} $$ $") == "$a $${b} $$$ $");
}

TEST_CASE("a_comment_has_no_line_without_its_mark") {
  for (const std::string& text : {std::string("a\nb"), std::string("a\r[agent]"), std::string(500, 'x'), std::string("\n\n"),
                                  "a b " + std::string(300, 'y') + " c", std::string("\xff\xfe\x80")}) {
    std::string made = init::as_comment(text) + init::switched_off(text);
    CHECK(made.starts_with('#'));
    for (std::size_t at = made.find('\n'); at + 1 < made.size(); at = made.find('\n', at + 1)) CHECK(made[at + 1] == '#');
    CHECK(std::ranges::count(made, '\r') == 0);
  }
}

TEST_CASE("a_host_that_shows_nothing_has_its_disk") {
  init::draft made = init::drafted({});
  init::settle(made);
  const std::string text = init::text_of(made);
  CHECK(text.contains("\n[probes.disk]\n"));
  CHECK(text.contains("\n# [deployment]\n"));
}

TEST_CASE("what_the_reader_does_not_take_is_switched_off_with_its_reason") {
  init::draft made;
  made.passages = {{"good", "[probes.a]\ntype = \"tcp\"\naddress = \"127.0.0.1:1\"\n", ""},
                   {"bad", "[probes.b]\ntype = \"tcp\"\n", ""},
                   {"no TOML", "[probes\n", ""},
                   {"good too", "[probes.c]\ntype = \"tcp\"\naddress = \"127.0.0.1:1\"\n", ""}};
  init::settle(made);
  CHECK(made.passages[0].why_off.empty());
  CHECK(made.passages[1].why_off.contains("probes.b.address"));
  CHECK_FALSE(made.passages[2].why_off.empty());
  CHECK(made.passages[3].why_off.empty());
  CHECK(made.untold.size() == 2);
}

TEST_CASE("a_secret_is_named_and_not_written") {
  init::host seen;
  seen.variables.set = {{"REDIS_URL", "redis://:hunter2@cache:6379"},
                        {"REDIS_PASSWORD", "hunter2"},
                        {"NEO4J_URI", "bolt://h"},
                        {"NEO4J_AUTH", "neo4j/hunter2"}};
  const init::draft made = init::drafted(seen);
  const std::string text = init::text_of(made);
  CHECK_FALSE(text.contains("hunter2"));
  CHECK(text.contains("url = \"${REDIS_URL}\"\npassword = \"${REDIS_PASSWORD}\"\n"));
  CHECK(std::ranges::any_of(made.untold,
                            [](const std::string& u) { return u.starts_with("probes.neo4j: password is a part of NEO4J_AUTH"); }));
}

TEST_CASE("ports_that_listen_on_this_host_are_known_from_procs_table") {
  const std::string table =
      "  sl  local_address rem_address   st\n"
      "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000\n"
      "   1: 00000000:18EB 00000000:0000 0A 0\n"
      "   2: 0100007F:2384 0100007F:9999 01 0\n"
      "   3: 0A00000A:1F90 00000000:0000 0A 0\n"
      "   4: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0\n"
      "   5: garbage\n";
  CHECK(init::listening_in(table) == std::set<std::uint16_t>{5432, 6379, 3000});
}
