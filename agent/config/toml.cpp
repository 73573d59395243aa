#include "agent/config/toml.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

namespace flipback::config {

namespace {

using settings::node;
using settings::position;

class conversion {
 public:
  conversion(std::string_view text, const std::string& file, settings::diagnostics& into) : file_(&file), into_(&into) {
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      lines_.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }

  node table(const toml::table& from, const std::string& path) {
    node made{settings::table{}, place(from.source()), 0};
    auto& members = std::get<settings::table>(made.value);
    for (const auto& [key, value] : from) {
      node inner = any(value, path.empty() ? std::string(key.str()) : fmt::format("{}.{}", path, key.str()));
      const position at = place(key.source());
      inner.order = (static_cast<std::size_t>(at.line) << 32U) | at.column;
      if (inner.at.line == 0) inner.at = at;
      members.emplace(std::string(key.str()), settings::member{at, {std::move(inner)}});
    }
    return made;
  }

 private:
  node any(const toml::node& from, const std::string& path) {
    node made{std::string{}, place(from.source()), 0};
    if (const auto* members = from.as_table()) return table(*members, path);
    if (const auto* elements = from.as_array()) {
      settings::array all;
      all.reserve(elements->size());
      for (const toml::node& element : *elements) all.push_back(any(element, path));
      made.value = std::move(all);
    } else if (const auto* text = from.as_string()) {
      made.value = text->get();
      made.inside = inside(made.at);
    } else if (const auto* whole = from.as_integer()) {
      made.value = whole->get();
    } else if (const auto* number = from.as_floating_point()) {
      made.value = number->get();
    } else if (const auto* yes = from.as_boolean()) {
      made.value = yes->get();
    } else {
      into_->add(made.at, fmt::format("{}: found a date or a time; put it in quotes if it is meant as text", path));
      into_->silence(made.at);
    }
    return made;
  }

  [[nodiscard]] position place(const toml::source_region& region) const { return {*file_, region.begin.line, region.begin.column}; }

  /// The first character inside of the quotes that open at `at`. Columns count characters, a quote's line may have others before it.
  [[nodiscard]] position inside(position at) const {
    if (at.line == 0 || at.line > lines_.size()) return at;
    const std::string_view line = lines_[at.line - 1];
    std::size_t byte = 0;
    for (std::uint32_t column = 1; column < at.column && byte < line.size(); ++column) {
      ++byte;
      while (byte < line.size() && (static_cast<unsigned char>(line[byte]) & 0xC0U) == 0x80U) ++byte;
    }
    const std::string_view opening = line.substr(byte);
    if (!opening.starts_with(R"(""")") && !opening.starts_with("'''")) {
      at.column += 1;
    } else if (opening.find_first_not_of(" \t\r", 3) == std::string_view::npos) {
      at.line += 1;  // TOML drops the line end after three quotes
      at.column = 1;
    } else {
      at.column += 3;
    }
    return at;
  }

  const std::string* file_;
  settings::diagnostics* into_;
  std::vector<std::string_view> lines_;
};

/// The commonest slip in a file full of durations and names; the line itself is not shown, it may hold a secret.
std::string_view hint(std::string_view description) {
  const bool of_a_value = description.contains("could not determine value type") || description.contains("integer: expected digit");
  return of_a_value ? "; strings, durations and sizes stand in quotes: \"5s\"" : "";
}

/// Where a key of more parts than this begins, in lines and columns as TOML has them: toml++ goes down each part by a call of its own, and
/// again when the table ends. What stands in quotes or behind "#" is passed over.
std::optional<toml::source_position> key_deeper_than(std::string_view text, std::size_t most) {
  toml::source_position at{1, 1};
  toml::source_position begun = at;
  std::size_t dots = 0;
  bool is_new = true;
  const auto pass = [&](std::size_t& i, std::size_t count) {
    for (; count > 0 && i < text.size(); --count, ++i) {
      at = text[i] == '\n' ? toml::source_position{at.line + 1, 1} : toml::source_position{at.line, at.column + 1};
    }
  };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (is_new && c != ' ' && c != '\t') {
      begun = at;
      is_new = false;
    }
    if (c == '#') {
      pass(i, std::min(text.find('\n', i), text.size()) - i);
    } else if (c == '"' || c == '\'') {
      const std::string_view three = text.substr(i, 3);
      const bool is_long = three == R"(""")" || three == "'''";
      const std::string_view end = is_long ? three : text.substr(i, 1);
      pass(i, end.size());
      while (i < text.size() && !text.substr(i).starts_with(end) && (is_long || text[i] != '\n'))
        pass(i, c == '"' && text[i] == '\\' ? 2 : 1);
      pass(i, end.size());
    } else {
      if (c == '.' && ++dots >= most) return begun;
      if (std::string_view("=,{}[]\n").contains(c)) {
        dots = 0;
        is_new = true;
      }
      pass(i, 1);
    }
  }
  return std::nullopt;
}

}  // namespace

node parse_toml(std::string_view text, const std::string& file_name, settings::diagnostics& into) {
  constexpr std::size_t most_parts = 64;
  if (const auto deep = key_deeper_than(text, most_parts)) {
    into.add({file_name, deep->line, deep->column}, fmt::format("is no key: it has more than {} parts", most_parts));
    return {settings::table{}, {file_name, 1, 1}, 0};
  }
  try {
    const toml::table parsed = toml::parse(text, file_name);
    conversion converted(text, file_name, into);
    node root = converted.table(parsed, "");
    root.at = {file_name, 1, 1};
    return root;
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    into.add({file_name, at.line, at.column}, fmt::format("is not TOML: {}{}", error.description(), hint(error.description())));
    return {settings::table{}, {file_name, 1, 1}, 0};
  }
}

}  // namespace flipback::config
