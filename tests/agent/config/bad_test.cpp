#include "agent/config/validate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

// Every configuration in bad/ gives exactly the lines in its .expected file. FLIPBACK_UPDATE_GOLDEN=1 writes them anew.

using namespace flipback;

namespace {

const std::filesystem::path folder = std::filesystem::path(FLIPBACK_TEST_DATA) / "config/bad";

/// What the configurations find in the environment. The secrets must show up in no message.
const config::environment variables{{"POSTGRES_HOST", "127.0.0.1"},
                                    {"POSTGRES_PASSWORD", "hunter2-from-the-environment"},
                                    {"INTERVAL", "hunter2-from-the-environment"},
                                    {"EMPTY", ""},
                                    {"PORT", "70000"}};

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Messages name files as they were given, so the tests run where the configurations are.
struct in_folder {
  std::filesystem::path before = std::filesystem::current_path();
  in_folder() { std::filesystem::current_path(folder); }
  ~in_folder() { std::filesystem::current_path(before); }
  in_folder(const in_folder&) = delete;
  in_folder& operator=(const in_folder&) = delete;
};

std::string problems_of(const std::string& file) {
  settings::diagnostics problems;
  config::validate(file, {variables}, problems);
  std::string all;
  for (const settings::problem& p : problems.sorted()) all += settings::to_string(p) + "\n";
  return all;
}

std::vector<std::filesystem::path> bad_configurations() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") all.push_back(entry.path());
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace

TEST_CASE("bad_configurations_give_exactly_their_messages") {
  const in_folder there;
  const bool update = std::getenv("FLIPBACK_UPDATE_GOLDEN") != nullptr;
  const auto files = bad_configurations();
  CHECK(files.size() >= 40);
  for (const std::filesystem::path& file : files) {
    CAPTURE(file.filename().string());
    const std::string found = problems_of(file.filename().string());
    auto expected = file;
    expected.replace_extension(".expected");
    if (update) std::ofstream(expected, std::ios::binary) << found;
    CHECK(found == contents(expected));
    CHECK(!found.empty());
    CHECK(!found.contains("hunter2"));
  }
}
