#include "agent/notify/targets/host_name.hpp"

#include "flipback/one_line.hpp"

#include <unistd.h>

#include <array>

namespace flipback::notify {

std::string read_source(settings::section& from) {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != 0;
  const std::string source = from.text("source", known ? one_line(name.data()) : "flipback");
  if (source.empty()) from.report("source", "is empty, expected a name such as \"web-1\"");
  return source;
}

}  // namespace flipback::notify
