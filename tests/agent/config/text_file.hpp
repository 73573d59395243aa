#pragma once

#include "agent/config/configuration.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace flipback::config {

/// A configuration's text in a file of its own, which goes with the object.
class text_file {
 public:
  explicit text_file(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("flipback-config-" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~text_file() { std::filesystem::remove(path_); }
  text_file(const text_file&) = delete;
  text_file& operator=(const text_file&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What a text says, and every problem in it, a line each.
struct read_text {
  configuration is;
  std::string problems;
};
inline read_text read_of(const std::string& text) {
  const text_file file(text);
  settings::diagnostics problems;
  read_text made{load(file.path(), {}, problems), {}};
  for (const settings::problem& p : problems.sorted()) made.problems += p.says + "\n";
  return made;
}

/// What a good text says.
inline configuration good(const std::string& text) {
  read_text made = read_of(text);
  CAPTURE(text);
  CHECK(made.problems == "");
  return std::move(made.is);
}

}  // namespace flipback::config
