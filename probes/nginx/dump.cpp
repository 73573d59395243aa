#include "probes/nginx/dump.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

namespace flipback::nginx {

namespace {

constexpr std::string_view head = "# configuration file ";
constexpr std::size_t deepest = 16;  // of includes; nginx refuses a file that includes itself

struct parsed_file {
  std::vector<directive> all;
  bool is_included = false;
};

class including {
 public:
  explicit including(const std::vector<dumped_file>& files) : below_(std::filesystem::path(files.front().path).parent_path()) {
    for (const dumped_file& f : files) files_.emplace(f.path, parsed_file{parse_directives(f.text), false});
  }

  void put(const std::string& path, std::size_t depth, std::size_t turns, std::vector<directive>& into) {
    parsed_file& file = files_.at(path);
    file.is_included = true;
    for (const directive& d : file.all) {
      if (into.size() >= most) return;
      into.push_back({d.words, d.depth + depth});
      if (d.words.size() == 2 && d.words.front() == "include" && turns < deepest)
        include((below_ / d.words[1]).lexically_normal().string(), d.depth + depth, turns + 1, into);
    }
  }
  /// What no include was found for, so that nothing is lost.
  void put_rest(std::vector<directive>& into) {
    for (const auto& [path, file] : files_) {
      if (!file.is_included) into.insert(into.end(), file.all.begin(), file.all.end());
    }
  }

 private:
  /// Directives. Files that include each other in several places multiply with each turn: nginx would come to no end of them, either.
  static constexpr std::size_t most = 200'000;

  void include(const std::string& pattern, std::size_t depth, std::size_t turns, std::vector<directive>& into) {
    for (const auto& [path, file] : files_) {
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) put(path, depth, turns, into);
    }
  }

  std::filesystem::path below_;
  std::map<std::string, parsed_file> files_;  ///< sorted, as nginx includes what a pattern matches
};

}  // namespace

std::vector<dumped_file> files_in(std::string_view dump) {
  std::vector<dumped_file> found;
  while (!dump.empty()) {
    const std::string_view line = dump.substr(0, dump.find('\n'));
    dump.remove_prefix(std::min(line.size() + 1, dump.size()));
    if (line.starts_with(head) && line.ends_with(':'))
      found.push_back({std::string(line.substr(head.size(), line.size() - head.size() - 1)), {}});
    else if (!found.empty())
      found.back().text.append(line).append("\n");
  }
  return found;
}

std::vector<directive> parse_dump(std::string_view dump) {
  const std::vector<dumped_file> files = files_in(dump);
  if (files.empty()) return parse_directives(dump);
  std::vector<directive> all;
  including reader(files);
  reader.put(files.front().path, 0, 0, all);
  reader.put_rest(all);
  return all;
}

}  // namespace flipback::nginx
