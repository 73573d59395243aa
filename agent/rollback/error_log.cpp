#include "agent/rollback/error_log.hpp"

#include <charconv>

namespace flipback::rollback {

namespace {

/// Whether the text begins with the pattern, in which 0 stands for any digit.
bool looks_like(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == '0' ? !digit : text[i] != pattern[i]) return false;
  }
  return true;
}

/// Takes a process number and the sign after it off the front.
std::optional<pid_t> take_number(std::string_view& text, std::string_view sign) {
  pid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number <= 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(sign)) return std::nullopt;
  text.remove_prefix(sign.size());
  return number;
}

}  // namespace

std::optional<error_entry> error_entry_in(std::string_view line) {
  constexpr std::string_view beginning = "0000/00/00 00:00:00 [";
  if (!looks_like(line, beginning)) return std::nullopt;
  line.remove_prefix(beginning.size());
  const std::size_t level_ends = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
  if (level_ends == std::string_view::npos || !line.substr(level_ends).starts_with("] ")) return std::nullopt;
  error_entry made;
  made.level = line.substr(0, level_ends);
  line.remove_prefix(level_ends + 2);
  const auto pid = take_number(line, "#");
  if (!pid || !take_number(line, ": ")) return std::nullopt;
  made.pid = *pid;
  made.rest = line;
  return made;
}

void error_log::mark(const std::string& path) {
  found_.clear();
  tail_ = std::make_unique<access_log::tail>(path);
  tail_->start_near_end(0);
  // Opens the file: what is renamed from here on is still read to its end.
  (void)tail_->read([](std::string_view) {});
}

std::string error_log::emerg_since_mark(pid_t of) {
  if (!tail_ || !found_.empty()) return found_;
  const auto take = [&](std::string_view line) {
    const auto entry = error_entry_in(line);
    if (entry && entry->level == "emerg" && entry->pid == of && found_.empty()) found_ = line;
  };
  auto more = tail_->read(take);
  for (std::size_t taken = access_log::tail::most_at_once; more && *more && found_.empty() && taken < most;
       taken += access_log::tail::most_at_once)
    more = tail_->read(take);
  return found_;
}

}  // namespace flipback::rollback
