#include "probes/exposition/scrape.hpp"

#include "flipback/timestamp.hpp"

#include "probes/net/gzip.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <chrono>

namespace flipback::exposition {

namespace {

constexpr std::size_t at_once = 2'000;  // samples, some 2 ms of work: then others may run

/// The server's own clock, as it dates its answers; ours where it doesn't. Seconds since 1970.
double clock_of(const net::http_answer& answer) {
  const std::string* date = answer.header("Date");
  const auto theirs = date == nullptr ? std::nullopt : parse_http_date(*date);
  return std::chrono::duration<double>(theirs.value_or(std::chrono::system_clock::now()).time_since_epoch()).count();
}

format format_of(const net::http_answer& answer) {
  const std::string* type = answer.header("Content-Type");
  return type != nullptr && type->starts_with("application/openmetrics-text") ? format::openmetrics : format::prometheus;
}

}  // namespace

asio::awaitable<net::result<scraped>> scraper::take(const net::http_answer& answer, std::string_view asked) {
  if (answer.status != 200) co_return std::unexpected(net::unexpected(answer, asked));
  scraped made;
  made.now = std::chrono::steady_clock::now();
  ledger_.abandon();  // what a run that was cancelled in the middle had seen
  reader from(answer.body, format_of(answer));
  for (std::size_t read = 1;; ++read) {
    const auto more = from.next();
    if (!more) {
      const std::string why = net::is_gzip(answer.body) ? std::string(net::says_gzip) : to_string(more.error());
      co_return std::unexpected(net::failure{reason::bad_answer, fmt::format("{} answered no metrics: {}", asked, why)});
    }
    if (!*more) break;
    if (!ledger_.take(from.current()))
      co_return std::unexpected(net::failure{reason::too_large, fmt::format("more than {} series are to be counted", counters::most)});
    if (read % at_once == 0) co_await asio::post(executor_, asio::use_awaitable);
  }
  made.seen = ledger_.close(clock_of(answer));
  made.since = std::exchange(last_, made.now);
  if (made.now - made.since > longest_gap_) made.seen.how = growth::none;
  co_return made;
}

}  // namespace flipback::exposition
