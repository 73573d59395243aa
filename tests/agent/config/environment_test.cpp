#include "agent/config/environment.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace flipback;

namespace {

/// A file that goes with the test.
struct file {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("flipback-env-" + std::to_string(::getpid()));
  explicit file(std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
  ~file() { std::filesystem::remove(path); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
};

config::variables read_from(const file& written, const config::environment& process = {}) {
  settings::diagnostics problems;
  config::variables read = config::read_env_files({{written.path, {}}}, process, problems);
  CHECK(problems.clean());
  return read;
}

std::string value_in(std::string_view line) {
  const file written(line);
  const config::variables read = read_from(written);
  if (const auto set = read.set.find("A"); set != read.set.end()) return set->second;
  return read.notes.empty() ? "not set" : read.notes[0].substr(written.path.string().size());
}

std::string interpolated(std::string text, const config::variables& with) {
  settings::node of{std::move(text), {"a.toml", 1, 1}, 0};
  settings::diagnostics problems;
  config::interpolate(of, "key", with, problems);
  return problems.clean() ? std::get<std::string>(of.value) : problems.sorted()[0].says;
}

}  // namespace

TEST_CASE("env_files_are_read_as_others_read_them") {
  struct row {
    std::string_view line;
    std::string_view value;
  };
  constexpr row rows[] = {
      {"A=1", "1"},
      {"  A = 1  ", "1"},
      {"export A=1", "1"},
      {"A=1\r", "1"},
      {"A=", ""},
      {"A=#", ""},
      {"A=one two", "one two"},
      {"A=one # two", "one"},
      {"A=one#two", "one#two"},
      {"A=one=two", "one=two"},
      {"A='one # two'", "one # two"},
      {R"(A='one\n$B' # c)", R"(one\n$B)"},
      {R"(A="one \"two\" \\ \n\t\$B\x" # c)", "one \"two\" \\ \n\t$B\\x"},
      {"# A=1", "not set"},
      {"", "not set"},
      {"A=1\nA=2", "2"},
      {"\xEF\xBB\xBF"
       "A=1",
       "1"},
      {"A=1\r\nB=2\r\n", "1"},
      {"A=\"one\ntwo\"\nB=2", "one\ntwo"},
      {"A=\"one\r\ntwo\r\n\"", "one\ntwo\n"},
      {"A='one\n# two'  # c\nB=2", "one\n# two"},
      {"A=\n\"B\"", ""},
      {"[A]\nA=1", "1"},
      {"A.b=1\nA-c=2\nA=3", "3"},
      {"A='one\nB='two'\nA=3", "3"},
      {"A", ": passed over line 1 (has no =)"},
      {"A B=1", ": passed over line 1 (expected NAME=value)"},
      {"=1", ": passed over line 1 (expected NAME=value)"},
      {"1A=1", ": passed over line 1 (expected NAME=value)"},
      {"a.b=1\n\nc-d=2", ": passed over line 1 (expected NAME=value), line 3 (expected NAME=value)"},
      {"[A]\n[A]\n[A]\n[A]\n[A]\n[A]\n[A]",
       ": passed over line 1 (expected NAME=value), line 2 (expected NAME=value), line 3 (expected NAME=value), line 4 (expected "
       "NAME=value), "
       "line 5 (expected NAME=value) and 2 more"},
      {"A='one", ": passed over line 1 (A: its quote is never closed)"},
      {"B=\"x\ny\"\nA=\"one", ": passed over line 3 (A: its quote is never closed)"},
      {"A=\"one\\\"", ": passed over line 1 (A: its quote is never closed)"},
      {"A=1\nA='one' two", ": passed over line 2 (A: there is something after its closing quote)"},
  };
  for (const row& r : rows) {
    CAPTURE(r.line);
    CHECK(value_in(r.line) == r.value);
  }
}

TEST_CASE("variables_are_put_in_their_places") {
  struct row {
    std::string_view text;
    std::string_view made;
  };
  constexpr row rows[] = {
      {"plain", "plain"},
      {"${A}", "one"},
      {"<${A}${B_2}>", "<onetwo>"},
      {"$A", "$A"},
      {"a$", "a$"},
      {"$$", "$"},
      {"$${A}", "${A}"},
      {"$$${A}", "$one"},
      {"${DOLLAR}", "${A}"},  // once, not again in what it gave
      {"${A:-x}", "one"},
      {"${EMPTY}", ""},
      {"${EMPTY:-x}", "x"},
      {"${C:-}", ""},
      {"${C:-http://h:1/}", "http://h:1/"},
      {"${C}", "key: C is set neither in the environment nor in an env file"},
      {"${B2}", "key: B2 is set neither in the environment nor in an env file; did you mean B_2?"},
      {"${A", "key: found \"${\" without its \"}\"; write $$ for a plain $"},
      {"${A-x}", "key: found \"${A-x}\", expected \"${NAME}\" or \"${NAME:-default}\"; write $$ for a plain $"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    CHECK(interpolated(std::string(r.text), {{{"A", "one"}, {"B_2", "two"}, {"EMPTY", ""}, {"DOLLAR", "${A}"}}, {}, {}}) == r.made);
  }
}

TEST_CASE("a_line_that_is_not_understood_is_an_error_where_its_name_is_used") {
  const file written("A='one' two\nBARE\nB=2\nC='");
  const config::variables read = read_from(written, {{"C", "of the process"}});
  const std::string place = written.path.string();
  CHECK(interpolated("${B}", read) == "2");
  CHECK(interpolated("${C}", read) == "of the process");
  CHECK(interpolated("${A}", read) == "key: A can't be read: " + place + ":1: there is something after its closing quote");
  CHECK(interpolated("${A:-x}", read) == "key: A can't be read: " + place + ":1: there is something after its closing quote");
  CHECK(interpolated("${BARE}", read) == "key: BARE is not set: " + place + ":2: has no value there");
  CHECK(interpolated("${BARE:-x}", read) == "x");
}
