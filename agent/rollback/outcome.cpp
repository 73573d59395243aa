#include "agent/rollback/outcome.hpp"

#include <array>

namespace flipback::rollback {

std::string_view name_of(outcome o) {
  constexpr std::array<std::string_view, 7> names{"rolled back",        "unproven",   "undone",    "nothing changed",
                                                  "operator took over", "not undone", "can't tell"};
  return names.at(static_cast<std::size_t>(o));
}

}  // namespace flipback::rollback
