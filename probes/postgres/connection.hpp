#pragma once

#include "flipback/secret.hpp"

#include "probes/off_loop.hpp"
#include "probes/postgres/answer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <memory>

struct pg_conn;
struct pg_result;

namespace flipback::postgres {

/// One statement of SQL, and its parameters $1, $2, …
struct statement {
  std::string sql;
  std::vector<std::string> values{};
};

/// Of a run that waits for the first words of a server that it is connected to. PgBouncer lets its clients wait while its server is down.
inline constexpr std::string_view cut_off = "connected, but nothing is answered, as by a pooler whose server is down";

/// A connection by libpq that never blocks: libpq's socket is lent to Asio for each wait, and taken back before libpq may close it.
class connection {
 public:
  /// `parameters` are libpq's, with `hostaddr` where `host` is a name: libpq's own look-up blocks. Several, with commas, are tried in turn;
  /// a wrong password is tried once. `in_clear`: whether the password may be sent as it stands to a server that asks for that over a
  /// network without TLS. The password is proven `aside`: how long that takes is the server's to say (SCRAM's iterations), up to hours.
  /// `r` is told how far it has come.
  static asio::awaitable<std::expected<connection, refusal>> open(asio::any_io_executor executor, off_loop& aside,
                                                                  std::map<std::string, std::string> parameters, bool in_clear, run& r);

  /// Asks all of them at once, each in a read-only transaction of its own that the server ends by itself after `most`: an error of one is
  /// nothing to the others, and none of them changes anything. As many answers as statements; fewer where the connection ended, and then
  /// the last one says why. Whole answers are read, 1 MiB a connection.
  asio::awaitable<std::vector<answer>> ask(std::vector<statement> all, duration most);

  [[nodiscard]] bool ended() const { return ended_; }

  /// Seconds until the server's certificate ends; nothing without TLS.
  [[nodiscard]] std::optional<double> certificate_left() const;

 private:
  connection(asio::any_io_executor executor, pg_conn* raw, secret password)
      : executor_(std::move(executor)), raw_(raw, &finish), hidden_{std::move(password)} {}
  static void finish(pg_conn* c);
  asio::awaitable<void> wait(bool for_reading) const;
  void count_waiting();
  asio::awaitable<std::optional<refusal>> hear_greeting() const;
  bool send(const std::string& sql, const std::vector<std::string>& values);
  bool send_whole(const statement& one, duration most);
  asio::awaitable<std::optional<refusal>> flush();
  asio::awaitable<std::optional<refusal>> await_result();
  asio::awaitable<answer> next_answer();
  [[nodiscard]] refusal trouble() const;
  [[nodiscard]] refusal trouble_of(const pg_result* result) const;

  asio::any_io_executor executor_;
  std::shared_ptr<pg_conn> raw_;  ///< shared with who works aside
  std::vector<secret> hidden_;
  std::size_t taken_ = 0;  ///< bytes of answers, as they came over the socket
  bool ended_ = false;
};

}  // namespace flipback::postgres
