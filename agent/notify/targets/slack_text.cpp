#include "agent/notify/targets/slack_text.hpp"

#include "agent/notify/targets/cut.hpp"

#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace flipback::notify::slack {

namespace json = boost::json;

namespace {

constexpr std::size_t most_in_section = 2900;  // Slack's limit is 3,000
constexpr std::size_t most_in_title = 500;
constexpr std::size_t most_in_text = 3000;

std::string_view mark_of(const letter& what) {
  if (what.at == stage::ended) return "✅";
  if (what.severity == severity::critical) return "🔴";
  return what.severity == severity::warning ? "🟡" : "🔵";
}

std::string_view name_of_title(const letter& what) {
  return what.title.empty() ? std::string_view(what.matter) : std::string_view(what.title);
}

/// A command to type, as code; a backquote in it would end that early.
std::string as_code(std::string_view text) {
  return text.contains('`') ? escaped(text, most_in_section / 2) : fmt::format("`{}`", escaped(text, most_in_section / 2));
}

json::object text_object(std::string text) {
  // Of what stands in the text as it is, nothing becomes a link or a mention.
  return {{"type", "mrkdwn"}, {"text", std::move(text)}, {"verbatim", true}};
}

void add_section(json::array& to, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  to.push_back(json::object{{"type", "section"}, {"text", text_object(fmt::format("{}", fmt::join(lines, "\n")))}});
}

/// Those of the lines that fit, the last of them first where there are too many.
std::vector<std::string> fitting(const std::vector<std::string>& lines) {
  std::vector<std::string> kept;
  std::size_t size = 0;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::string text = escaped(*line, 600);
    if (size + text.size() + 1 > most_in_section) break;
    size += text.size() + 1;
    kept.insert(kept.begin(), std::move(text));
  }
  return kept;
}

std::vector<std::string> says_of(const letter& what, std::initializer_list<line::about> wanted) {
  std::vector<std::string> found;
  for (const line& one : as_lines(what)) {
    if (std::ranges::find(wanted, one.is) != wanted.end()) found.push_back(one.text());
  }
  return found;
}

/// One who reads on a telephone sees how it stands and what to type without opening anything.
std::vector<std::string> standing_lines(const letter& what) {
  std::vector<std::string> lines = fitting(says_of(what, {line::about::ending, line::about::stands, line::about::urging}));
  if (!what.type.empty()) lines.push_back("Type: " + as_code(what.type));
  return lines;
}

}  // namespace

std::string escaped(std::string_view text, std::size_t most) {
  std::string made;
  for (const char c : cut(text, most)) {
    if (c == '&')
      made += "&amp;";
    else if (c == '<')
      made += "&lt;";
    else if (c == '>')
      made += "&gt;";
    else
      made += c;
  }
  if (made.size() <= most) return made;
  made = cut(made, most);
  const std::size_t last = made.rfind('&');
  if (last != std::string::npos && made.find(';', last) == std::string::npos) made = made.substr(0, last) + "…";
  return made;
}

json::array blocks_of(const letter& what) {
  json::array made;
  add_section(made, {fmt::format("{} *{}*", mark_of(what), escaped(name_of_title(what), most_in_title))});
  add_section(made, standing_lines(what));
  add_section(made, fitting(says_of(what, {line::about::ill, line::about::acknowledged})));
  add_section(made, fitting(says_of(what, {line::about::news})));
  std::string foot = fmt::format("Flipback · {}", escaped(what.matter, 100));
  if (!what.link.empty() && what.link.find_first_of("<>|") == std::string::npos)
    foot += fmt::format(" · <{}|open it>", escaped(what.link, 1000));
  made.push_back(json::object{{"type", "context"}, {"elements", json::array{text_object(std::move(foot))}}});
  return made;
}

std::string summary_of(const letter& what) {
  return fmt::format("{} {}", mark_of(what), escaped(name_of_title(what), most_in_title));
}

std::string text_of(const letter& what) {
  return fmt::format("{} {}", mark_of(what), escaped(as_text(what), most_in_text));
}

std::string thread_text(const letter& what, std::span<const piece_of_news> since, bool is_urgent) {
  std::vector<std::string> lines;
  if (is_urgent) {
    lines.push_back(what.title);
    for (std::string& one : says_of(what, {line::about::urging, line::about::stands})) lines.push_back(std::move(one));
    if (!what.type.empty()) lines.push_back("Type: " + what.type);
  }
  for (const piece_of_news& one : since) lines.push_back(line{line::about::news, one.says, one.at}.text());
  return fmt::format("{}", fmt::join(fitting(lines), "\n"));
}

}  // namespace flipback::notify::slack
