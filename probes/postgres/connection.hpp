#pragma once

#include "probes/net/network.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;

namespace flipback::postgres {

/// A result's row: each value as text, nothing for NULL.
using row = std::vector<std::optional<std::string>>;

/// A connection by libpq that never blocks: libpq's socket is lent to Asio for each wait, and taken back before libpq may close it.
class connection {
 public:
  /// `parameters` are libpq's, with `hostaddr` where `host` is a name: libpq's own look-up blocks.
  static asio::awaitable<net::result<connection>> open(asio::any_io_executor executor, std::map<std::string, std::string> parameters);

  /// The first row of the query's result; empty where it has none.
  asio::awaitable<net::result<row>> first_row(const char* query);

 private:
  struct finish {
    void operator()(pg_conn* c) const;
  };
  connection(asio::any_io_executor executor, pg_conn* raw) : executor_(std::move(executor)), raw_(raw) {}
  asio::awaitable<void> wait(bool for_reading) const;
  [[nodiscard]] net::failure trouble() const;

  asio::any_io_executor executor_;
  std::unique_ptr<pg_conn, finish> raw_;
};

}  // namespace flipback::postgres
