#include "agent/deployment/log_witness.hpp"

#include "agent/deployment/asking.hpp"
#include "probes/access_log/attempts.hpp"
#include "probes/access_log/terms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

namespace al = access_log;
using al::field;

double seconds_of(wall_time at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

bool can_witness(const al::line_format& format) {
  return format.has(field::upstream) && !format.can_be_forged();
}

std::vector<witness_log> of_nginx(const rollback::nginx_configuration& nginx) {
  std::vector<witness_log> found;
  for (const access_log_directive& log : nginx.access_logs) {
    if (log.forgeable) continue;
    auto format = al::line_format::from_text(log.format);
    if (format && can_witness(*format)) found.push_back({log.path, std::move(*format)});
  }
  return found;
}

std::vector<witness_log> of_probes(const config::configuration& configured) {
  std::vector<witness_log> found;
  for (const config::probe_entry& probe : configured.probes) {
    if (probe.type != "access_log") continue;
    settings::diagnostics said_before;
    settings::section table(probe.table, "probes." + probe.name, said_before);
    al::terms terms = al::read_terms(table);
    if (terms.is_socket || !can_witness(terms.format)) continue;
    for (std::string& path : terms.paths) found.push_back({std::move(path), terms.format});
  }
  return found;
}

unsigned status_in(std::optional<double> number) {
  return number && *number >= 100 && *number <= 599 ? static_cast<unsigned>(*number) : 0;
}

void go_to_end(al::tail& of) {
  of.start_near_end(0);
  // Opens it: what is renamed from here on is still read to its end.
  (void)of.read([](std::string_view) {});
}

std::unique_ptr<al::tail> at_its_end(const std::string& path) {
  auto made = std::make_unique<al::tail>(path);
  go_to_end(*made);
  return made;
}

}  // namespace

std::vector<witness_log> witness_logs(const rollback::nginx_configuration* nginx, const config::configuration& configured) {
  std::vector<witness_log> found = nginx == nullptr ? std::vector<witness_log>{} : of_nginx(*nginx);
  if (!found.empty()) return found;
  found = of_probes(configured);
  // What nginx itself says of its log is so, whatever the probe takes the format for.
  const auto is_none = [&](const witness_log& log) {
    return nginx != nullptr && std::ranges::any_of(nginx->access_logs, [&](const access_log_directive& d) {
             return (d.forgeable || !d.format.empty()) && al::is_same_log(log.path, d.path);
           });
  };
  std::erase_if(found, is_none);
  return found;
}

log_witness::log_witness(std::vector<witness_log> logs, slot_addresses addresses, std::size_t slots, std::function<wall_time()> clock)
    : addresses_(addresses), slots_(slots), clock_(std::move(clock)), looked_(seconds_of(clock_())) {
  learn(std::move(logs), std::move(addresses));
}

void log_witness::learn(std::vector<witness_log> logs, slot_addresses addresses) {
  addresses_ = std::move(addresses);
  std::vector<open_log> before = std::exchange(logs_, {});
  for (witness_log& log : logs) {
    auto same = std::ranges::find(logs_, log.path, &open_log::path);
    if (same == logs_.end()) {
      const auto was = std::ranges::find(before, log.path, &open_log::path);
      logs_.push_back({log.path, {}, was == before.end() ? at_its_end(log.path) : std::move(was->tail)});
      same = logs_.end() - 1;
    }
    same->formats.push_back(std::move(log.format));
  }
}

void log_witness::mark() {
  looked_ = seconds_of(clock_());
  nonce_.clear();
  own_.reset();
  for (open_log& log : logs_) go_to_end(*log.tail);
}

bool log_witness::is_own(const al::line& read, std::string_view text) const {
  if (nonce_.empty()) return false;
  // Nobody else knew the nonce before it was sent, wherever in the line it stands.
  return read.text(field::agent) == agent_with(nonce_) || text.contains(query_with(nonce_));
}

void log_witness::take(open_log& from, std::string_view text, double since, log_sighting& into) {
  al::line read;
  const auto reads = [&](al::line_format& format) { return format.read(text, read) && status_in(read.number(field::status)) != 0; };
  // A line without the field does not say that no upstream was asked: it says nothing of it.
  if (std::ranges::none_of(from.formats, reads) || !read.has(field::upstream)) return;
  const al::attempts tries = al::attempts_of(read);
  const al::attempt* const last = tries.size == 0 ? nullptr : tries.end() - 1;
  const auto slot = last == nullptr ? std::nullopt : addresses_.slot_of(last->upstream);
  if (is_own(read, text)) {
    own_line line;
    line.slot = slot;
    if (last != nullptr) line.upstream = last->upstream;
    if (const auto pid = read.number(field::pid)) line.worker = static_cast<pid_t>(*pid);
    line.status = status_in(read.number(field::status));
    line.upstream_status = last == nullptr ? 0 : static_cast<unsigned>(last->status);
    // Where one nginx passes to another, both log it; the one that knows a slot counts.
    if (!own_ || !own_->slot) own_ = std::move(line);
    return;
  }
  const auto ended = read.time();
  const auto took = read.number(field::request_time);
  const bool others = !read.text(field::agent).starts_with("flipback/");
  // A time in whole seconds is the earliest that it can be, and so is what follows from it.
  if (slot && others && ended && took && *ended - *took > since) ++into.answered[*slot];
}

void log_witness::read(open_log& from, double since, log_sighting& into) {
  const auto take_line = [&](std::string_view text) { take(from, text, since, into); };
  auto more = from.tail->read(take_line);
  for (std::size_t taken = al::tail::most_at_once; more && *more && taken < most_a_look; taken += al::tail::most_at_once)
    more = from.tail->read(take_line);
  if (!more) {
    into.says = fmt::format("{} {}", from.path, more.error().says);
    return;
  }
  into.readable = true;
  if (*more) from.tail->start_near_end(0);
}

log_sighting log_witness::look(const std::string& nonce) {
  const bool again = !nonce.empty() && nonce_ == nonce;
  const double before = std::exchange(looked_, seconds_of(clock_()));
  if (!again) since_ = before;
  if (!again) own_.reset();
  nonce_ = nonce;
  log_sighting found;
  found.answered.resize(slots_);
  if (logs_.empty()) found.says = "no access log is known that names upstreams: give its log_format $upstream_addr and $http_user_agent";
  for (open_log& log : logs_) read(log, since_, found);
  if (found.readable) found.says.clear();
  if (own_) found.our_question = own_->slot;
  return found;
}

}  // namespace flipback::deployment
