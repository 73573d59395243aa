#include "probes/access_log/error_memory.hpp"

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

void error_memory::add(const pool& seen, instant at) {
  while (!pieces_.empty() && pieces_.front().from + part <= at - kept) pieces_.pop_front();
  while (!requesters_.empty() && requesters_.front().from + part <= at - kept) requesters_.pop_front();
  if (seen.clients.total() > 0) {
    if (requesters_.empty() || at - requesters_.back().from >= part) requesters_.push_back({at, {}});
    requesters_.back().clients.merge(seen.clients);
  }
  if (seen.failing_requests.total() == 0) return;
  if (pieces_.empty() || at - pieces_.back().from >= part) pieces_.push_back({at, {}, {}});
  pieces_.back().clients.merge(seen.failing_clients);
  pieces_.back().requests.merge(seen.failing_requests);
}

error_shares error_memory::since(instant begin) const {
  heavy_hitters clients;
  heavy_hitters requests;
  for (const piece& p : pieces_) {
    if (p.from < begin) continue;
    clients.merge(p.clients);
    requests.merge(p.requests);
  }
  heavy_hitters requesters;
  for (const requesters_piece& p : requesters_) {
    if (p.from + part > begin) requesters.merge(p.clients);
  }
  error_shares made;
  made.errors = requests.total();
  made.clients = shares_of(clients);
  made.requests = shares_of(requests);
  made.requesters = shares_of(requesters);
  return made;
}

}  // namespace flipback::access_log
