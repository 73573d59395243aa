#include "agent/config/environment.hpp"

#include <fmt/format.h>

#include <optional>

namespace flipback::config {

namespace {

class interpolation {
 public:
  interpolation(const variables& with, settings::diagnostics& problems) : with_(&with), problems_(&problems) {}

  void below(settings::node& from, const std::string& path) {
    if (auto* text = std::get_if<std::string>(&from.value)) {
      in_text(from, *text, path);
    } else if (auto* items = std::get_if<settings::array>(&from.value)) {
      const bool tables = !items->empty() && std::holds_alternative<settings::table>(items->front().value);
      std::size_t number = 0;
      for (settings::node& item : *items) below(item, tables ? fmt::format("{}[{}]", path, ++number) : path);
    } else if (auto* members = std::get_if<settings::table>(&from.value)) {
      for (auto& [key, m] : *members) below(m.value.front(), path.empty() ? key : fmt::format("{}.{}", path, key));
    }
  }

 private:
  void in_text(settings::node& from, std::string& text, const std::string& path) {
    if (!text.contains('$')) return;
    failed_ = false;
    taken_ = false;
    std::string made;
    std::string_view rest = text;
    while (!rest.empty()) made += next(rest, from.at, path);
    if (failed_) {
      problems_->silence(from.at);
      made.clear();
    }
    if (taken_ || failed_) from.written = text;
    text = std::move(made);
  }

  /// What the next piece of `rest` stands for; takes the piece away.
  std::string next(std::string_view& rest, const settings::position& at, const std::string& path) {
    const auto take = [&rest](std::size_t count) {
      const std::string_view piece = rest.substr(0, count);
      rest.remove_prefix(piece.size());
      return piece;
    };
    if (!rest.starts_with('$')) return std::string(take(rest.find('$')));
    if (rest.starts_with("$$")) return std::string(take(2).substr(1));
    if (!rest.starts_with("${")) return std::string(take(1));
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos) {
      fail(at, path, R"(found "${" without its "}"; write $$ for a plain $)");
      rest = {};
      return {};
    }
    return variable(take(close + 1).substr(2, close - 2), at, path);
  }

  std::string variable(std::string_view inside, const settings::position& at, const std::string& path) {
    const std::size_t colon = inside.find(":-");
    const std::optional<std::string_view> fallback =
        colon == std::string_view::npos ? std::nullopt : std::optional(inside.substr(colon + 2));
    const std::string_view name = inside.substr(0, colon);
    if (!is_variable_name(name)) {
      fail(at, path, fmt::format("found \"${{{}}}\", expected \"${{NAME}}\" or \"${{NAME:-default}}\"; write $$ for a plain $", inside));
      return {};
    }
    taken_ = true;
    const auto found = with_->set.find(name);
    if (found != with_->set.end() && !(fallback && found->second.empty())) return found->second;
    const auto unread = with_->unread.find(name);
    const bool is_unread = unread != with_->unread.end();
    if (fallback && (!is_unread || unread->second.is_bare)) return std::string(*fallback);
    fail(at, path, is_unread ? why_unread(name, unread->second) : not_set(name));
    return {};
  }

  [[nodiscard]] std::string not_set(std::string_view name) const {
    std::vector<std::string> names;
    for (const auto& [known, unused] : with_->set) names.push_back(known);
    const std::string meant = settings::nearest(name, names);
    return fmt::format("{} is set neither in the environment nor in an env file{}", name,
                       meant.empty() ? "" : fmt::format("; did you mean {}?", meant));
  }

  void fail(const settings::position& at, const std::string& path, const std::string& says) {
    failed_ = true;
    problems_->add(at, fmt::format("{}: {}", path, says));
  }

  const variables* with_;
  settings::diagnostics* problems_;
  bool failed_ = false;  ///< of the string at hand
  bool taken_ = false;   ///< it took something from the environment
};

}  // namespace

void interpolate(settings::node& from, const std::string& path, const variables& with, settings::diagnostics& problems) {
  interpolation(with, problems).below(from, path);
}

}  // namespace flipback::config
