#include "probes/prometheus/targets.hpp"

#include "flipback/percent.hpp"

#include <utility>

namespace flipback::prometheus {

namespace {

/// `Get "http://127.0.0.1:9001/metrics": dial tcp …` without what comes before the reason: the address is said anyway.
std::string reason_in(std::string_view last_error) {
  const std::size_t end = last_error.starts_with("Get \"") ? last_error.find("\": ") : std::string_view::npos;
  return std::string(end == std::string_view::npos ? last_error : last_error.substr(end + 3));
}

}  // namespace

void targets_state::add(targets_state other) {
  all += other.all;
  unscraped += other.unscraped;
  for (down_target& t : other.down) down.push_back(std::move(t));
}

std::string targets_path(std::string_view job) {
  std::string path = "/api/v1/targets?state=active";
  if (!job.empty()) path.append("&scrapePool=").append(percent_encoded(job));
  return path;
}

net::result<targets_state> read_targets(const json::value& data, const std::function<bool(std::string_view)>& wanted) {
  const json::array* targets = net::array_at(data, "/activeTargets");
  if (targets == nullptr)
    return std::unexpected(net::failure{reason::bad_answer, "GET /api/v1/targets answered JSON without activeTargets"});
  targets_state made;
  for (const json::value& target : *targets) {
    std::string job = net::text_at(target, "/scrapePool").value_or("");
    if (!wanted(job)) continue;
    ++made.all;
    const auto health = net::text_at(target, "/health");
    if (health == "down")
      made.down.push_back({std::move(job), net::text_at(target, "/labels/instance").value_or("?"),
                           reason_in(net::text_at(target, "/lastError").value_or(""))});
    else if (health != "up")
      ++made.unscraped;
  }
  return made;
}

}  // namespace flipback::prometheus
