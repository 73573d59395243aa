#include "rules/rule.hpp"

namespace flipback::rules {

std::string_view name_of(consequence c) { return c == consequence::rollback ? "rollback" : "alert"; }

}  // namespace flipback::rules
