#include "probes/access_log/lacking.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>

namespace flipback::access_log {

namespace {

/// What a measurement needs, of which any one will do; the first is what is best.
std::vector<field> needed_for(std::string_view name, const abilities& has) {
  const std::size_t dot = name.rfind('.');
  const std::string_view last = name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  const bool is_of_live = name.starts_with("live.") || name == "elsewhere";
  if (!has.slots && (dot != std::string_view::npos || is_of_live)) return {field::upstream};
  if (!has.attempts && dot != std::string_view::npos && !is_of_live) return {field::upstream_status};
  if (last == "error_rate_by_path") return {field::path};
  if (last == "lag") return {field::time};
  if (last.starts_with("local_")) return {field::upstream, field::upstream_status, field::response_time};
  if (dot != std::string_view::npos && !is_of_live) return {field::header_time, field::response_time};
  return {field::request_time, field::header_time, field::response_time};
}

std::string said(std::string_view name, const line_format& format) {
  const std::vector<field> needed = needed_for(name, abilities(format));
  std::vector<std::string> all;
  for (const field f : needed) all.push_back(format.written_as(f));
  const std::string says = fmt::format("the log's format has no {}", fmt::join(all, ", nor "));
  const auto unclear = std::ranges::find_if(needed, [&](field f) { return !format.unclear(f).empty(); });
  return unclear == needed.end() ? says : fmt::format("{} that could be told: it {}", says, format.unclear(*unclear));
}

}  // namespace

std::vector<lacking_signal> lacking(const line_format& format, std::span<const slot_upstreams> slots) {
  const traffic_signals whole(abilities(line_format(recommended_keys())), slots, {});
  const traffic_signals mine(abilities(format), slots, {});
  std::vector<lacking_signal> all;
  for (const measurement_declaration& d : whole.declares()) {
    const bool given = std::ranges::any_of(mine.declares(), [&](const measurement_declaration& m) { return m.name == d.name; });
    if (!given) all.push_back({std::string(d.name), said(d.name, format)});
  }
  return all;
}

}  // namespace flipback::access_log
