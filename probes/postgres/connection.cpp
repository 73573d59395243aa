#include "probes/postgres/connection.hpp"

#include "probes/net/certificate.hpp"
#include "probes/postgres/clear_text.hpp"
#include "probes/postgres/hush.hpp"
#include "probes/postgres/trouble.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace flipback::postgres {

namespace {

using asio::posix::stream_descriptor;
constexpr std::size_t answer_limit = 1024 * 1024;
constexpr std::size_t greeting_limit = 256 * 1024;  ///< what a server says until a connection stands

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

void add_rows(const PGresult* from, rows& into) {
  for (int column = 0; column < PQnfields(from); ++column) into.columns.emplace_back(PQfname(from, column));
  for (int row = 0; row < PQntuples(from); ++row) {
    auto& values = into.all.emplace_back();
    for (int column = 0; column < PQnfields(from); ++column) {
      const bool null = PQgetisnull(from, row, column) != 0;
      values.push_back(null ? std::nullopt : std::optional<std::string>(PQgetvalue(from, row, column)));
    }
  }
}

/// A Unix socket is none: nobody listens in on it.
bool is_network(int fd) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX;
}

/// Whether behind the refusal of TLS, one byte, there is more: libpq would take it for the answer to what it asks next.
bool says_more_than_no(int fd) {
  std::array<char, 2> bytes{};
  return ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT) > 1 && bytes[0] == 'N';
}

PostgresPollingStatusType poll(pg_conn* c) {
  const hush quiet(PQsocket(c));
  return PQconnectPoll(c);
}

void hear_nothing(void* /*unused*/, const PGresult* /*unused*/) {}

}  // namespace

void connection::finish(pg_conn* c) {
  PQfinish(c);
}

refusal connection::trouble() const {
  if (PQconnectionNeedsPassword(raw_.get()) != 0) return {{reason::unauthorised, "a password is required"}, {}};
  return connection_trouble(PQerrorMessage(raw_.get()), hidden_);
}

refusal connection::trouble_of(const pg_result* result) const {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr) return trouble();
  return refused(state, text == nullptr ? "an error" : text, hidden_);
}

std::optional<double> connection::certificate_left() const {
  auto* const tls = static_cast<SSL*>(PQsslStruct(raw_.get(), "OpenSSL"));
  const auto days = tls == nullptr ? std::nullopt : net::days_left(tls);
  if (!days) return std::nullopt;
  return *days * 86400;
}

asio::awaitable<void> connection::wait(bool for_reading) const {
  lent on(executor_, PQsocket(raw_.get()));
  co_await on.descriptor.async_wait(for_reading ? stream_descriptor::wait_read : stream_descriptor::wait_write, asio::use_awaitable);
}

/// libpq keeps a message until it is whole, however long it says that it is.
void connection::count_waiting() {
  int waiting = 0;
  if (::ioctl(PQsocket(raw_.get()), FIONREAD, &waiting) == 0) taken_ += static_cast<std::size_t>(waiting);
}

/// Waits for what the server says before it lets us in, and looks at it first: why libpq must not hear it. A server that is made for it can
/// still be sent the password, by what it says between that look and libpq's own: where that counts TLS is to be required, with
/// `verify-full`. Where libpq can refuse by itself (16), it does.
asio::awaitable<std::optional<refusal>> connection::hear_greeting() const {
  const int fd = PQsocket(raw_.get());
  std::array<char, 4096> bytes{};
  for (int least = shortest_request;;) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least));
    co_await wait(true);
    const auto there = std::max<ssize_t>(0, ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT));
    const greeting found = look_at({bytes.data(), static_cast<std::size_t>(there)});
    const bool waits = found.is == greeting::kind::incomplete && found.needed <= bytes.size() && there >= least;
    if (waits) {
      least = static_cast<int>(found.needed);
      continue;
    }
    constexpr int any = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof(any));
    if (found.is == greeting::kind::asks_in_clear)
      co_return refusal{
          {reason::unauthorised,
           "the server asks for the password in clear text and without TLS: it was not sent; expected sslmode = \"require\", or "
           "cleartext_password = true where the network may see it"},
          {}};
    if (found.is == greeting::kind::odd) co_return refusal{{reason::bad_answer, "the answer is not PostgreSQL's protocol"}, {}};
    co_return std::nullopt;
  }
}

