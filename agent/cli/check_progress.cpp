#include "agent/cli/check_progress.hpp"

#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace flipback::cli {

namespace {

constexpr duration between_paints = std::chrono::milliseconds(200);
constexpr std::string_view erased = "\r\033[K";

bool can_erase() {
  const char* const kind = std::getenv("TERM");
  const std::string_view named = kind == nullptr ? "" : kind;
  return ::isatty(STDERR_FILENO) != 0 && !named.empty() && named != "dumb";
}

/// The last column stays free: what is written there makes some terminals go on in the next line.
std::size_t columns() {
  constexpr std::size_t usual = 80;
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return (is_known ? size.ws_col : usual) - 1;
}

/// No character takes more columns than it has bytes.
std::string cut(std::string line, std::size_t columns) {
  if (line.size() > columns) line.resize(columns);
  line.resize(first_malformed(line));
  return line;
}

}  // namespace

progress::progress(boost::asio::io_context& loop, telling says) : timer_(loop), says_(std::move(says)) {
  if (can_erase()) paint_soon();
}

progress::~progress() {
  end();
}

void progress::end() {
  ended_ = true;
  timer_.cancel();
  if (!shown_.empty()) fmt::print(stderr, "{}", erased);
  shown_.clear();
}

void progress::paint_soon() {
  timer_.expires_after(between_paints);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || ended_) return;
    paint();
    paint_soon();
  });
}

void progress::paint() {
  std::string now = cut(says_(columns()), columns());
  if (now == shown_) return;
  shown_ = std::move(now);
  fmt::print(stderr, "{}{}", erased, shown_);
}

std::string listed(const std::vector<std::string>& names, std::size_t room) {
  constexpr std::size_t for_the_rest = sizeof(" and 10000 more") - 1;
  std::string text;
  std::string begin;
  std::size_t begun = 0;  // how many names `begin` has
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + one_line(name);
    if (text.size() + for_the_rest > room) continue;
    begin = text;
    ++begun;
  }
  return text.size() <= room ? text : fmt::format("{}{}{} more", begin, begun == 0 ? "" : " and ", names.size() - begun);
}

std::string progress_line(const std::vector<checked>& all, std::size_t columns) {
  std::vector<std::string> awaited;
  for (const checked& c : all) {
    if (!c.ended) awaited.push_back(c.name);
  }
  const std::string line = fmt::format("{} of {} answered, waiting for ", all.size() - awaited.size(), all.size());
  return line + listed(awaited, columns - std::min(columns, line.size()));
}

}  // namespace flipback::cli
