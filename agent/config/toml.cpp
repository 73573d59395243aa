#include "agent/config/toml.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

namespace flipback::config {

namespace {

class conversion {
 public:
  conversion(const std::string& file_name, settings::diagnostics& into) : file_name_(file_name), into_(into) {}

  settings::node convert(const toml::node& from) {
    settings::node made;
    made.at = place(from.source());
    made.order = order_of(from.source());
    if (const auto* t = from.as_table()) {
      made.value = table(*t);
    } else if (const auto* a = from.as_array()) {
      settings::array items;
      for (const toml::node& item : *a) items.push_back(convert(item));
      made.value = std::move(items);
    } else if (const auto* text = from.as_string()) {
      made.value = text->get();
    } else if (const auto* whole = from.as_integer()) {
      made.value = whole->get();
    } else if (const auto* number = from.as_floating_point()) {
      made.value = number->get();
    } else if (const auto* yes = from.as_boolean()) {
      made.value = yes->get();
    } else {
      into_.add(made.at, "found a date or a time, expected a string, a number or a boolean");
      made.value = std::string();
    }
    return made;
  }

 private:
  settings::table table(const toml::table& from) {
    settings::table made;
    for (const auto& [key, value] : from) {
      made.emplace(std::string(key.str()), settings::member{place(key.source()), {convert(value)}});
    }
    return made;
  }

  [[nodiscard]] settings::position place(const toml::source_region& region) const {
    return {file_name_, static_cast<std::uint32_t>(region.begin.line), static_cast<std::uint32_t>(region.begin.column)};
  }

  static std::size_t order_of(const toml::source_region& region) { return (static_cast<std::size_t>(region.begin.line) << 20U) + region.begin.column; }

  const std::string& file_name_;
  settings::diagnostics& into_;
};

}  // namespace

settings::node parse_toml(std::string_view text, const std::string& file_name, settings::diagnostics& into) {
  try {
    const toml::table parsed = toml::parse(text, file_name);
    settings::node made = conversion(file_name, into).convert(parsed);
    made.at = {file_name, 1, 1};
    return made;
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    into.add({file_name, static_cast<std::uint32_t>(at.line), static_cast<std::uint32_t>(at.column)},
             fmt::format("is no TOML: {}", error.description()));
    return {settings::table{}, {file_name, 1, 1}, 0};
  }
}

}  // namespace flipback::config
