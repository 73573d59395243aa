#include "probes/access_log/variables.hpp"

#include <algorithm>
#include <array>

namespace flipback::access_log {

namespace {

// nginx.org/en/docs/varindex.html. Of a path the client's own writing is best: $uri is decoded, and an error page or a rewrite changes it.
// A host may have any character but a space, a slash and controls (ngx_http_validate_host), a method only letters, - and _
// (ngx_http_parse_request_line).
constexpr std::array known{
    variable{"msec", shape::number, field::time, 2},
    variable{"time_iso8601", shape::iso_time, field::time, 1},
    variable{"time_local", shape::local_time, field::time, 0},
    variable{"status", shape::number, field::status},
    variable{"host", shape::spaceless, field::host, 2},
    variable{"http_host", shape::anything, field::host, 1},
    variable{"server_name", shape::spaceless, field::host, 0},
    variable{"request_method", shape::word, field::method, 1},
    variable{"request_uri", shape::anything, field::path, 2},
    variable{"request", shape::anything, field::path, 1},
    variable{"uri", shape::anything, field::path, 0},
    variable{"document_uri", shape::anything, field::path, 0},
    variable{"http_user_agent", shape::anything, field::agent},
    variable{"remote_addr", shape::word, field::client, 1},
    variable{"the_real_ip", shape::word, field::client, 0},  // this and two more are ingress-nginx's own
    variable{"proxy_upstream_name", shape::word},
    variable{"proxy_alternative_upstream_name", shape::word},
    variable{"request_time", shape::number, field::request_time},
    variable{"upstream_addr", shape::attempts, field::upstream},
    variable{"upstream_status", shape::attempts, field::upstream_status},
    variable{"upstream_header_time", shape::attempts, field::header_time},
    variable{"upstream_response_time", shape::attempts, field::response_time},
    variable{"pid", shape::number, field::pid},
    variable{"upstream_connect_time", shape::attempts},
    variable{"upstream_bytes_received", shape::attempts},
    variable{"upstream_bytes_sent", shape::attempts},
    variable{"upstream_response_length", shape::attempts},
    variable{"upstream_cache_status", shape::word},
    variable{"body_bytes_sent", shape::number},
    variable{"bytes_sent", shape::number},
    variable{"request_length", shape::number},
    variable{"connection", shape::number},
    variable{"connection_requests", shape::number},
    variable{"connection_time", shape::number},
    variable{"gzip_ratio", shape::number},
    variable{"hostname", shape::word},
    variable{"limit_req_status", shape::word},
    variable{"limit_conn_status", shape::word},
    variable{"pipe", shape::word},
    variable{"remote_port", shape::number},
    variable{"request_id", shape::word},
    variable{"scheme", shape::word},
    variable{"server_addr", shape::word},
    variable{"server_port", shape::number},
    variable{"server_protocol", shape::word},
    variable{"ssl_cipher", shape::word},
    variable{"ssl_protocol", shape::word},
};

}  // namespace

bool may_contain(shape s, char c) {
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  switch (s) {
    case shape::number:
      return digit || c == '.' || c == '-';
    case shape::word:
      return digit || letter || c == '.' || c == '_' || c == ':' || c == '/' || c == '-';
    case shape::attempts:
      return may_contain(shape::word, c) || c == '[' || c == ']';
    case shape::spaceless:
      return c != ' ';
    case shape::anything:
    case shape::local_time:
    case shape::iso_time:
      return true;
  }
  return true;
}

variable variable_named(std::string_view name) {
  const auto* const at = std::ranges::find(known, name, &variable::name);
  return at == known.end() ? variable{name} : *at;
}

std::string_view best_variable_for(field f) {
  const variable* best = nullptr;
  for (const variable& v : known) {
    if (v.gives == f && (best == nullptr || v.rank > best->rank)) best = &v;
  }
  return best == nullptr ? std::string_view() : best->name;
}

}  // namespace flipback::access_log
