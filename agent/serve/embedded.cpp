#include "agent/serve/embedded.hpp"

#include <algorithm>

namespace flipback::serve {

const embedded_file* embedded(std::string_view name) {
  const auto all = embedded();
  const auto found = std::ranges::find(all, name, &embedded_file::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace flipback::serve
