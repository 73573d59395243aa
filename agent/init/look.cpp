#include "agent/init/look.hpp"

#include "flipback/small_file.hpp"

#include "agent/init/look_at_nginx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace flipback::init {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> names_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ended;
  for (fs::directory_iterator at(folder, ended); !ended && at != fs::directory_iterator(); at.increment(ended)) found.push_back(at->path());
  std::ranges::sort(found);
  return found;
}

bool is_there(const fs::path& file) {
  std::error_code unseen;
  return fs::exists(file, unseen) && !fs::is_directory(file, unseen);
}

/// docker-compose.yml and its like; of production where each environment has its own.
std::vector<fs::path> compose_files_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::path& path : names_in(folder)) {
    const std::string name = path.filename().string();
    const bool is_named_so = name.starts_with("docker-compose") || name.starts_with("compose");
    if (is_named_so && (name.ends_with(".yml") || name.ends_with(".yaml")) && is_there(path)) found.push_back(path);
  }
  const auto is_of = [](std::string_view which) { return [which](const fs::path& p) { return p.filename().string().contains(which); }; };
  if (std::ranges::none_of(found, is_of("prod"))) return found;
  std::erase_if(found, [&](const fs::path& p) {
    return std::ranges::any_of(std::array{"staging", "dev", "test", "local"}, [&](const char* other) { return is_of(other)(p); });
  });
  return found;
}

void look_at_compose_files(const std::vector<fs::path>& folders, host& seen) {
  for (const fs::path& folder : folders) {
    for (const fs::path& path : compose_files_in(folder)) {
      if (auto text = read_small_file(path.string()))
        seen.compose_files.push_back({path.string(), *std::move(text)});
      else
        seen.untold.push_back(fmt::format("what runs by {}: {}", path.string(), text.error()));
    }
  }
}

/// The runbook has .env.production and .env.staging; most others have .env.
std::optional<fs::path> env_file_in(const fs::path& folder) {
  for (const char* name : {".env.production", ".env", ".env.staging"}) {
    if (is_there(folder / name)) return folder / name;
  }
  return std::nullopt;
}

void look_at_env_files(const std::vector<fs::path>& folders, host& seen) {
  std::vector<config::env_file> files;
  for (const fs::path& folder : folders) {
    const auto path = env_file_in(folder);
    if (!path) continue;
    if (const auto text = read_small_file(path->string())) {
      files.push_back({path->string(), {}});
      seen.env_files.push_back(path->string());
    } else {
      seen.untold.push_back(fmt::format("what {} sets: {}", path->string(), text.error()));
    }
  }
  settings::diagnostics read_before;
  seen.variables = config::read_env_files(files, {}, read_before);
  for (const auto& [name, value] : config::process_environment()) {
    if (const auto at = seen.variables.set.find(name); at != seen.variables.set.end()) at->second = value;
  }
}

/// Not with read_small_file: what is in /proc has no size.
std::string contents_of(const fs::path& file) {
  std::ifstream from(file);
  std::ostringstream text;
  if (from) text << from.rdbuf();
  return std::move(text).str();
}

template <typename Number>
std::optional<Number> hexadecimal(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::set<std::uint16_t> listening_in(std::string_view table) {
  constexpr std::string_view listens = "0A";
  constexpr std::array<std::string_view, 4> ours{"00000000", "0100007F", "00000000000000000000000000000000",
                                                 "00000000000000000000000001000000"};
  std::set<std::uint16_t> found;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    words >> number >> local >> remote >> state;
    const std::size_t colon = local.find(':');
    if (state != listens || colon == std::string::npos || std::ranges::find(ours, local.substr(0, colon)) == ours.end()) continue;
    if (const auto port = hexadecimal<std::uint16_t>(std::string_view(local).substr(colon + 1))) found.insert(*port);
  }
  return found;
}

places usual_places() {
  places made;
  std::error_code unknown;
  made.folders.push_back(fs::current_path(unknown));
  for (const fs::path& path : names_in("/opt")) {
    if (fs::is_directory(path, unknown) && path != made.folders.front()) made.folders.push_back(path);
  }
  const char* const path = std::getenv("PATH");
  std::istringstream each(path == nullptr ? "" : path);
  for (std::string folder; std::getline(each, folder, ':');) {
    if (folder.starts_with('/')) made.programs.emplace_back(folder);
  }
  made.programs.insert(made.programs.end(), {"/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", "/sbin"});
  return made;
}

host look(const places& at) {
  host seen;
  look_at_env_files(at.folders, seen);
  look_at_nginx(at.programs, seen);
  look_at_compose_files(at.folders, seen);
  for (const char* table : {"tcp", "tcp6"}) seen.listening.merge(listening_in(contents_of(at.proc / "net" / table)));
  return seen;
}

}  // namespace flipback::init
