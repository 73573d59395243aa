#include "agent/cli/watch.hpp"

#include "flipback/descriptor.hpp"
#include "flipback/one_line.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace flipback::cli {

namespace json = boost::json;

namespace {

constexpr auto between_looks = std::chrono::milliseconds(200);
/// What was so before somebody switched is known to the agent for as long as one of its looks takes.
constexpr auto lasts = std::chrono::milliseconds(2500);

/// Told by the kernel instead of ending the program: the screen is to be left whole.
descriptor interrupts() {
  sigset_t all;
  ::sigemptyset(&all);
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&all, each);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  return descriptor(::signalfd(-1, &all, SFD_CLOEXEC));
}

bool is_interrupted(const descriptor& by, std::chrono::milliseconds within) {
  pollfd asked{by.get(), POLLIN, 0};
  return ::poll(&asked, 1, static_cast<int>(within.count())) > 0;
}

serve::demand status(bool in_json) {
  serve::demand asked{"status", {}, {}};
  if (in_json) asked.values["json"] = "yes";
  return asked;
}

/// The beginning of a line that has room in so many columns, a character each.
std::string_view cut(std::string_view line, std::size_t columns) {
  std::size_t shown = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool begins_one = (static_cast<unsigned char>(line[at]) & 0xC0U) != 0x80U;
    if (begins_one && ++shown > columns) return line.substr(0, at);
  }
  return line;
}

/// From the upper left, each line as far as the screen has room, and nothing below: without a flicker.
void paint(std::string_view text) {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_row > 1;
  std::size_t rows = known ? size.ws_row - 1U : SIZE_MAX;
  std::string screen = "\033[H";
  for (; !text.empty() && rows > 0; --rows) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    screen += std::string(cut(text.substr(0, end), known ? size.ws_col : SIZE_MAX)) + "\033[K\r\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  fmt::print("{}\033[J", screen);
  std::fflush(stdout);
}

}  // namespace

bool is_so(const std::string& until, const std::string& status) {
  boost::system::error_code error;
  const json::value read = json::parse(status, error);
  const json::object* const page = error ? nullptr : read.if_object();
  const json::value* const stands = page == nullptr ? nullptr : page->if_contains("deployment");
  if (stands == nullptr || !stands->is_object()) return false;
  const json::object& s = stands->get_object();
  const json::value* const flipping = s.if_contains("flipping");  // an agent from before an upgrade has none
  const bool flips = flipping != nullptr && *flipping != "";
  const bool proven =
      s.at("effect") == "agreed" && s.at("effect_says") == "" && s.at("live") == s.at("intent") && s.at("rolling") == "" && !flips;
  const json::value* const incident = page->if_contains("incident");
  return until == "quiet" ? proven && incident != nullptr && incident->is_null() : proven;
}

int watch(const watch_options& options, const asking& ask) {
  const descriptor interrupted = interrupts();
  const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  const instant began = std::chrono::steady_clock::now();
  if (on_terminal) fmt::print("\033[2J");
  std::string shown;
  instant so_since = began;
  for (;;) {
    const auto stands = options.until.empty() ? std::nullopt : std::optional(ask(status(true)));
    if (!stands || !*stands || !(*stands)->done || !is_so(options.until, (*stands)->text)) so_since = std::chrono::steady_clock::now();
    const bool over = !options.until.empty() && std::chrono::steady_clock::now() - so_since >= lasts;
    const auto seen = ask(status(false));  // after it: what is shown last is what it ended by, or newer
    if (!seen || !seen->done) {
      fmt::print(stderr, "flipback: {}\n", one_line(seen ? seen->text : seen.error()));
      return 2;
    }
    const std::string text = whole_lines(seen->text);
    if (text != shown && on_terminal) paint(text);
    if (text != shown && !on_terminal) {
      fmt::print("{}\n", text);
      std::fflush(stdout);
    }
    shown = text;
    if (over) return 0;
    if (options.at_most && std::chrono::steady_clock::now() - began >= *options.at_most) {
      if (options.until.empty()) return 0;
      fmt::print(stderr, "flipback: it is not {} after {}; type {}\n", options.until, format_duration(*options.at_most),
                 options.status_typed);
      return 1;
    }
    if (is_interrupted(interrupted, between_looks)) return options.until.empty() ? 0 : 1;
  }
}

}  // namespace flipback::cli
