#include "agent/rollback/switches/files.hpp"

#include "agent/rollback/attributes.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/switches/links.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>

namespace flipback::rollback {

namespace {

constexpr std::string_view no_file = "this is no change of a file, and the switch of this host is one of files";

}  // namespace

asio::awaitable<void> file_switch::refresh() {
  co_return;
}

asio::awaitable<change_state> file_switch::state_of(const change& c) {
  const auto* file = std::get_if<file_change>(&c);
  if (file == nullptr) co_return change_state{.is = change_state::kind::cant_tell, .says = std::string(no_file)};
  co_return rollback::state_of(*file, in_place_);
}

asio::awaitable<put_result> file_switch::put(const change& c, end to) {
  const auto* file = std::get_if<file_change>(&c);
  if (file == nullptr) co_return put_result{.is = put_result::kind::failed, .says = std::string(no_file)};
  co_return put_file(*file, to, in_place_);
}

void file_switch::stage(slot_number to) {
  const auto changes = changes_to(to);
  if (!changes) return;
  for (const change& c : *changes) {
    const auto* file = std::get_if<file_change>(&c);
    const bool goes_beside =
        file != nullptr && file->after.is == file_image::kind::regular && !(in_place_ && file->before.is == file_image::kind::regular);
    // Where there is no room, `obstacles` says so.
    if (goes_beside) static_cast<void>(rollback::stage(file->path, file->after.bytes.size()));
  }
}

std::string file_switch::obstacle_to_write(const std::string& path) const {
  if (!by_helper_) return obstacle_to_put(path, in_place_);
  const auto now = read_image(path);
  if (!now) return now.error();
  return in_place_ && now->is == file_image::kind::regular ? "" : fixed_in_place(path);
}

void file_switch::unstage() {
  for (const std::string& path : changed_paths()) rollback::unstage(path);
}

void file_switch::sweep() {
  for (const std::string& path : changed_paths()) rollback::sweep(path);
}

std::vector<std::string> paths_of(std::span<const config::live_file> files) {
  std::vector<std::string> paths;
  for (const config::live_file& f : files) paths.push_back(f.live);
  return paths;
}

std::vector<std::string> with_files_behind(std::span<const config::live_file> files) {
  std::vector<std::string> paths;
  for (const config::live_file& f : files) {
    paths.push_back(f.live);
    if (auto real = leads_to(f.live); real && *real != f.live) paths.push_back(std::move(*real));
  }
  return paths;
}

std::string second_name(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_nlink < 2) return "";
  return fmt::format("{} has {} names (hard links): a switch replaces the file under this one, and leaves the others as they are", path,
                     found.st_nlink);
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) all += i + 1 == names.size() ? " and " : ", ";
    all += names[i];
  }
  return all;
}

void add_once(std::vector<std::string>& sentences, std::string sentence) {
  if (sentence.empty() || std::ranges::find(sentences, sentence) != sentences.end()) return;
  sentences.push_back(std::move(sentence));
}

}  // namespace flipback::rollback
