#include "flipback/event.hpp"
#include "flipback/mode.hpp"
#include "flipback/observation.hpp"
#include "flipback/probe.hpp"

#include <array>
#include <initializer_list>
#include <stdexcept>

namespace flipback {

namespace {

struct reason_row {
  std::string_view name;
  outcome result;
  bool answered;
};

// In the order of the enumeration.
constexpr std::array<reason_row, 22> reasons{{
    {"ok", outcome::pass, true},
    {"refused", outcome::fail, false},
    {"unreachable", outcome::fail, false},
    {"no such name", outcome::fail, false},
    {"timed out", outcome::fail, false},
    {"closed", outcome::fail, false},
    {"bad answer", outcome::fail, false},
    {"too large", outcome::fail, true},
    {"bad status", outcome::fail, true},
    {"expectation", outcome::fail, true},
    {"bad TLS", outcome::fail, false},
    {"unauthorised", outcome::fail, true},
    {"forbidden", outcome::fail, true},
    {"limited", outcome::fail, true},
    {"saturated", outcome::fail, true},
    {"starting", outcome::fail, true},
    {"absent", outcome::fail, true},
    {"no resolver", outcome::unknown, false},
    {"own limits", outcome::unknown, false},
    {"own network", outcome::unknown, false},
    {"own stall", outcome::unknown, false},
    {"no prerequisite", outcome::unknown, false},
}};
static_assert(reasons.size() == static_cast<std::size_t>(reason::no_prerequisite) + 1);

const reason_row& row(reason r) {
  return reasons.at(static_cast<std::size_t>(r));
}

}  // namespace

std::string_view name_of(outcome o) {
  constexpr std::array<std::string_view, 3> names{"pass", "fail", "unknown"};
  return names.at(static_cast<std::size_t>(o));
}

std::string_view name_of(reason r) {
  return row(r).name;
}
outcome outcome_of(reason r) {
  return row(r).result;
}
bool answered(reason r) {
  return row(r).answered;
}

std::string_view name_of(signal_kind k) {
  constexpr std::array<std::string_view, 6> names{"gauge", "outcome", "counter", "ratio", "distribution", "ratios"};
  return names.at(static_cast<std::size_t>(k));
}

std::string_view name_of(severity s) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "critical"};
  return names.at(static_cast<std::size_t>(s));
}

std::string_view name_of(mode m) {
  constexpr std::array<std::string_view, 3> names{"observe", "ask", "act"};
  return names.at(static_cast<std::size_t>(m));
}

std::string_view name_of(phase p) {
  constexpr std::array<std::string_view, 7> names{"starting",       "looking up the name",    "connecting",        "in the TLS handshake",
                                                  "authenticating", "waiting for the answer", "reading the answer"};
  return names.at(static_cast<std::size_t>(p));
}

observation observation::pass(std::string says) {
  return {outcome::pass, reason::ok, std::move(says), {}, {}, {}};
}

observation observation::fail(reason why, std::string says) {
  return {outcome_of(why), why, std::move(says), {}, {}, {}};
}

observation observation::unknown(reason why, std::string says) {
  return {outcome::unknown, why, std::move(says), {}, {}, {}};
}

asio::awaitable<observation> probe::look(run& r) {
  observation seen = co_await observe(r);
  for (const discretion* hides : std::initializer_list<const discretion*>{&hides_, &r.learned}) {
    if (hides->empty()) continue;
    seen.says = hides->without(seen.says);
    for (std::string& told : seen.news) told = hides->without(told);
  }
  co_return seen;
}

asio::awaitable<void> probe::follow() {
  co_return;
}

}  // namespace flipback
