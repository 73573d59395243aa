#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

/// Real files in a folder that goes with the test.
namespace flipback::test {

namespace fs = std::filesystem;

struct folder {
  explicit folder(const fs::path& under = fs::temp_directory_path()) {
    std::string name = (under / "flipback-XXXXXX").string();
    at = fs::canonical(::mkdtemp(name.data()));
    ::chmod(at.c_str(), 0755);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    fs::remove_all(at, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (at / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((at / name).parent_path());
    std::ofstream(at / name, std::ios::binary) << text;
    return path(name);
  }
  std::string link(const std::string& name, const std::string& target) const {
    fs::create_directories((at / name).parent_path());
    fs::create_symlink(target, at / name);
    return path(name);
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(at / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::set<std::string> names(const std::string& within = "") const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(at / within)) found.insert(entry.path().filename().string());
    return found;
  }

  fs::path at;
};

}  // namespace flipback::test
