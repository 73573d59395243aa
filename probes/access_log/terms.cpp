#include "probes/access_log/terms.hpp"

#include <fmt/format.h>

namespace flipback::access_log {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void read_fields(settings::section& from, field_keys& into) {
  auto inner = from.inner("fields");
  if (!inner) return;
  for (std::size_t i = 0; i < field_count; ++i) {
    const std::string_view name = name_of(static_cast<field>(i));
    into[i] = inner->text(name, "");
  }
  for (const field needed : {field::status, field::upstream}) {
    if (!inner->has(name_of(needed))) inner->report_here(fmt::format("has no {}, expected the log's key for it", name_of(needed)));
  }
  inner->finish();
}

}  // namespace

terms read_terms(settings::section& from) {
  terms t;
  t.path = from.required_text("path", "/var/log/nginx/access.json");
  if (!t.path.empty() && !t.path.starts_with('/'))
    from.report("path", fmt::format("found {}, expected an absolute path such as \"/var/log/nginx/access.json\"", from.shown("path")));
  read_fields(from, t.keys);
  if (from.has("health_paths")) t.leave_out.health_paths = from.texts("health_paths");
  t.leave_out.slow_paths = from.texts("slow_paths");
  if (auto exclude = from.inner("exclude")) {
    t.leave_out.paths = exclude->texts("paths");
    t.leave_out.hosts = exclude->texts("hosts");
    t.leave_out.methods = exclude->texts("methods");
    t.leave_out.agents = exclude->texts("agents");
    exclude->finish();
  }
  t.hang_after = from.span("hang_after", t.hang_after, milliseconds(1), std::chrono::minutes(10));
  t.catch_up = from.span("catch_up", t.catch_up, duration{}, std::chrono::hours(1));
  t.lag_limit = from.span("lag_limit", t.lag_limit, seconds(1), std::chrono::minutes(10));
  from.finish();
  return t;
}

}  // namespace flipback::access_log
