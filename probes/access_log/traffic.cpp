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
constexpr std::size_t longest_target = 4096;  // bytes of what is kept to be asked again

bool any_prefix(const std::vector<std::string>& prefixes, std::string_view of) {
  return std::ranges::any_of(prefixes, [&](const std::string& p) { return of.starts_with(p); });
}

bool any_equal(const std::vector<std::string>& texts, std::string_view to) {
  return std::ranges::any_of(texts, [&](const std::string& t) { return t == to; });
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

abilities::abilities(const line_format& format)
    : upstreams(format.has(field::upstream)),
      slots(upstreams && format.has(field::upstream_status)),
      header_times(upstreams && format.has(field::header_time)),
      attempt_times(header_times || (upstreams && format.has(field::response_time))),
      latency(attempt_times || format.has(field::request_time)),
      time(format.has(field::time)) {}

std::string client_of(std::string_view address) {
  in6_addr parsed{};
  std::string text(address);
  if (!address.contains(':') || ::inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return ::inet_ntop(AF_INET, &parsed.s6_addr[12], written.data(), written.size());
  std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), 0);
  return fmt::format("{}/64", ::inet_ntop(AF_INET6, &parsed, written.data(), written.size()));
}

traffic::traffic(line_format format, filter leave_out, double hang_after, std::vector<slot_upstreams> slots)
    : format_(std::move(format)), can_tell_(format_), leave_out_(std::move(leave_out)), hang_after_(hang_after), slots_(std::move(slots)) {
  since_.slots.resize(slots_.size());
}

bool traffic::counts(const line& of) const {
  const std::string_view agent = of.text(field::agent);
  const std::string_view path = of.text(field::path);
  return !agent.starts_with("flipback/") && !any_equal(leave_out_.health_paths, path) && !any_prefix(leave_out_.paths, path) &&
         !any_equal(leave_out_.hosts, of.text(field::host)) && !any_equal(leave_out_.methods, of.text(field::method)) &&
         !any_prefix(leave_out_.agents, agent);
}

void traffic::add(std::string_view text) {
  line read;
  const auto status = format_.read(text, read) ? read.number(field::status) : std::nullopt;
  if (!status || *status < 100 || *status > 599) {
    ++since_.malformed;
    return;
  }
  for (std::size_t i = 0; i < field_count; ++i) seen_[i] = seen_[i] || read.has(static_cast<field>(i));
  if (const auto time = read.time()) since_.newest_line = *time;
  if (!counts(read)) return;
  const int final_status = static_cast<int>(*status);
  const attempts tries = attempts_of(read);
  if (tries.size == 0 && can_tell_.upstreams) {
    if (final_status >= 300) ++since_.local_errors;
    return;
  }
  const auto waited = read.number(field::request_time);
  const bool hung = final_status == client_closed && is_headless(tries) && waited > hang_after_;
  std::optional<double> latency = final_status == client_closed && waited ? waited : latency_of(read, tries);
  if (final_status == 101 || any_prefix(leave_out_.slow_paths, read.text(field::path))) latency.reset();
  count(since_.all, final_status, hung, latency);
  count_attempts(read, tries, hung);
  if (const std::string_view client = read.text(field::client); !client.empty()) since_.clients.add(client_of(client));
  if (final_status >= 500 || hung) note_error(read, text);
  if (final_status < 500 && hung) ++since_.hung_errors;
}

/// Whether the client had no header to see when it hung up; false where the log can't tell.
bool traffic::is_headless(const attempts& tries) const {
  if (tries.size == 0) return false;
  const attempt& last = tries.list[tries.size - 1];
  return can_tell_.header_times ? !last.header_time : can_tell_.slots && last.status == 0;
}

/// The upstreams' time; where the log has no such, the request's, of which a slow client is a part.
std::optional<double> traffic::latency_of(const line& of, const attempts& tries) const {
  return can_tell_.attempt_times ? total_latency(tries) : of.number(field::request_time);
}

void traffic::note_error(const line& of, std::string_view text) {
  const std::string_view method = of.text(field::method);
  const std::string_view path = of.text(field::path);
  since_.failing_requests.add(method.empty() ? std::string(path) : fmt::format("{} {}", method, path));
  const std::string_view client = of.text(field::client);
  if (!client.empty()) since_.failing_clients.add(client_of(client));
  if (is_safe(method)) ++since_.safe_errors;
  const auto time = of.time();
  if (!time || path.size() > longest_target) return;
  const auto status = static_cast<unsigned>(of.number(field::status).value_or(0));
  failed_sample::one failed{{std::string(method), target_in(path, text), status, std::string(client), 0}, 0};
  failed.request.waited = of.number(field::request_time).value_or(0);
  failed.began = *time - failed.request.waited;
  since_.failed.add(std::move(failed), chance_);
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
  if (latency) into.latencies.add(*latency);
}

void traffic::count_attempts(const line& of, const attempts& tries, bool hung) {
  const bool slow_path = any_prefix(leave_out_.slow_paths, of.text(field::path));
  for (const attempt& one : tries) {
    const std::size_t slot = slot_of(one.upstream);
    if (slot == slots_.size()) continue;
    const bool last = &one + 1 == tries.end();
    // Without a status of its own, the client hung up in the middle of the attempt.
    const int status = one.status != 0 ? one.status : client_closed;
    const bool no_latency = slow_path || status == 101;
    count(since_.slots[slot], status, hung && last, no_latency ? std::nullopt : one.latency());
  }
}

std::size_t traffic::slot_of(std::string_view upstream) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (any_equal(slots_[i].upstreams, upstream)) return i;
  }
  return slots_.size();
}

pool traffic::take() {
  pool taken = std::exchange(since_, {});
  since_.slots.resize(slots_.size());
  return taken;
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
