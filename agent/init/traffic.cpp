#include "agent/init/traffic.hpp"

#include "agent/init/toml_text.hpp"
#include "probes/access_log/line_format.hpp"
#include "probes/nginx/directives.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace flipback::init {

namespace {

namespace al = access_log;
using al::field;

constexpr std::string_view how_to_add =
    "Add them to its log_format, or use packaging/nginx/flipback-log.conf: include it in the http block, and in the server that users "
    "reach write access_log /var/log/nginx/flipback.log flipback;";

/// What a rollback rests on: whose answer it was, how it went, who asked, how long it took.
constexpr std::array needed{field::status, field::upstream, field::upstream_status, field::agent, field::request_time};

/// A log whose format is read as the recommended one is: a key for each variable.
bool is_recommended(std::string_view format) {
  const al::field_keys keys = al::recommended_keys();
  return format.starts_with('{') && std::ranges::all_of(keys, [&](const std::string& key) { return format.contains("\"" + key + "\":"); });
}

std::vector<std::string> lacking(const al::line_format& format) {
  std::vector<std::string> found;
  for (const field f : needed) {
    if (!format.has(f)) found.push_back(format.written_as(f));
  }
  return found;
}

/// How much better a log is than others.
int worth(const access_log_directive& log, const std::vector<std::string>& preferred) {
  const bool is_preferred = std::ranges::any_of(
      preferred, [&](const std::string& p) { return (std::filesystem::path("/") / p).lexically_normal().string() == log.path; });
  return (is_preferred ? 8 : 0) + (log.format.contains("$upstream_addr") ? 4 : 0) + (log.conditional ? 0 : 2) + (log.buffered ? 0 : 1);
}

passage with_no_log(std::string why) {
  return {"The traffic, from nginx's access log.", "[probes.traffic]\ntype = \"access_log\"\npath = \"/var/log/nginx/flipback.log\"\n",
          std::move(why)};
}

}  // namespace

void add_traffic(const rollback::nginx_configuration& nginx, const std::vector<std::string>& preferred, draft& to) {
  const auto best = std::ranges::max_element(nginx.access_logs, {}, [&](const access_log_directive& l) { return worth(l, preferred); });
  if (best == nginx.access_logs.end()) {
    to.untold.emplace_back("the traffic: nginx's configuration names no access log that can be read");
    to.passages.push_back(with_no_log("nginx's configuration names no access log that can be read. " + std::string(how_to_add)));
    return;
  }
  to.reads.push_back(best->path);
  passage made{.says = "The traffic, from nginx's access log (nginx -T)."};
  made.toml = fmt::format("[probes.traffic]\ntype = \"access_log\"\npath = {}\n", in_toml(best->path));
  if (!is_recommended(best->format)) {
    made.toml += fmt::format("format = {}\n", best->format == nginx::combined ? "\"combined\"" : in_toml(best->format));
    const auto format = al::line_format::from_text(best->format);
    const std::vector<std::string> lacks = format ? lacking(*format) : std::vector<std::string>{};
    if (!lacks.empty()) {
      made.says +=
          fmt::format("\nIts format has no {}: without that less can be told of each slot, and a rollback rule has less to go by. {}",
                      fmt::join(lacks, ", "), how_to_add);
      to.untold.push_back(fmt::format("what {} does not say: its log_format has no {}", best->path, fmt::join(lacks, ", ")));
    }
  }
  const auto add = [&](bool is_so, std::string_view says) {
    if (is_so) made.says += fmt::format("\n{}", says);
  };
  add(best->conditional, "nginx logs only some requests there (if=): no base for rates. Take that out.");
  add(best->buffered, "nginx buffers it (buffer= or gzip): its lines come late. Take that out, or add flush=1s.");
  add(best->forgeable, "It is written with escape=none, so that clients can write lines of their own into it: write escape=json.");
  to.passages.push_back(std::move(made));
}

}  // namespace flipback::init
