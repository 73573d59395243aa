#include "probes/postgres/fingerprint.hpp"

#include "flipback/quoted.hpp"

#include <algorithm>
#include <cctype>

namespace flipback::postgres {

namespace {

constexpr std::size_t longest = 200;

bool begins_name(unsigned char c) {
  return std::isalpha(c) != 0 || c == '_' || c >= 0x80;
}
bool in_name(unsigned char c) {
  return begins_name(c) || std::isdigit(c) != 0 || c == '$';
}

/// Reads a statement piece by piece; what a piece becomes is added to `made`.
class reader {
 public:
  explicit reader(std::string_view sql) : rest_(sql) {}

  std::string read() {
    while (!rest_.empty() && made_.size() <= longest + 1) next();
    if (cut_) made_ += "…";
    return flipback::quoted(made_, {}, longest);
  }

 private:
  void next() {
    const auto c = static_cast<unsigned char>(rest_.front());
    if (std::isspace(c) != 0 || c == '\0') return skip(1);
    if (rest_.starts_with("--")) return skip(rest_.find('\n'));
    if (rest_.starts_with("/*")) return skip(comment_size());
    if (c == '\'') return string(false);
    if (c == '"') return quoted_name();
    if (c == '$') return dollar();
    const bool digit_follows = rest_.size() > 1 && std::isdigit(static_cast<unsigned char>(rest_[1])) != 0;
    if (std::isdigit(c) != 0 || (c == '.' && digit_follows)) return number();
    if (begins_name(c)) return name();
    add(rest_.substr(0, 1));
    rest_.remove_prefix(1);
  }

  void take(std::size_t size) { rest_.remove_prefix(std::min(size, rest_.size())); }

  /// White space or a comment.
  void skip(std::size_t size) {
    take(size);
    blank_ = true;
  }

  void add(std::string_view piece) {
    if (blank_ && !made_.empty()) made_ += ' ';
    blank_ = false;
    made_ += piece;
    if (piece == ")") fold("(?), (?)", "(?)") || fold("(?),(?)", "(?)");
  }

  void add_value() {
    add("?");
    for (const std::string_view run : {"?, ?", "?,?", "? ?", "?, -?", "?,-?"}) {
      if (fold(run, "?")) break;
    }
  }

  bool fold(std::string_view ending, std::string_view into) {
    if (!made_.ends_with(ending)) return false;
    made_.resize(made_.size() - ending.size());
    made_ += into;
    return true;
  }

  /// Comments nest.
  [[nodiscard]] std::size_t comment_size() const {
    int depth = 0;
    for (std::size_t at = 0; at + 1 < rest_.size();) {
      const std::string_view two = rest_.substr(at, 2);
      if (two == "/*") ++depth;
      if (two == "*/" && --depth == 0) return at + 2;
      at += two == "/*" || two == "*/" ? 2 : 1;
    }
    return rest_.size();
  }

  /// From its quote on. A quote twice is a quote; the string's parts may go on after a line's end, which folds.
  void string(bool escapes) {
    std::size_t at = 1;
    for (; at < rest_.size(); ++at) {
      const bool quote_follows = at + 1 < rest_.size() && rest_[at + 1] == '\'';
      if (rest_[at] == '\\' && escapes) {
        ++at;
      } else if (rest_[at] == '\\' && quote_follows) {
        add_value();
        return cut();
      } else if (rest_[at] == '\'') {
        if (!quote_follows) break;
        ++at;
      }
    }
    take(at + 1);
    add_value();
  }

  /// It stays where it looks like a name: whoever writes "secret" for 'secret' has written no literal, but means one.
  void quoted_name() {
    std::size_t end = 1;
    for (; end < rest_.size(); ++end) {
      if (rest_[end] != '"') continue;
      if (end + 1 >= rest_.size() || rest_[end + 1] != '"') break;
      ++end;
    }
    const std::string_view inside = rest_.substr(1, end - 1);
    const bool plain = end < rest_.size() && inside.size() < 64 &&
                       std::ranges::all_of(
                           inside, [](unsigned char c) { return in_name(c); }) &&
                       !inside.empty() && begins_name(static_cast<unsigned char>(inside.front()));
    add(plain ? rest_.substr(0, end + 1) : std::string_view("\"?\""));
    take(end + 1);
  }

  /// $1, or $tag$…$tag$.
  void dollar() {
    std::size_t end = 1;
    if (end < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[end])) != 0) {
      while (end < rest_.size() && std::isalnum(static_cast<unsigned char>(rest_[end])) != 0) ++end;
      take(end);
      return add_value();
    }
    while (end < rest_.size() && rest_[end] != '$' && in_name(static_cast<unsigned char>(rest_[end]))) ++end;
    if (end >= rest_.size()) return cut();  // a tag that was cut short, perhaps
    if (rest_[end] != '$') {
      add("$");
      return take(1);
    }
    const std::string_view tag = rest_.substr(0, end + 1);
    const std::size_t close = rest_.find(tag, tag.size());
    take(close == std::string_view::npos ? rest_.size() : close + tag.size());
    add_value();
  }

  /// With whatever letters stand behind it: 0x1F, 1_000, 1.5e-3.
  void number() {
    std::size_t end = 1;
    for (; end < rest_.size(); ++end) {
      const char c = rest_[end];
      const bool exponent = (rest_[end - 1] == 'e' || rest_[end - 1] == 'E') && (c == '+' || c == '-');
      if (c != '.' && !exponent && (c == '$' || !in_name(static_cast<unsigned char>(c)))) break;
    }
    take(end);
    add_value();
  }

  void name() {
    std::size_t end = 1;
    while (end < rest_.size() && in_name(static_cast<unsigned char>(rest_[end]))) ++end;
    const std::string_view found = rest_.substr(0, end);
    const auto follows = [&](std::string_view text) { return rest_.substr(end).starts_with(text); };
    if (found.size() == 1 && std::string_view("eEbBxXnN").contains(found.front()) && follows("'")) {
      take(1);
      return string(found == "e" || found == "E");
    }
    if ((found == "u" || found == "U") && (follows("&'") || follows("&\""))) {
      take(2);
      return rest_.front() == '"' ? quoted_name() : string(false);
    }
    add(found);
    take(end);
  }

  void cut() {
    rest_ = {};
    cut_ = true;
  }

  std::string_view rest_;
  std::string made_;
  bool blank_ = false;
  bool cut_ = false;
};

}  // namespace

std::string fingerprint(std::string_view sql) {
  return reader(sql).read();
}

}  // namespace flipback::postgres
