#include "probes/net/http_settings.hpp"

#include "probes/net/host.hpp"
#include "probes/net/tls_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::net {

namespace {

/// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() &&
         std::ranges::all_of(text, [&](unsigned char c) { return std::isalnum(c) != 0 || others.contains(static_cast<char>(c)); });
}

/// "[::1]:8443", "service:443": without its port, and an address without its brackets.
std::string name_in(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// Sent with every request, so that another of the name would be a second one.
bool is_written_by_us(std::string_view name) {
  constexpr std::array<std::string_view, 5> all{"Host", "User-Agent", "Connection", "Content-Length", "Transfer-Encoding"};
  return std::ranges::any_of(all, [&](std::string_view one) { return same_name(one, name); });
}

}  // namespace

http_request read_http_request(settings::section& from, std::string_view example) {
  return read_http_request(from, "url", from.required_text("url", example));
}

http_request read_http_request(settings::section& from, std::string_view key, const std::string& address, bool may_be_shown) {
  http_request ask;
  if (!address.empty()) {
    auto parsed = parse_url(address);
    if (parsed)
      ask.to = std::move(*parsed);
    else
      from.report(key, fmt::format("found {}, which {}", may_be_shown ? from.shown(key) : "an address", parsed.error()));
  }
  ask.host = from.text("host", "");
  ask.tls = read_tls_options(from);
  if (report_not_a_host(from, "host", ask.host)) ask.host.clear();
  if (ask.tls.server_name.empty()) ask.tls.server_name = name_in(ask.host);
  return ask;
}

std::optional<secret> read_value(settings::section& from, const std::string& key, bool may_be_shown) {
  if (!may_be_shown) return from.hidden(key);
  auto shown = from.text(key);
  return shown ? std::optional(secret(std::move(*shown))) : std::nullopt;
}

std::vector<read_header> read_headers(settings::section& from, std::string_view key) {
  std::vector<read_header> read;
  auto inner = from.inner(key);
  if (!inner) return read;
  const auto& members = std::get<settings::table>(from.raw(key)->value);
  for (const auto& [written, member] : members) {
    const bool from_file = written.ends_with("_file");
    const std::string name = from_file ? written.substr(0, written.size() - 5) : written;
    if (from_file && members.contains(name)) continue;  // read with its name
    auto value = read_value(*inner, name, is_public_header(name) && !from_file);
    if (!is_token(name)) inner->report(name, "is no name of a header");
    if (is_written_by_us(name))
      inner->report(name, same_name(name, "Host") ? "has a key of its own: host" : "is written by the probe, and can't be set");
    if (value && value->reveal().find_first_of("\r\n") != std::string::npos) inner->report(name, "has a line end in it");
    if (value) read.push_back({name, std::move(*value), !from_file && member.value.front().written.empty()});
  }
  inner->finish();
  return read;
}

bool is_authorization(std::string_view name) {
  return same_name(name, "Authorization");
}

bool is_content_type(std::string_view name) {
  return same_name(name, "Content-Type");
}

bool is_public_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> all{"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Pragma"};
  return std::ranges::any_of(all, [&](std::string_view one) { return same_name(one, name); });
}

}  // namespace flipback::net