asio::awaitable<std::expected<connection, refusal>> connection::open(asio::any_io_executor executor, off_loop& aside,
                                                                     std::map<std::string, std::string> parameters, bool in_clear, run& r) {
  constexpr int knows_require_auth = 160000;
  const bool over_network = !parameters["host"].starts_with('/');
  if (!in_clear && over_network && parameters["sslmode"] == "disable" && PQlibVersion() >= knows_require_auth)
    parameters["require_auth"] = "!password";
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection made(std::move(executor), PQconnectStartParams(names.data(), values.data(), 0), secret(parameters["password"]));
  if (!made.raw_) co_return std::unexpected(refusal{{reason::own_limits, "no memory left for a connection"}, {}});
  PQsetErrorVerbosity(made.raw_.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(made.raw_.get(), hear_nothing, nullptr);  // else it prints them
  if (PQstatus(made.raw_.get()) == CONNECTION_BAD) co_return std::unexpected(made.trouble());
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    // With sslmode prefer and allow libpq knocks a second time, without or with TLS, whatever the server said: a wrong password, too.
    const bool wrong_password = tells_wrong_password(PQerrorMessage(made.raw_.get()));
    if (state == PGRES_POLLING_FAILED || wrong_password) co_return std::unexpected(made.trouble());
    const ConnStatusType is = PQstatus(made.raw_.get());
    r.now = is == CONNECTION_STARTED ? phase::connecting : is == CONNECTION_SSL_STARTUP ? phase::handshaking : phase::authenticating;
    r.part = r.now == phase::authenticating ? cut_off : std::string_view();
    const bool greeted = !in_clear && state == PGRES_POLLING_READING && is == CONNECTION_AWAITING_RESPONSE &&
                         PQsslInUse(made.raw_.get()) == 0 && is_network(PQsocket(made.raw_.get()));
    if (greeted) {
      if (auto unheard = co_await made.hear_greeting()) co_return std::unexpected(std::move(*unheard));
    } else {
      co_await made.wait(state == PGRES_POLLING_READING);  // the socket may be another one each time
    }
    if (!in_clear && state == PGRES_POLLING_READING && PQstatus(made.raw_.get()) == CONNECTION_SSL_STARTUP &&
        says_more_than_no(PQsocket(made.raw_.get())))
      co_return std::unexpected(refusal{{reason::bad_answer, "the server refuses TLS and goes on before it was asked anything"}, {}});
    made.count_waiting();
    if (made.taken_ > greeting_limit)
      co_return std::unexpected(refusal{{reason::too_large, "what the server says before it lets us in is longer than 256KiB"}, {}});
    if (state == PGRES_POLLING_READING && PQstatus(made.raw_.get()) == CONNECTION_AWAITING_RESPONSE) {
      const auto polled =
          co_await aside.look<PostgresPollingStatusType>("proving the password", [c = made.raw_] { return poll(c.get()); });
      if (!polled) co_return std::unexpected(refusal{polled.error(), {}});
      state = *polled;
    } else {
      state = poll(made.raw_.get());
    }
  }
  made.taken_ = 0;
  PQsetnonblocking(made.raw_.get(), 1);
  PQenterPipelineMode(made.raw_.get());
  co_return std::move(made);
}

bool connection::send(const std::string& sql, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  return PQsendQueryParams(raw_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, pointers.data(), nullptr, nullptr, 0) == 1;
}

/// A transaction's parts up to a sync fall together; the ROLLBACK stands behind it, and so comes through whatever became of them. SET LOCAL
/// ends with the transaction, so a pooler's other clients don't see it.
bool connection::send_whole(const statement& one, duration most) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(most).count();
  const std::string bound = fmt::format("SET LOCAL statement_timeout = {}", std::clamp<std::int64_t>(milliseconds, 1, 3'600'000));
  return send("BEGIN READ ONLY", {}) && send(bound, {}) && send(one.sql, one.values) && PQpipelineSync(raw_.get()) == 1 &&
         send("ROLLBACK", {}) && PQpipelineSync(raw_.get()) == 1;
}

asio::awaitable<std::optional<refusal>> connection::flush() {
  for (int unsent = PQflush(raw_.get()); unsent != 0; unsent = PQflush(raw_.get())) {
    if (unsent < 0) co_return trouble();
    co_await wait(false);
  }
  co_return std::nullopt;
}

/// Waits until the next result can be taken without blocking.
asio::awaitable<std::optional<refusal>> connection::await_result() {
  while (PQisBusy(raw_.get()) != 0) {
    co_await wait(true);
    count_waiting();
    if (taken_ > answer_limit) co_return refusal{{reason::too_large, "the answer is longer than 1MiB"}, {}};
    const hush quiet(PQsocket(raw_.get()));
    if (PQconsumeInput(raw_.get()) != 1) co_return trouble();
  }
  co_return std::nullopt;
}

/// The answer to what `send_whole` sent.
asio::awaitable<answer> connection::next_answer() {
  constexpr int syncs_each = 2;
  answer made;
  ended_ = true;         // wherever this ends before its end
  bool between = false;  // two statements: a result of none stands there, once
  for (int syncs = 0; syncs < syncs_each;) {
    if (auto trouble = co_await await_result()) {
      if (made) made = std::unexpected(std::move(*trouble));  // else the server has said already why it hangs up
      co_return made;
    }
    const result_ptr result(PQgetResult(raw_.get()));
    if (PQstatus(raw_.get()) == CONNECTION_BAD) co_return std::unexpected(result ? trouble_of(result.get()) : trouble());
    if (!result && between) co_return std::unexpected(refusal{{reason::bad_answer, "the answer is not what was asked for"}, {}});
    between = !result;
    if (between) continue;
    switch (PQresultStatus(result.get())) {
      case PGRES_PIPELINE_SYNC:
        ++syncs;
        break;
      case PGRES_TUPLES_OK:
        if (made) add_rows(result.get(), *made);
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        co_return std::unexpected(refusal{{reason::expectation, "the query is a COPY, expected one that gives rows"}, {}});
      case PGRES_FATAL_ERROR:
        if (made) made = std::unexpected(trouble_of(result.get()));
        break;
      default:
        break;
    }
  }
  ended_ = false;
  co_return made;
}

asio::awaitable<std::vector<answer>> connection::ask(std::vector<statement> all, duration most) {
  std::vector<answer> answers;
  const instant began = std::chrono::steady_clock::now();
  const bool sent = std::ranges::all_of(all, [&](const statement& one) { return send_whole(one, most); });
  std::optional<refusal> unsent;
  if (sent)
    unsent = co_await flush();
  else
    unsent = trouble();
  if (unsent) {
    ended_ = true;
    answers.emplace_back(std::unexpected(std::move(*unsent)));
  }
  while (answers.size() < all.size() && !ended_) {
    answers.push_back(co_await next_answer());
    // query_canceled says not by whom.
    const bool cancelled = !answers.back() && answers.back().error().state == "57014";
    if (cancelled && std::chrono::steady_clock::now() - began >= most) answers.back().error().why = reason::timed_out;
  }
  co_return answers;
}

}  // namespace flipback::postgres
