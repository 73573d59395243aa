#include "probes/postgres/connection.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <sys/ioctl.h>

#include <algorithm>
#include <cctype>

namespace flipback::postgres {

namespace {

using asio::posix::stream_descriptor;
constexpr std::size_t answer_limit = 1024 * 1024;

/// A descriptor on loan: given back to libpq, not closed, however the wait ends.
struct lent {
  lent(const asio::any_io_executor& executor, int fd) : descriptor(executor, fd) {}
  ~lent() { descriptor.release(); }
  lent(const lent&) = delete;
  lent& operator=(const lent&) = delete;
  stream_descriptor descriptor;
};

struct clear {
  void operator()(PGresult* r) const { PQclear(r); }
};
using result_ptr = std::unique_ptr<PGresult, clear>;

std::string one_line(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// By SQLSTATE (PostgreSQL's Appendix A).
reason reason_of(std::string_view state) {
  if (state == "28P01" || state == "28000") return reason::unauthorised;
  if (state == "3D000") return reason::absent;
  if (state == "53300") return reason::saturated;
  if (state == "57P03" || state == "57P01" || state == "57P02") return reason::starting;
  if (state == "42501") return reason::forbidden;
  return reason::bad_status;
}

/// While connecting there is no result to ask for the SQLSTATE: with verbose errors it stands in the message, "FATAL:  28P01: …". The
/// word before it is in the server's language.
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

/// What the server said, without libpq's preamble and the source lines that verbose errors add.
std::string said_in(const std::string& message, const std::string& state) {
  const std::size_t at = message.find(state + ": ");
  std::string text = at == std::string::npos ? message : message.substr(at + state.size() + 2);
  return text.substr(0, text.find('\n'));
}

}  // namespace

void connection::finish::operator()(pg_conn* c) const {
  PQfinish(c);
}

net::failure connection::trouble() const {
  const std::string message = PQerrorMessage(raw_.get());
  const std::string state = state_in(message);
  if (!state.empty()) return {reason_of(state), fmt::format("{} ({})", said_in(message, state), state)};
  if (PQconnectionNeedsPassword(raw_.get()) != 0) return {reason::unauthorised, "a password is required"};
  const std::string says = one_line(message);
  if (says.contains("Connection refused") || says.contains("No such file"))
    return {reason::refused, "connecting was refused: nothing listens there"};
  if (says.contains("closed the connection unexpectedly")) return {reason::closed, "the server hung up"};
  if (says.contains("received invalid response") || says.contains("unexpected"))
    return {reason::bad_answer, "the answer is not PostgreSQL's protocol"};
  if (says.contains("SSL") || says.contains("certificate")) return {reason::bad_tls, says};
  if (says.contains("No route to host") || says.contains("unreachable")) return {reason::unreachable, "the host is unreachable"};
  return {reason::closed, says.empty() ? "the server hung up" : says};
}

std::optional<net::failure> connection::trouble_of(const pg_result* result) const {
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      return std::nullopt;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return net::failure{reason::expectation, "the query is a COPY, expected one that gives rows"};
    default:
      break;
  }
  const char* const code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (code == nullptr) return trouble();
  return net::failure{reason_of(code), fmt::format("{} ({})", text == nullptr ? "an error" : text, code)};
}

asio::awaitable<void> connection::wait(bool for_reading) const {
  lent on(executor_, PQsocket(raw_.get()));
  co_await on.descriptor.async_wait(for_reading ? stream_descriptor::wait_read : stream_descriptor::wait_write, asio::use_awaitable);
}

asio::awaitable<net::result<connection>> connection::open(asio::any_io_executor executor, std::map<std::string, std::string> parameters) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection made(std::move(executor), PQconnectStartParams(names.data(), values.data(), 0));
  if (!made.raw_) co_return std::unexpected(net::failure{reason::own_limits, "no memory left for a connection"});
  PQsetErrorVerbosity(made.raw_.get(), PQERRORS_VERBOSE);
  if (PQstatus(made.raw_.get()) == CONNECTION_BAD) co_return std::unexpected(made.trouble());
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) co_return std::unexpected(made.trouble());
    co_await made.wait(state == PGRES_POLLING_READING);  // the socket may be another one each time
    state = PQconnectPoll(made.raw_.get());
  }
  PQsetnonblocking(made.raw_.get(), 1);
  co_return std::move(made);
}

net::result<void> connection::take_input() {
  int waiting = 0;
  if (::ioctl(PQsocket(raw_.get()), FIONREAD, &waiting) == 0) taken_ += static_cast<std::size_t>(waiting);
  if (taken_ > answer_limit) return std::unexpected(net::failure{reason::too_large, "the answer is longer than 1MiB"});
  if (PQconsumeInput(raw_.get()) != 1) return std::unexpected(trouble());
  return {};
}

asio::awaitable<net::result<row>> connection::first_row(std::string query) {
  if (PQsendQuery(raw_.get(), query.c_str()) != 1) co_return std::unexpected(trouble());
  for (int unsent = PQflush(raw_.get()); unsent != 0; unsent = PQflush(raw_.get())) {
    if (unsent < 0) co_return std::unexpected(trouble());
    co_await wait(false);
  }
  row first;
  bool have_first = false;
  for (;;) {
    while (PQisBusy(raw_.get()) != 0) {
      co_await wait(true);
      if (auto taken = take_input(); !taken) co_return std::unexpected(std::move(taken.error()));
    }
    const result_ptr result(PQgetResult(raw_.get()));
    if (!result) break;
    if (auto trouble = trouble_of(result.get())) co_return std::unexpected(std::move(*trouble));
    if (have_first || PQntuples(result.get()) == 0) continue;
    have_first = true;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      const bool null = PQgetisnull(result.get(), 0, column) != 0;
      first.push_back(null ? std::nullopt : std::optional<std::string>(PQgetvalue(result.get(), 0, column)));
    }
  }
  co_return first;
}

}  // namespace flipback::postgres
