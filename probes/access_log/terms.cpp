#include "probes/access_log/terms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

namespace flipback::access_log {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void read_fields(settings::section& from, line_format& format) {
  auto inner = from.inner("fields");
  if (!inner) return;
  if (from.has("format") && from.text("format", "") != "json") {
    inner->report_here("stands beside a format, which says it all; expected one of them");
  }
  field_keys into;
  for (std::size_t i = 0; i < field_count; ++i) {
    const std::string_view name = name_of(static_cast<field>(i));
    into[i] = inner->text(name, "");
  }
  for (const field needed : {field::status, field::upstream}) {
    if (!inner->has(name_of(needed))) inner->report_here(fmt::format("has no {}, expected the log's key for it", name_of(needed)));
  }
  inner->finish();
  format = line_format(std::move(into));
}

void read_format(settings::section& from, line_format& into) {
  const auto text = from.text("format");
  if (!text) return;
  auto read = line_format::from_text(*text);
  if (read)
    into = std::move(*read);
  else
    from.report("format", read.error());
}

/// Texts that are held against a field, which they can't be where the log does not have it.
std::vector<std::string> read_texts(settings::section& from, std::string_view key, field f, const line_format& format) {
  std::vector<std::string> read = from.texts(key);
  if (read.empty() || format.has(f)) return read;
  const std::string unclear = format.unclear(f);
  from.report(key, fmt::format("is held against {}, which the log's format does not have{}", format.written_as(f),
                               unclear.empty() ? "" : fmt::format(" so that it could be told: it {}", unclear)));
  return read;
}

void read_place(settings::section& from, terms& into) {
  constexpr std::size_t longest_socket = 103;  // unix(7): 107 characters, of which four are for the name while it is bound
  into.is_socket = from.has("syslog");
  if (into.is_socket && from.has("path")) from.report("syslog", "stands beside path, expected one of them");
  const std::string_view key = into.is_socket ? "syslog" : "path";
  const std::string_view example = into.is_socket ? "/run/flipback/access.sock" : "/var/log/nginx/access.json";
  if (into.is_socket || !from.has(key))
    into.paths = {from.required_text(key, example)};
  else
    into.paths = from.texts(key);
  const auto is_no_path = [](const std::string& path) { return !path.starts_with('/'); };
  const bool none = into.paths.empty() && from.shown(key) == "an array";
  if (from.has(key) && (none || std::ranges::any_of(into.paths, is_no_path)))
    from.report(key, fmt::format("found {}, expected an absolute path such as \"{}\"{}", from.shown(key), example,
                                 into.paths.size() == 1 ? "" : ", each of them"));
  if (into.is_socket && into.paths.front().size() > longest_socket)
    from.report(key, fmt::format("found {} characters, expected at most {}, as a Unix socket's path may have", into.paths.front().size(),
                                 longest_socket));
  for (const std::string_view other : {"socket_mode", "socket_group"}) {
    if (!into.is_socket && from.has(other)) from.report(other, "is for a socket, expected a log with syslog = \"/path\"");
  }
  into.access.group = from.text("socket_group", "");
  const std::string mode = from.text("socket_mode", "0660");
  const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), into.access.mode, 8);
  if (error != std::errc{} || end != mode.data() + mode.size() || into.access.mode > 0777)
    from.report("socket_mode", fmt::format("found {}, expected an octal mode such as \"0660\"", from.shown("socket_mode")));
}

}  // namespace

bool is_same_log(const std::string& one, const std::string& other) {
  std::error_code unknown;
  return one == other || std::filesystem::equivalent(one, other, unknown);
}

std::vector<access_log_directive> written_to(std::span<const std::string> paths, const std::vector<access_log_directive>& all) {
  std::vector<access_log_directive> found;
  const auto is_its = [&](const access_log_directive& d) {
    return std::ranges::any_of(paths, [&](const std::string& path) { return is_same_log(d.path, path); });
  };
  std::ranges::copy_if(all, std::back_inserter(found), is_its);
  return found;
}

terms read_terms(settings::section& from) {
  terms t;
  read_place(from, t);
  read_format(from, t.format);
  read_fields(from, t.format);
  if (from.has("health_paths")) t.leave_out.health_paths = read_texts(from, "health_paths", field::path, t.format);
  t.leave_out.slow_paths = read_texts(from, "slow_paths", field::path, t.format);
  if (auto exclude = from.inner("exclude")) {
    t.leave_out.paths = read_texts(*exclude, "paths", field::path, t.format);
    t.leave_out.hosts = read_texts(*exclude, "hosts", field::host, t.format);
    t.leave_out.methods = read_texts(*exclude, "methods", field::method, t.format);
    t.leave_out.agents = read_texts(*exclude, "agents", field::agent, t.format);
    exclude->finish();
  }
  t.hang_after = from.span("hang_after", t.hang_after, milliseconds(1), std::chrono::minutes(10));
  t.slow_after = from.span("slow_after", t.slow_after, milliseconds(1), std::chrono::minutes(10));
  t.catch_up = from.span("catch_up", t.catch_up, duration{}, std::chrono::hours(1));
  t.lag_limit = from.span("lag_limit", t.lag_limit, seconds(1), std::chrono::minutes(10));
  from.finish();
  return t;
}

}  // namespace flipback::access_log
