#include "agent/notify/target.hpp"
#include "agent/notify/targets/kinds.hpp"

#include <algorithm>
#include <array>

namespace flipback::notify {

namespace {

constexpr std::array kinds{
    target_kind{"webhook", "any HTTP address: the letter as JSON, or a body of one's own", make_webhook_target},
};

}  // namespace

std::span<const target_kind> target_kinds() {
  return kinds;
}

const target_kind* find_target_kind(std::string_view type) {
  const auto* const at = std::ranges::find(kinds, type, &target_kind::type);
  return at == kinds.end() ? nullptr : at;
}

}  // namespace flipback::notify
