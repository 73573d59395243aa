#include "probes/access_log/traffic.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr int client_closed = 499;  // nginx's own: the client hung up before the answer
constexpr int too_many = 429;
constexpr int old_http = 9;                   // nginx's "009": HTTP/0.9 has no status
constexpr std::size_t longest_target = 4096;  // bytes of what is kept to be asked again
constexpr std::size_t most_owners = 256;      // upstreams that are remembered; an address that a name led to may have changed meanwhile

/// A line's status, or nothing where it is none. nginx writes 000 where a request ended without any: its client was gone.
std::optional<int> status_in(const line& of) {
  const auto written = of.number(field::status);
  if (written == 0) return client_closed;
  if (!written || (*written != old_http && (*written < 100 || *written > 599))) return std::nullopt;
  return static_cast<int>(*written);
}

/// Nobody can tell of a request without any time when it began.
bool is_after(std::optional<double> began, double when) {
  return began && *began > when;
}

/// The time that the request's upstreams took together: a retry makes the user wait for both.
std::optional<double> total_latency(const attempts& tries) {
  std::optional<double> total;
  for (const attempt& one : tries) {
    if (const auto latency = one.latency()) total = total.value_or(0) + *latency;
  }
  return total;
}

/// The path and the query that stands behind it in the line; the path alone where the log has no query, or one that nginx had to escape.
std::string target_in(std::string_view path, std::string_view text) {
  const std::size_t from = path.empty() ? text.size() : static_cast<std::size_t>(path.data() - text.data()) + path.size();
  if (from >= text.size() || text[from] != '?') return std::string(path);
  const std::string_view query = text.substr(from, text.substr(from).find_first_of(" \"\t"));
  if (query.contains('\\') || query.size() > longest_target) return std::string(path);
  return std::string(path) + std::string(query);
}

}  // namespace

std::string client_of(std::string_view address) {
  in6_addr parsed{};
  std::string text(address);
  if (!address.contains(':') || ::inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return ::inet_ntop(AF_INET, &parsed.s6_addr[12], written.data(), written.size());
  std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), 0);
  return fmt::format("{}/64", ::inet_ntop(AF_INET6, &parsed, written.data(), written.size()));
}

traffic::traffic(line_format format, filter leave_out, double hang_after, const std::vector<slot_upstreams>& slots, double slow_after)
    : format_(std::move(format)),
      can_tell_(format_),
      leave_out_(std::move(leave_out)),
      hang_after_(hang_after),
      slow_after_(slow_after),
      slot_count_(can_tell_.slots ? slots.size() : 0),
      addresses_(std::make_shared<const nginx::slot_addresses>(slots)) {
  since_.slots.resize(slot_count_);
}

void traffic::goes_by(std::shared_ptr<const nginx::slot_addresses> addresses) {
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  owners_.clear();
}

bool traffic::route::reached(std::size_t slot) const {
  return std::ranges::find(slots.begin(), slots.begin() + tries.size, std::optional(slot)) != slots.begin() + tries.size;
}

int traffic::route::before_it_left() const {
  return last_of_slots && *last_of_slots + 1 < tries.size ? tries.list[*last_of_slots].status : 0;
}

const nginx::slot_addresses::owner& traffic::owner_of(std::string_view upstream) {
  if (const auto known = owners_.find(upstream); known != owners_.end()) return known->second;
  if (owners_.size() == most_owners) owners_.clear();
  return owners_.emplace(upstream, addresses_->owner_of(upstream)).first->second;
}

traffic::route traffic::route_of(const line& of) {
  route made{.tries = attempts_of(of), .slots = {}};
  if (slot_count_ == 0) return made;
  for (std::size_t i = 0; i < made.tries.size; ++i) {
    const auto& whose = owner_of(made.tries.list[i].upstream);
    made.slots[i] = whose.slot;
    made.to_a_slot = made.to_a_slot || whose.is_a_slots;
    if (whose.is_a_slots) made.last_of_slots = i;
  }
  return made;
}

/// Whether nginx answered by itself. In a log without addresses, what went to an upstream has a time or a status of it; but for a status
/// alone, which there is none of where the client hung up first.
bool traffic::is_local(const line& of, const route& by, int status) const {
  if (can_tell_.slots) return by.tries.size == 0;
  if (!can_tell_.local || !of.text(field::response_time).empty() || !of.text(field::upstream_status).empty()) return false;
  return status != client_closed || format_.has(field::response_time);
}

void traffic::count_local(int status) {
  ++since_.local;
  if (status >= 300) ++since_.local_errors;
  if (status >= 500) ++since_.local_failures;
}

