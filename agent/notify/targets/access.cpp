#include "agent/notify/targets/access.hpp"

#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::notify {

net::api_access read_hidden_address(settings::section& from, std::string_view key, std::string_view example) {
  const bool stands_here = from.has(key) || from.has(fmt::format("{}_file", key));
  const secret address = from.hidden(key).value_or(secret());
  if (!stands_here || (from.has(key) && address.empty()))
    from.report(key, fmt::format("{}, expected a string such as \"{}\"", stands_here ? "is empty" : "is missing", example));
  net::api_access read;
  read.ask = net::read_http_request(from, key, address.reveal(), false);
  read.secrets.push_back(address);
  // A server that answers with the path it was asked for repeats what is secret in the address.
  if (read.ask.to.target != "/") read.secrets.emplace_back(read.ask.to.target);
  return read;
}

bool has_header(const net::api_access& in, std::string_view name) {
  const auto is_same = [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); };
  return std::ranges::any_of(in.ask.headers, [&](const auto& header) { return std::ranges::equal(header.first, name, is_same); });
}

}  // namespace flipback::notify
