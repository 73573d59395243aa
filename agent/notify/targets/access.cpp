#include "agent/notify/targets/access.hpp"

#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::notify {

net::api_access read_hidden_address(settings::section& from, std::string_view key, std::string_view example) {
  const std::string key_of_file = fmt::format("{}_file", key);
  const bool is_in_file = !from.has(key) && from.has(key_of_file);
  const auto address = from.hidden(key);
  if (!from.has(key) && !is_in_file) from.report(key, fmt::format("is missing, expected a string such as \"{}\"", example));
  if (address && address->empty()) from.report(key, fmt::format("is empty, expected a string such as \"{}\"", example));
  net::api_access read;
  read.ask = net::read_http_request(from, is_in_file ? key_of_file : key, address.value_or(secret()).reveal(), false);
  if (address) read.secrets.push_back(*address);
  // A server that answers with the path it was asked for repeats what is secret in the address.
  if (read.ask.to.target != "/") read.secrets.emplace_back(read.ask.to.target);
  return read;
}

bool has_header(const net::api_access& in, std::string_view name) {
  const auto is_same = [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); };
  return std::ranges::any_of(in.ask.headers, [&](const auto& header) { return std::ranges::equal(header.first, name, is_same); });
}

void read_needed_token(settings::section& from, net::api_access& into, std::string_view expected) {
  if (const auto token = net::read_token(from))
    into.say_bearer(*token);
  else if (!from.has("token") && !from.has("token_file"))
    from.report("token", fmt::format("is missing, expected {}", expected));
}

}  // namespace flipback::notify
