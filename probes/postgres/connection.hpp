#pragma once

#include "probes/net/network.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace flipback::postgres {

/// A result's row: each value as text, nothing for NULL.
using row = std::vector<std::optional<std::string>>;

/// A connection by libpq that never blocks: libpq's socket is lent to Asio for each wait, and taken back before libpq may close it.
class connection {
 public:
  /// `parameters` are libpq's, with `hostaddr` where `host` is a name: libpq's own look-up blocks. Several, with commas, are tried in turn.
  static asio::awaitable<net::result<connection>> open(asio::any_io_executor executor, std::map<std::string, std::string> parameters);

  /// The first row that the query gives (or its first statement that gives one); empty where there is none. The whole answer is read, up
  /// to 1 MiB of it.
  asio::awaitable<net::result<row>> first_row(std::string query);

 private:
  struct finish {
    void operator()(pg_conn* c) const;
  };
  connection(asio::any_io_executor executor, pg_conn* raw) : executor_(std::move(executor)), raw_(raw) {}
  asio::awaitable<void> wait(bool for_reading) const;
  net::result<void> take_input();
  [[nodiscard]] net::failure trouble() const;
  [[nodiscard]] std::optional<net::failure> trouble_of(const pg_result* result) const;

  asio::any_io_executor executor_;
  std::unique_ptr<pg_conn, finish> raw_;
  std::size_t taken_ = 0;  ///< bytes of answers, as they came over the socket
};

}  // namespace flipback::postgres