void traffic::add(std::string_view text, std::optional<double> arrived) {
  line read;
  const auto status = format_.read(text, read) ? status_in(read) : std::nullopt;
  if (!status) {
    ++since_.malformed;
    return;
  }
  for (std::size_t i = 0; i < field_count; ++i) seen_[i] = seen_[i] || read.has(static_cast<field>(i));
  const auto time = read.time();
  if (time) since_.newest_line = std::max(since_.newest_line, *time);
  if (!leave_out_.lets_in(read)) return;
  int final_status = *status;
  const route by = route_of(read);
  if (is_local(read, by, final_status)) {
    count_local(final_status);
    return;
  }
  if (slot_count_ > 0 && !by.to_a_slot) {
    ++since_.elsewhere;
    return;
  }
  // Where the slot's own answer was no error, the error is of what nginx asked after it.
  if (const int own = by.before_it_left(); final_status >= 500 && own > 0 && own < 500) final_status = own;
  const auto waited = read.number(field::request_time);
  const bool slow_path = leave_out_.is_slow_path(read);
  const bool hung = final_status == client_closed && !slow_path && is_headless(by.tries) && waited > hang_after_;
  std::optional<double> latency = final_status == client_closed && waited ? waited : latency_of(read, by.tries);
  const double took = waited.value_or(latency.value_or(0));
  if (final_status == 101 || slow_path) latency.reset();
  count(since_.all, final_status, hung, latency);
  paths_.add(read.text(field::path), final_status >= 500 || hung);
  if (can_tell_.attempts) count_attempts(by, hung, slow_path);
  const auto ended = time ? time : arrived;
  const auto began = ended ? std::optional(*ended - took) : std::nullopt;
  const bool is_new = !live_.since || is_after(began, *live_.since);  // where nobody tells of a cutover, none lies behind one
  const bool is_lives = slot_count_ > 0 && live_.slot && by.reached(*live_.slot) && is_new;
  if (is_lives) count(since_.live, final_status, hung, latency);
  if (is_lives && live_.anew && is_after(began, *live_.anew)) count(since_.anew, final_status, hung, latency);
  const bool is_held = slot_count_ > 0 && live_.slot ? is_lives : is_new;
  const std::string_view client = read.text(field::client);
  if (is_held && !client.empty()) since_.clients.add(client_of(client));
  if (is_held && latency && *latency > slow_after_) sample(read, text, since_.slow);
  if (final_status < 500 && !hung) return;
  note_error(read, text, is_held);
  if (final_status < 500 && is_held) ++since_.hung_errors;
}

/// Whether the client had no header to see when it hung up; false where the log can't tell.
bool traffic::is_headless(const attempts& tries) const {
  if (tries.size == 0) return false;
  const attempt& last = tries.list[tries.size - 1];
  return can_tell_.header_times ? !last.header_time : can_tell_.attempts && last.status == 0;
}

/// The upstreams' time; where the log has no such, the request's, of which a slow client is a part.
std::optional<double> traffic::latency_of(const line& of, const attempts& tries) const {
  return can_tell_.attempt_times ? total_latency(tries) : of.number(field::request_time);
}

void traffic::note_error(const line& of, std::string_view text, bool is_lives) {
  const std::string_view method = of.text(field::method);
  const std::string_view path = of.text(field::path);
  const std::string asked = method.empty() ? std::string(path) : fmt::format("{} {}", method, path);
  since_.errors_top.add(asked);
  if (!is_lives) return;
  since_.failing_requests.add(asked);
  const std::string_view client = of.text(field::client);
  if (!client.empty()) since_.failing_clients.add(client_of(client));
  if (is_safe(method)) ++since_.safe_errors;
  sample(of, text, since_.failed);
}

/// What may be asked again.
void traffic::sample(const line& of, std::string_view text, failed_sample& into) {
  const std::string_view path = of.text(field::path);
  const auto time = of.time();
  if (!time || path.size() > longest_target) return;
  const auto status = static_cast<unsigned>(of.number(field::status).value_or(0));
  failed_sample::one kept{{std::string(of.text(field::method)), target_in(path, text), status, std::string(of.text(field::client)), 0}, 0};
  kept.request.waited = of.number(field::request_time).value_or(0);
  kept.began = *time - kept.request.waited;
  into.add(std::move(kept), chance_);
}

std::optional<double> traffic::time_of(std::string_view text) {
  line read;
  return format_.read(text, read) ? read.time() : std::nullopt;
}

void traffic::count(tally& into, int status, bool hung, std::optional<double> latency) const {
  ++into.requests;
  if ((status >= 500 && status <= 599) || hung) ++into.errors;
  if (status == too_many)
    ++into.limited;
  else if (status == client_closed)
    ++into.aborted;
  else if (status >= 400 && status <= 499)
    ++into.client_errors;
  else if (status >= 100 && status <= 399)
    ++into.successes;
  if (!latency) return;
  into.latencies.add(*latency);
  if (*latency > slow_after_) ++into.slow;
}

void traffic::count_attempts(const route& by, bool hung, bool slow_path) {
  for (std::size_t i = 0; i < by.tries.size; ++i) {
    if (!by.slots[i]) continue;
    const attempt& one = by.tries.list[i];
    const bool last = i + 1 == by.tries.size;
    // Without a status of its own, the client hung up in the middle of the attempt.
    const int status = one.status != 0 ? one.status : client_closed;
    const bool no_latency = slow_path || status == 101;
    count(since_.slots[*by.slots[i]], status, hung && last, no_latency ? std::nullopt : one.latency());
  }
}

pool traffic::take() {
  pool taken = std::exchange(since_, {});
  taken.by_path = paths_.take();
  since_.slots.resize(slot_count_);
  return taken;
}

void traffic::forget_live() {
  since_.live = since_.anew = {};
  static_cast<held_against_live&>(since_) = {};
}

std::vector<field> traffic::missing() const {
  std::vector<field> none;
  if (std::ranges::none_of(seen_, std::identity{})) return none;
  for (const field f : {field::time, field::agent, field::path, field::request_time, field::upstream, field::upstream_status,
                        field::header_time, field::response_time}) {
    if (!seen_[static_cast<std::size_t>(f)]) none.push_back(f);
  }
  return none;
}

}  // namespace flipback::access_log
