#include "probes/nginx/directives.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace flipback::nginx {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Splits a configuration into words and the signs ; { }.
class lexer {
 public:
  enum class token : std::uint8_t { word, end, open, close, nothing };

  explicit lexer(std::string_view text) : left_(text) {}

  token next() {
    skip_to_token();
    if (left_.empty()) return token::nothing;
    const char c = left_.front();
    if (c == ';' || c == '{' || c == '}') {
      left_.remove_prefix(1);
      return c == ';' ? token::end : c == '{' ? token::open : token::close;
    }
    word_.clear();
    if (c == '"' || c == '\'')
      quoted_word(c);
    else
      bare_word();
    return token::word;
  }
  std::string take() { return std::exchange(word_, {}); }

  /// Past the brace that closes the block which has just been opened.
  void skip_block() {
    std::size_t open = 1;
    while (!left_.empty() && open > 0) {
      open += left_.front() == '{' ? 1U : 0U;
      open -= left_.front() == '}' ? 1U : 0U;
      left_.remove_prefix(1);
    }
  }

 private:
  void skip_to_token() {
    while (!left_.empty() && (is_space(left_.front()) || left_.front() == '#')) {
      if (left_.front() == '#')
        left_.remove_prefix(std::min(left_.find('\n'), left_.size()));
      else
        left_.remove_prefix(1);
    }
  }
  void quoted_word(char quote) {
    left_.remove_prefix(1);
    while (!left_.empty() && left_.front() != quote) take_character();
    if (!left_.empty()) left_.remove_prefix(1);
  }
  void bare_word() {
    while (!left_.empty() && !is_space(left_.front()) && left_.front() != ';' && left_.front() != '{') {
      const bool variable = left_.starts_with("${");
      take_character();
      if (variable) take_character();
    }
  }
  /// After a backslash t, r and n are control characters, quotes and another backslash stand for themselves, and for anything else the
  /// backslash stays (ngx_conf_read_token).
  void take_character() {
    if (left_.front() == '\\' && left_.size() > 1) {
      constexpr std::string_view written = "trn\"'\\";
      constexpr std::string_view meant = "\t\r\n\"'\\";
      const std::size_t known = written.find(left_[1]);
      if (known == std::string_view::npos) word_ += '\\';
      word_ += known == std::string_view::npos ? left_[1] : meant[known];
      left_.remove_prefix(2);
      return;
    }
    word_ += left_.front();
    left_.remove_prefix(1);
  }

  std::string_view left_;
  std::string word_;
};

/// nginx's own words beside the dump ("nginx: configuration file … test is successful") are no part of it.
std::string without_messages(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!line.starts_with("nginx: ")) kept.append(line).append("\n");
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return kept;
}

}  // namespace

std::vector<directive> parse_directives(std::string_view text) {
  const std::string dump = without_messages(text);
  lexer from(dump);
  std::vector<directive> all;
  directive now;
  std::size_t depth = 0;
  const auto finish = [&] {
    now.depth = depth;
    if (!now.words.empty()) all.push_back(std::exchange(now, {}));
  };
  for (lexer::token t = from.next(); t != lexer::token::nothing; t = from.next()) {
    switch (t) {
      case lexer::token::word:
        now.words.push_back(from.take());
        break;
      case lexer::token::end:
        finish();
        break;
      case lexer::token::open: {
        const bool lua = !now.words.empty() && now.words.front().ends_with("_by_lua_block");
        finish();
        if (lua)
          from.skip_block();
        else
          ++depth;
        break;
      }
      case lexer::token::close:
        now = {};
        depth -= depth > 0 ? 1U : 0U;
        break;
      case lexer::token::nothing:
        break;
    }
  }
  return all;
}

std::optional<log_format> log_format_in(const directive& d) {
  if (d.words.size() < 3 || d.words.front() != "log_format") return std::nullopt;
  log_format made{.name = d.words[1], .text = {}, .escape = "default"};
  for (std::size_t i = 2; i < d.words.size(); ++i) {
    if (i == 2 && d.words[i].starts_with("escape="))
      made.escape = d.words[i].substr(7);
    else
      made.text += d.words[i];
  }
  return made;
}

}  // namespace flipback::nginx
