#include "agent/rollback/command_result.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <regex>

namespace flipback::rollback {

namespace {

constexpr int by_a_signal = 128;
constexpr int last_signal = 64;

/// How it ended; empty where it exited 0.
std::string how_it_ended(const ran& came_to, std::string_view what) {
  if (!came_to) return came_to.error();
  if (came_to->timed_out) return fmt::format("{} did not end in time{}", what, last_words(came_to->output));
  if (came_to->status > by_a_signal && came_to->status <= by_a_signal + last_signal)
    return fmt::format("{} was ended by signal {}{}", what, came_to->status - by_a_signal, last_words(came_to->output));
  if (came_to->status != 0) return fmt::format("{} exited {}{}", what, came_to->status, last_words(came_to->output));
  return {};
}

/// Whether a line of nginx's own says so: "nginx: configuration file … test failed".
bool says_test_failed(std::string_view output) {
  while (!output.empty()) {
    const std::string_view line = output.substr(0, output.find('\n'));
    output.remove_prefix(std::min(line.size() + 1, output.size()));
    const std::string_view whole = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (whole.contains(": configuration file ") && whole.ends_with(" test failed")) return true;
  }
  return false;
}

}  // namespace

std::string last_words(std::string_view output) {
  constexpr std::size_t most = 400;
  while (output.ends_with('\n') || output.ends_with('\r')) output.remove_suffix(1);
  if (output.empty()) return {};
  const bool cut = output.size() > most;
  // Each run has another time and process: the same refusal is to read the same.
  static const std::regex when_and_who(R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\[[a-z]{1,6}\]) \d{1,10}#\d{1,10}: )");
  const std::string end(output.substr(cut ? output.size() - most : 0));
  return fmt::format(": {}{}", cut ? "…" : "", flipback::quoted(std::regex_replace(end, when_and_who, "$1 "), {}, most));
}

done reload_result(const ran& came_to, std::string_view what) {
  const std::string ended = how_it_ended(came_to, what);
  return ended.empty() ? done{answer::yes, {}} : done{answer::cant_tell, ended};
}

done test_result(const ran& came_to, std::string_view what, bool as_root) {
  const std::string ended = how_it_ended(came_to, what);
  if (ended.empty()) return {answer::yes, {}};
  const bool refused = came_to && !came_to->timed_out && came_to->status < by_a_signal && says_test_failed(came_to->output);
  if (!refused) return {answer::cant_tell, ended};
  const auto says = [&](std::string_view what) { return came_to->output.contains(what); };
  // The first is nginx's of its files, the second OpenSSL's of keys.
  const bool may_not_read = says("(13: Permission denied)") || says("system library::Permission denied");
  if (!as_root && may_not_read)
    return {answer::cant_tell,
            fmt::format("{}; set [nginx] helper, or test_command to what may read nginx's files, or run as root", ended)};
  if (says("(30: Read-only file system)"))
    return {answer::cant_tell, fmt::format("{}; let what tests nginx write there, as nginx itself may (systemd: ReadWritePaths=)", ended)};
  return {answer::no, ended};
}

namespace {

constexpr std::string_view refusal = "nginx refuses its configuration as it is: ";

}  // namespace

bool is_a_refusal(std::string_view obstacle) {
  return obstacle.starts_with(refusal);
}

std::string obstacle_by(const done& tested, const std::vector<std::string>& typed) {
  if (tested.is == answer::cant_tell) return fmt::format("nginx's configuration can't be tested: {}", tested.says);
  if (tested.is == answer::yes) return {};
  return fmt::format(
      "{}{}; type `{}`, and mend it; or, where that stands in a file that a rollback replaces, "
      "`flipback rollback --reason TEXT`, which takes back what it put there where nginx refuses that, too",
      refusal, tested.says, as_typed(typed));
}

}  // namespace flipback::rollback
