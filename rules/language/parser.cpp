#include "rules/language/parser.hpp"

#include "rules/language/foreign.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

namespace flipback::rules {

namespace {

struct operation {
  std::string_view text;
  int binding;  ///< tighter is larger
};
constexpr std::array<operation, 12> operations{
    {{"or", 1}, {"and", 2}, {">", 4}, {">=", 4}, {"<", 4}, {"<=", 4}, {"==", 4}, {"!=", 4}, {"+", 5}, {"-", 5}, {"*", 6}, {"/", 6}}};
constexpr int not_binding = 3;
constexpr int comparing_binding = 4;
constexpr int by_number = 6;
constexpr int deepest = 64;
constexpr int longest = 1000;  // what joins parts: a tree as deep as that is walked by calls

constexpr std::array<std::pair<std::string_view, comparing>, 6> comparisons{{{">", comparing::greater},
                                                                             {">=", comparing::greater_equal},
                                                                             {"<", comparing::less},
                                                                             {"<=", comparing::less_equal},
                                                                             {"==", comparing::equal},
                                                                             {"!=", comparing::unequal}}};
constexpr std::array<std::pair<std::string_view, function>, 6> functions{{{"min", function::min},
                                                                          {"max", function::max},
                                                                          {"avg", function::avg},
                                                                          {"increase", function::increase},
                                                                          {"count", function::count},
                                                                          {"sum", function::sum}}};
constexpr std::array<std::pair<std::string_view, showing>, 2> tests{{{"surely", showing::surely}, {"worse", showing::worse}}};

template <typename Table>
auto look_up(const Table& table, std::string_view text) -> std::optional<decltype(table[0].second)> {
  for (const auto& [name, value] : table) {
    if (name == text) return value;
  }
  return std::nullopt;
}

/// Precedence climbing over the tokens; the first error ends it.
class parsing {
 public:
  explicit parsing(std::vector<token> tokens) : tokens_(std::move(tokens)) {}

  std::expected<branch, language_error> whole() {
    auto made = part(0);
    if (made && now().kind != token_kind::end) return expected("and, or, or the end of the condition");
    return made;
  }

 private:
  [[nodiscard]] const token& now() const { return tokens_[at_]; }
  [[nodiscard]] bool is(std::string_view text) const {
    return (now().kind == token_kind::symbol || now().kind == token_kind::word) && now().text == text;
  }

  /// Whether a ( follows. Precondition: the token is not the end.
  [[nodiscard]] bool is_called() const {
    const token& next = tokens_[at_ + 1];
    return next.kind == token_kind::symbol && next.text == "(";
  }

  [[nodiscard]] std::unexpected<language_error> expected(std::string_view what) const {
    if (now().kind == token_kind::name) {
      if (auto meant = foreign_word(now().text, is_called())) return std::unexpected(language_error{now().column, *std::move(meant)});
    }
    const std::string found = now().kind == token_kind::end ? "the end" : fmt::format("\"{}\"", now().text);
    return std::unexpected(language_error{now().column, fmt::format("found {}, expected {}", found, what)});
  }

  /// "10/s": precondition: the token before is the /.
  [[nodiscard]] bool is_per_second(const expression& left) const {
    return std::holds_alternative<number>(left.is) && now().kind == token_kind::name && (now().text == "s" || now().text == "sec");
  }

  static branch make(std::size_t column, auto is) { return std::make_unique<expression>(expression{std::move(is), column}); }

  static branch join(const token& by, branch left, branch right) {
    const std::size_t column = left->column;
    if (by.text == "and" || by.text == "or") return make(column, junction{by.text == "and", std::move(left), std::move(right)});
    if (const auto how = look_up(comparisons, by.text)) return make(column, comparison{*how, std::move(left), std::move(right)});
    const calculating how = by.text == "+"   ? calculating::plus
                            : by.text == "-" ? calculating::minus
                            : by.text == "*" ? calculating::times
                                             : calculating::divided;
    return make(column, calculation{how, std::move(left), std::move(right)});
  }

  std::expected<branch, language_error> part(int least) {
    if (++depth_ > deepest) return std::unexpected(language_error{now().column, "is nested more than 64 deep"});
    auto left = first();
    bool compared = false;
    while (left) {
      const operation* next = nullptr;
      for (const operation& o : operations) {
        if (is(o.text)) next = &o;
      }
      if (next == nullptr || next->binding < least) break;
      if (next->binding == comparing_binding && compared) return expected("and or or: comparisons can't be chained");
      compared = compared || next->binding == comparing_binding;
      const token by = now();
      if (++joined_ > longest) return std::unexpected(language_error{by.column, fmt::format("is longer than {} parts", longest)});
      ++at_;
      if (next->binding == by_number && by.text == "/" && is_per_second(**left))
        return std::unexpected(language_error{by.column, "found a number per second, expected the number alone: rates are per second"});
      auto right = part(next->binding + 1);
      if (!right) return right;
      left = join(by, std::move(*left), std::move(*right));
    }
    --depth_;
    return left;
  }

