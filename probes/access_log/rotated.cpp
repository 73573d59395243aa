#include "probes/access_log/rotated.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace flipback::access_log {

namespace {

/// "1", "20261126", "2026-11-26-1795491858": not "api.log", which is a log of its own.
bool is_number_or_date(std::string_view text) {
  constexpr std::string_view allowed = "0123456789-_.";
  return !text.empty() && text.front() >= '0' && text.front() <= '9' && text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::vector<rotated> rotated_of(const std::string& path) {
  std::vector<rotated> found;
  const std::filesystem::path log(path);
  const std::string name = log.filename().string();
  std::error_code gone;
  std::filesystem::directory_iterator entry(log.parent_path(), gone);
  for (; !gone && entry != std::filesystem::directory_iterator(); entry.increment(gone)) {
    const std::string other = entry->path().filename().string();
    if (!other.starts_with(name) || other.size() < name.size() + 2) continue;
    const char separator = other[name.size()];
    if ((separator != '.' && separator != '-') || !is_number_or_date(std::string_view(other).substr(name.size() + 1))) continue;
    rotated one{.path = entry->path().string(), .is = {}};
    if (::stat(one.path.c_str(), &one.is) == 0 && S_ISREG(one.is.st_mode)) found.push_back(std::move(one));
  }
  std::ranges::sort(found, std::ranges::greater{}, [](const rotated& r) { return written_at(r.is); });
  return found;
}

}  // namespace flipback::access_log
