#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flipback::serve {

/// The first key that an object of JSON has a second time; nothing: there is none. Of such keys a reader keeps the last value, and who
/// reads along may have believed the first. What stands in its values is not looked at. Precondition: it is valid.
std::optional<std::string> key_twice(std::string_view json_object);

}  // namespace flipback::serve
