#pragma once

#include "probes/access_log/line.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace flipback::access_log {

/// What a variable's value can contain, which says where it ends in a line.
enum class shape : std::uint8_t {
  anything,    ///< what a client wrote, or what is not known: all but what nginx escapes
  spaceless,   ///< what a client wrote, where nginx lets no space through
  word,        ///< letters, digits and . _ : / -
  number,      ///< digits and a point, or -
  attempts,    ///< words separated by ", " and " : ", one for each attempt on an upstream
  local_time,  ///< $time_local
  iso_time     ///< $time_iso8601
};
/// Whether a value of this shape may contain the character. Of attempts: a single one of them.
bool may_contain(shape s, char c);

/// A variable of nginx that is known here. The others are passed over in a line as `anything`.
struct variable {
  std::string_view name;
  shape takes = shape::anything;
  std::optional<field> gives{};
  int rank = 0;  ///< where several give the same field, the highest is taken
};
variable variable_named(std::string_view name);
/// The name of the one that is taken where all are there.
std::string_view best_variable_for(field f);

}  // namespace flipback::access_log
