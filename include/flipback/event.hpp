#pragma once

#include "flipback/units.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flipback {

enum class severity : std::uint8_t { debug, info, warning, critical };
std::string_view name_of(severity s);

/// Something that happened and that a person or a program may want to know: a verdict's change, a cutover, a step of a rollback.
/// `kind` is one of a fixed set of dotted names (packaging/docs/events.md); `fields` are its machine-readable side, `says` its sentence.
struct event {
  using value = std::variant<std::string, double, std::int64_t, bool>;
  std::string kind;
  flipback::severity severity = flipback::severity::info;
  std::string says;
  std::vector<std::pair<std::string, value>> fields;

  event& with(std::string name, value v) {
    fields.emplace_back(std::move(name), std::move(v));
    return *this;
  }
};

}  // namespace flipback
