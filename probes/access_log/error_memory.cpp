#include "probes/access_log/error_memory.hpp"

#include "probes/access_log/traffic.hpp"

#include <fmt/format.h>

namespace flipback::access_log {

namespace {

std::vector<error_share> shares_of(const heavy_hitters& counted) {
  constexpr std::size_t most = 5;
  std::vector<error_share> made;
  for (auto& [key, count] : counted.largest(most))
    made.push_back({std::move(key), static_cast<double>(count) / static_cast<double>(counted.total())});
  return made;
}

}  // namespace

void error_memory::add(const held_against_live& seen, instant at, double wall) {
  while (!pieces_.empty() && pieces_.front().from + part <= at - kept) pieces_.pop_front();
  while (!requesters_.empty() && requesters_.front().from + part <= at - kept) requesters_.pop_front();
  if (seen.clients.total() > 0) {
    if (requesters_.empty() || at - requesters_.back().from >= part) requesters_.push_back({at, {}});
    requesters_.back().clients.merge(seen.clients);
  }
  if (seen.failing_requests.total() == 0 && seen.slow.kept().empty()) return;
  if (pieces_.empty() || at - pieces_.back().from >= part) pieces_.push_back({.from = at});
  pieces_.back().clients.merge(seen.failing_clients);
  pieces_.back().requests.merge(seen.failing_requests);
  pieces_.back().safe += seen.safe_errors;
  pieces_.back().hung += seen.hung_errors;
  pieces_.back().failed.merge(seen.failed, chance_);
  pieces_.back().slow.merge(seen.slow, chance_);
  pieces_.back().wall_ahead = wall - to_seconds(at.time_since_epoch());
}

void error_memory::forget() {
  pieces_.clear();
  requesters_.clear();
}

error_shares error_memory::since(instant begin) const {
  heavy_hitters clients;
  heavy_hitters requests;
  error_shares made;
  for (const piece& p : pieces_) {
    const auto take = [&](const failed_sample& from, std::vector<failed_request>& into) {
      for (const failed_sample::one& one : from.kept()) {
        if (one.began + one.request.waited - p.wall_ahead >= to_seconds(begin.time_since_epoch())) into.push_back(one.request);
      }
    };
    take(p.failed, made.sample);
    take(p.slow, made.slow);
    if (p.from < begin) continue;
    clients.merge(p.clients);
    requests.merge(p.requests);
    made.safe_errors += p.safe;
    made.hung_errors += p.hung;
  }
  // The piece that began before is left out whole; until there is one that did not, the sample tells by chance what it can tell for each.
  if (requests.total() == 0) {
    for (const failed_request& one : made.sample) {
      requests.add(fmt::format("{} {}", one.method, one.target.substr(0, one.target.find('?'))));
      if (!one.client.empty()) clients.add(client_of(one.client));
      if (is_safe(one.method)) ++made.safe_errors;
      if (one.status < 500) ++made.hung_errors;
    }
  }
  heavy_hitters requesters;
  for (const requesters_piece& p : requesters_) {
    if (p.from + part > begin) requesters.merge(p.clients);
  }
  made.errors = requests.total();
  made.clients = shares_of(clients);
  made.requests = shares_of(requests);
  made.requesters = shares_of(requesters);
  return made;
}

}  // namespace flipback::access_log
