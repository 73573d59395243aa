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

std::string value_in(std::string_view line) {
  const file written(line);
  config::environment read;
  settings::diagnostics problems;
  config::read_env_files({{written.path, {}}}, read, problems);
  if (!problems.clean()) return problems.sorted()[0].says;
  return read.contains("A") ? read["A"] : "not set";
}

std::string interpolated(std::string text) {
  const config::environment with{{"A", "one"}, {"B_2", "two"}, {"EMPTY", ""}, {"DOLLAR", "${A}"}};
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
      {"A", "expected NAME=value"},
      {"A B=1", "expected NAME=value"},
      {"=1", "expected NAME=value"},
      {"1A=1", "expected NAME=value"},
      {"A='one", "A: its quote is not closed on the same line"},
      {"A=\"one", "A: its quote is not closed on the same line"},
      {"A=\"one\\\"", "A: its quote is not closed on the same line"},
      {"A='one' two", "A: there is something after its closing quote"},
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
    CHECK(interpolated(std::string(r.text)) == r.made);
  }
}
