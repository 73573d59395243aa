#include "probes/access_log/line.hpp"

#include "probes/access_log/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace flipback::access_log {

namespace {

constexpr std::array<std::string_view, field_count> names{"time",        "status",        "host",         "method",   "path",
                                                          "agent",       "client",        "request_time", "upstream", "upstream_status",
                                                          "header_time", "response_time", "pid"};

/// The closing quote of a JSON string that begins at `from`, or null.
const char* closing_quote(const char* from, const char* end) {
  while (from < end) {
    const auto* quote = static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end - from)));
    if (quote == nullptr) return nullptr;
    const char* slash = quote;
    while (slash > from && slash[-1] == '\\') --slash;
    if ((quote - slash) % 2 == 0) return quote;
    from = quote + 1;
  }
  return nullptr;
}

const char* skip_space(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t')) ++at;
  return at;
}

/// Where a value without quotes ends, or null: before the next key, or before the brace that ends the line. It may be empty (nginx had
/// none), or a list ("502, 200 : 200": one for each attempt). A client can end it nowhere else: its quotes are escaped.
const char* end_of_unquoted(const char* at, const char* end) {
  for (; at < end && *at != '"'; ++at) {
    const char* const next = skip_space(at + 1, end);
    if (*at == '\\' && ++at == end) return nullptr;
    if (*at == ',' && next < end && *next == '"') return at;
    if (*at == '}' && next == end) return at;
  }
  return nullptr;
}

/// One past the end of an object or a list that begins at `at`, or null.
const char* end_of_nested(const char* at, const char* end) {
  for (std::size_t depth = 0; at != nullptr && at < end; ++at) {
    if (*at == '"') at = closing_quote(at + 1, end);
    if (at == nullptr) return nullptr;
    if (*at == '{' || *at == '[') ++depth;
    if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
  }
  return nullptr;
}

std::string_view without_spaces(const char* from, const char* to) {
  while (to > from && (to[-1] == ' ' || to[-1] == '\t')) --to;
  return {from, static_cast<std::size_t>(to - from)};
}

}  // namespace

std::string_view name_of(field f) {
  return names.at(static_cast<std::size_t>(f));
}

field_keys recommended_keys() {
  field_keys keys;
  for (std::size_t i = 0; i < field_count; ++i) keys[i] = names[i];
  return keys;
}

std::optional<double> line::number(field f) const {
  const std::string_view value = text(f);
  double parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
  return parsed;
}

std::optional<double> line::time() const {
  return seconds_since_1970(text(field::time));
}

void line::take_request(std::string_view text, bool with_path) {
  // A client that sent no request line leaves both without a value, and the log has them all the same.
  values[static_cast<std::size_t>(field::method)] = text.substr(0, 0);
  if (with_path) values[static_cast<std::size_t>(field::path)] = text.substr(0, 0);
  const std::size_t method_end = text.find(' ');
  const std::string_view method = text.substr(0, method_end);
  const auto is_method = [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
  if (method_end == std::string_view::npos || !std::ranges::all_of(method, is_method)) return;
  values[static_cast<std::size_t>(field::method)] = method;
  if (!with_path) return;
  std::string_view target = text.substr(method_end + 1);
  if (const std::size_t version = target.rfind(" HTTP/"); version != std::string_view::npos) target = target.substr(0, version);
  if (const std::size_t authority = target.find("://"); !target.starts_with('/') && authority != std::string_view::npos)
    target.remove_prefix(std::min(target.find('/', authority + 3), target.size()));
  values[static_cast<std::size_t>(field::path)] = without_query(target);
}

std::string_view without_query(std::string_view address) {
  return address.substr(0, address.find('?'));
}

void line_reader::assign(std::string_view key, std::string_view value, line& into) {
  for (std::size_t tried = 0; tried < field_count; ++tried) {
    if (next_ >= field_count) next_ = 0;
    const std::size_t i = next_++;
    if (keys_[i] != key) continue;
    if (value == "-") value = value.substr(0, 0);  // the field is there, and has no value
    if (i != static_cast<std::size_t>(field::path) || value.empty())
      into.values[i] = value;
    else if (value.starts_with('/'))
      into.values[i] = without_query(value);
    else if (value.contains(' '))
      into.take_request(value, true);
    return;
  }
}

bool line_reader::read(std::string_view text, line& into) {
  into.values.fill({});
  const char* at = skip_space(text.data(), text.data() + text.size());
  const char* const end = text.data() + text.size();
  if (at == end || *at != '{') return false;
  at = skip_space(at + 1, end);
  if (at < end && *at == '}') return true;
  while (at < end) {
    if (*at != '"') return false;
    const char* const key_end = closing_quote(at + 1, end);
    if (key_end == nullptr) return false;
    const std::string_view key(at + 1, static_cast<std::size_t>(key_end - at - 1));
    at = skip_space(key_end + 1, end);
    if (at == end || *at != ':') return false;
    at = skip_space(at + 1, end);
    if (at == end) return false;
    if (*at == '"') {
      const char* const value_end = closing_quote(at + 1, end);
      if (value_end == nullptr) return false;
      assign(key, {at + 1, static_cast<std::size_t>(value_end - at - 1)}, into);
      at = value_end + 1;
    } else if (*at == '{' || *at == '[') {
      at = end_of_nested(at, end);
      if (at == nullptr) return false;
    } else {
      const char* const value_end = end_of_unquoted(at, end);
      if (value_end == nullptr) return false;
      assign(key, without_spaces(at, value_end), into);
      at = value_end;
    }
    at = skip_space(at, end);
    if (at == end) return false;
    if (*at == '}') return true;
    if (*at != ',') return false;
    at = skip_space(at + 1, end);
  }
  return false;
}

}  // namespace flipback::access_log
