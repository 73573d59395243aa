#include "probes/postgres/trouble.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::postgres {

namespace {

reason reason_of(std::string_view state) {
  if (state == "28P01" || state == "28000") return reason::unauthorised;
  if (state == "3D000") return reason::absent;
  if (state == "53300") return reason::saturated;
  if (state == "57P03" || state == "57P01" || state == "57P02") return reason::starting;
  if (state == "42501") return reason::forbidden;
  return reason::bad_status;
}

bool is_corruption(std::string_view state) {
  return state == "XX001" || state == "XX002";
}

struct pooler_word {
  std::string_view begins;
  reason means;
};

/// PgBouncer's own words, which are always in English; it has one SQLSTATE for all of them. Unreachable is the server behind it.
constexpr std::array<pooler_word, 9> pooler_words{{{"SASL authentication failed", reason::unauthorised},
                                                   {"password authentication failed", reason::unauthorised},
                                                   {"no such user", reason::unauthorised},
                                                   {"no such database", reason::absent},
                                                   {"no more connections allowed", reason::saturated},
                                                   {"server login", reason::unreachable},
                                                   {"server conn", reason::unreachable},
                                                   {"query_wait_timeout", reason::unreachable},
                                                   {"pgbouncer cannot connect to server", reason::unreachable}}};

reason reason_of(std::string_view state, std::string_view says) {
  if (state != "08P01") return reason_of(state);
  const auto found = std::ranges::find_if(pooler_words, [&](const pooler_word& one) { return says.starts_with(one.begins); });
  return found == pooler_words.end() ? reason::bad_status : found->means;
}

/// What the server said, without libpq's preamble and the source lines that verbose errors add.
std::string_view said_in(std::string_view message, const std::string& state) {
  const std::size_t at = message.find(state + ": ");
  if (at != std::string_view::npos) message.remove_prefix(at + state.size() + 2);
  return message.substr(0, message.find('\n'));
}

/// With verbose errors it stands in the message, "FATAL:  28P01: …". The word before it is in the server's language.
std::string state_in(std::string_view message) {
  constexpr std::size_t size = 5;
  for (std::size_t at = message.find(":  "); at != std::string_view::npos; at = message.find(":  ", at + 1)) {
    const std::string_view state = message.substr(at + 3, size);
    const bool good =
        std::ranges::all_of(state, [](unsigned char c) { return std::isdigit(c) != 0 || (std::isalpha(c) != 0 && std::isupper(c) != 0); });
    if (good && state.size() == size && message.substr(at + 3 + size).starts_with(": ")) return std::string(state);
  }
  return {};
}

/// libpq's words for each address that it tried, a line or more each, without the names that whoever configured them chose.
std::string without_addresses(std::string_view message) {
  constexpr std::string_view begins = "connection to server ";
  constexpr std::string_view ends = " failed: ";
  std::string words;
  while (!message.empty()) {
    std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(line.size() + 1, message.size()));
    const std::size_t end = line.starts_with(begins) ? line.find(ends) : std::string_view::npos;
    if (end != std::string_view::npos) line.remove_prefix(end + ends.size());
    words += std::string(line) + '\n';
  }
  return words;
}

}  // namespace

refusal refused(std::string_view state, std::string_view says, std::span<const secret> hidden) {
  const reason why = reason_of(state, says);
  const std::string_view before = is_corruption(state)         ? "data corrupted: "
                                  : why == reason::unreachable ? "a pooler answers, and the server behind it does not: "
                                                               : "";
  return {{why, fmt::format("{}{} ({})", before, flipback::quoted(says, hidden), state)}, std::string(state)};
}

refusal connection_trouble(std::string_view message, std::span<const secret> hidden) {
  if (const std::string state = state_in(message); !state.empty()) return refused(state, said_in(message, state), hidden);
  const auto of = [](reason why, std::string says) { return refusal{{why, std::move(says)}, {}}; };
  const std::string words = without_addresses(message);
  const auto has = [&](std::string_view text) { return words.contains(text); };
  // The second is libpq's word for a connection that ended below TLS, in the handshake or after it.
  if (has("closed the connection unexpectedly") || has("SSL SYSCALL error")) return of(reason::closed, "the server hung up");
  if (has("received invalid response") || has("unexpected")) return of(reason::bad_answer, "the answer is not PostgreSQL's protocol");
  const std::string says = flipback::quoted(message, hidden);
  if (has("SSL") || has("certificate")) return of(reason::bad_tls, says);
  // Of several addresses, as localhost has them, one that answered has told more.
  if (has("Connection refused") || has("No such file")) return of(reason::refused, "connecting was refused: nothing listens there");
  if (has("No route to host") || has("unreachable")) return of(reason::unreachable, "the host is unreachable");
  return of(reason::closed, says.empty() ? "the server hung up" : says);
}

bool tells_wrong_password(std::string_view message) {
  const std::string state = state_in(message);
  return state == "28P01" || (state == "08P01" && reason_of(state, said_in(message, state)) == reason::unauthorised);
}

bool is_lacking(const refusal& why) {
  constexpr std::array<std::string_view, 5> states{"42883", "0A000", "42P01", "42703", "42704"};
  return std::ranges::find(states, why.state) != states.end();
}

void left_out_or_unwell(std::string_view question, const refusal& why, findings& into) {
  if (!is_lacking(why)) return into.unwell(why);
  into.well(fmt::format("{} left out, which this server does not have: {}", question, why.says));
}

}  // namespace flipback::postgres