  std::expected<branch, language_error> first() {
    const token begin = now();
    if (begin.kind == token_kind::number) {
      ++at_;
      return make(begin.column, number{begin.value, begin.in});
    }
    if (begin.kind == token_kind::name) {
      if (foreign_word(begin.text, is_called())) return expected("a signal such as traffic.error_rate");
      return signal(function::plain);
    }
    if (is("not")) {
      ++at_;
      auto of = part(not_binding);
      if (!of) return of;
      return make(begin.column, inversion{std::move(*of)});
    }
    if (is("-") && tokens_[at_ + 1].kind == token_kind::number) {
      ++at_;
      const token negative = now();
      ++at_;
      return make(begin.column, number{-negative.value, negative.in});
    }
    if (is("(")) {
      ++at_;
      auto inside = part(0);
      if (!inside) return inside;
      if (!is(")")) return expected(")");
      ++at_;
      return inside;
    }
    if (is("before")) return before();
    if (const auto how = look_up(tests, begin.text); how && begin.kind == token_kind::word) return test(*how);
    if (const auto how = look_up(functions, begin.text); how && begin.kind == token_kind::word) return of_function(*how);
    return expected("a signal such as traffic.error_rate, a number, or (");
  }

  /// Precondition: the token is the function's name.
  std::expected<branch, language_error> of_function(function how) {
    if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
    if (now().kind != token_kind::name) return expected("a signal such as traffic.error_rate");
    return closed(signal(how));
  }

  /// "surely(traffic.error_rate over 30s > 5%, 99.9%)", "worse(traffic.error_rate over 30s)".
  std::expected<branch, language_error> test(showing how) {
    const std::size_t column = now().column;
    if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
    if (now().kind != token_kind::name) return expected("a ratio such as traffic.error_rate over 30s");
    auto of = signal(function::plain);
    if (!of) return of;
    counts_test made{how, std::get<reading>(std::move((*of)->is))};
    if (how == showing::surely) {
      if (!is(">")) return expected("> and a limit, as in surely(traffic.error_rate over 30s > 5%)");
      ++at_;
      if (now().kind != token_kind::number) return expected("a limit such as 5%");
      made.limit = now().value;
      ++at_;
      if (is(",")) {
        ++at_;
        if (now().kind != token_kind::number) return expected("a confidence such as 99.9%");
        made.confidence = now().value;
        ++at_;
      }
    }
    return closed(make(column, std::move(made)));
  }

  std::expected<branch, language_error> before() {
    if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
    const auto how = now().kind == token_kind::word ? look_up(functions, now().text) : std::nullopt;
    if (!how && now().kind != token_kind::name) return expected("a signal such as traffic.error_rate over 5m");
    auto inside = closed(how ? of_function(*how) : signal(function::plain));
    if (inside) std::get<reading>((*inside)->is).before = true;
    return inside;
  }

  /// A word and the ( after it.
  std::expected<void, language_error> open() {
    const std::string_view word = now().text;
    ++at_;
    if (!is("(")) return expected(fmt::format("( after {}", word));
    ++at_;
    return {};
  }

  std::expected<branch, language_error> closed(std::expected<branch, language_error> inside) {
    if (!inside) return inside;
    if (!is(")")) return expected(")");
    ++at_;
    return inside;
  }

  std::expected<branch, language_error> signal(function how) {
    reading read{std::string(now().text), how, {}, false, 0};
    const std::size_t column = now().column;
    ++at_;
    if (is("over")) {
      ++at_;
      if (now().kind != token_kind::number || now().in != unit::seconds || now().value <= 0)
        return expected("a duration such as 5m after over");
      read.window = from_seconds(now().value);
      if (how == function::plain) read.how = function::over;
      ++at_;
    } else if (how != function::plain) {
      return expected("over and a duration, as in max(redis.memory_used_ratio over 5m)");
    }
    return make(column, std::move(read));
  }

  std::vector<token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int joined_ = 0;
};

}  // namespace

std::string_view name_of(comparing c) {
  for (const auto& [name, how] : comparisons) {
    if (how == c) return name;
  }
  return {};
}

std::string_view name_of(showing t) {
  for (const auto& [name, how] : tests) {
    if (how == t) return name;
  }
  return {};
}

std::string_view name_of(function f) {
  for (const auto& [name, how] : functions) {
    if (how == f) return name;
  }
  return {};
}

std::expected<branch, language_error> parse(std::string_view text) {
  auto tokens = cut(text);
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  return parsing(std::move(*tokens)).whole();
}

}  // namespace flipback::rules
