#include "agent/config/runbook_variables.hpp"
#include "agent/config/validate.hpp"
#include "probes/registry.hpp"
#include "tests/agent/config/text_file.hpp"

#include <fmt/format.h>

#include <set>

// A variable that holds a password is put where none belongs, in every key that there is, and a URL with one is written out there: no
// message shows it. The keys are those that the readers say they know.

using namespace flipback;

namespace {

constexpr std::string_view unheard_of = "qqqqqqqqqqqqqqqq";

std::string problems_of(const std::string& text) {
  const config::text_file file(text);
  settings::diagnostics problems;
  config::validate(file.path(),
                   {{{"DATABASE_URL", "postgresql://api:hunter2@db:5432/estate?token=hunter2"},
                     {"BY_USER", "redis://hunter2@cache/0?token=hunter2"},
                     {"HALF", "redis://:hunter2"},
                     {"PLAIN", "hunter2@cache:6379"}}},
                   problems);
  std::string all;
  for (const settings::problem& p : problems.sorted()) all += p.says + "\n";
  return all;
}

/// The keys of a table, which its reader lists where one is unknown that is near to none.
std::set<std::string> keys_of(const std::string& table) {
  const std::string problems = problems_of(fmt::format("{}{} = 1\n", table, unheard_of));
  constexpr std::string_view before = ": is unknown here; expected one of ";
  const std::size_t at = problems.find(before);
  CAPTURE(problems);
  REQUIRE(at != std::string::npos);
  std::set<std::string> keys;
  std::string_view list = std::string_view(problems).substr(at + before.size());
  list = list.substr(0, list.find('\n'));
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    keys.emplace(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return keys;
}

constexpr std::string_view values[] = {"${DATABASE_URL}",
                                       "${BY_USER}",
                                       "${HALF}",
                                       "${PLAIN}",
                                       "postgresql://api:hunter2@db:5432/estate?token=hunter2",
                                       "redis://hunter2@cache/0?token=hunter2",
                                       "https://cache/0?a=hunter2&token=hunter2#hunter",
                                       "redis://:hunter2"};

void walk(const std::string& table) {
  for (const std::string& key : keys_of(table)) {
    for (const std::string_view value : values) {
      for (const std::string_view written : {"{} = \"{}\"\n", "{} = [\"{}\"]\n", "{} = {{ a = \"{}\" }}\n"}) {
        const std::string text = table + fmt::format(fmt::runtime(written), key, value);
        CAPTURE(text);
        CHECK_FALSE(problems_of(text).contains("hunter2"));
      }
    }
  }
}

}  // namespace

TEST_CASE("no_key_of_any_probe_shows_a_password_that_stands_in_the_wrong_place") {
  for (const probe_kind& kind : probe_kinds()) walk(fmt::format("[probes.a]\ntype = \"{}\"\n", kind.type));
}

TEST_CASE("no_key_of_any_other_table_shows_a_password_that_stands_in_the_wrong_place") {
  const std::string slots = "[slots.blue]\nurl = \"http://127.0.0.1:8000\"\n[slots.green]\nurl = \"http://127.0.0.1:8001\"\n";
  for (const char* table : {"[agent]\n", "[record]\n", "[nginx]\n", "[[rules]]\n"}) walk(table);
  walk(slots + "[deployment]\n");
  walk(slots + "[deployment.front_door]\n");
  walk("[slots.blue]\n");
}

TEST_CASE("no_variable_shows_a_password_that_stands_in_the_wrong_place") {
  for (const config::runbook_row& row : config::runbook_rows()) {
    for (const std::string_view value : {"postgresql://api:hunter2@db:5432/estate?token=hunter2", "redis://hunter2@cache/0?token=hunter2",
                                         "redis://:hunter2", "hunter2@cache:6379", "api:hunter2@cache/x y"}) {
      settings::diagnostics problems;
      const config::environment set{{"PROMETHEUS_URL", "http://127.0.0.1:9090"}, {std::string(row.variable), std::string(value)}};
      const config::configuration read = config::validate("", {set}, problems);
      CAPTURE(row.variable);
      CAPTURE(value);
      for (const settings::problem& p : problems.sorted()) CHECK_FALSE(settings::to_string(p).contains("hunter2"));
      for (const std::string& note : read.notes) CHECK_FALSE(note.contains("hunter2"));
    }
  }
}

TEST_CASE("a_host_is_a_name_or_an_address_and_what_else_it_is_is_said_without_it") {
  struct row {
    std::string_view table;
    std::string_view says;
  };
  constexpr std::string_view url =
      "found a URL in \"${DATABASE_URL}\", which is not shown: a password may be in it; expected a host's name or address "
      "alone\n";
  constexpr row rows[] = {
      {"[probes.a]\ntype = \"redis\"\nhost = \"${DATABASE_URL}\"\n", "probes.a.host: "},
      {"[probes.a]\ntype = \"postgres\"\nhost = \"${DATABASE_URL}\"\n", "probes.a.host: "},
      {"[probes.a]\ntype = \"http\"\nurl = \"http://a\"\nhost = \"${DATABASE_URL}\"\n", "probes.a.host: "},
      {"[probes.a]\ntype = \"http\"\nurl = \"https://a\"\nserver_name = \"${DATABASE_URL}\"\n", "probes.a.server_name: "},
  };
  for (const row& r : rows) {
    CAPTURE(r.table);
    CHECK(problems_of(std::string(r.table)) == fmt::format("{}{}", r.says, url));
  }
  CHECK(problems_of("[probes.a]\ntype = \"redis\"\nhost = \"hunter2@cache\"\n") ==
        "probes.a.host: found a text with @ in it, which is not shown: a password may be in it; expected a host's name or address alone\n");
  CHECK(problems_of("[probes.a]\ntype = \"tcp\"\naddress = \"${PLAIN}\"\n") ==
        "probes.a.address: found \"${PLAIN}\", which has a text with @ in it in the place of its host; expected host:port such as "
        "\"127.0.0.1:5432\", or unix:/path\n");
}
