#pragma once

#include "probes/exposition/ledger.hpp"
#include "probes/net/api.hpp"

#include <algorithm>
#include <string_view>

namespace flipback::exposition {

/// What a scrape says, and the time that its growth is of.
struct scraped {
  reading seen;
  instant since{};
  instant now{};
};

/// After how long without a scrape counting begins anew, where nobody says it: a minute, or two intervals.
inline duration usual_gap(duration every) {
  return std::max<duration>(std::chrono::minutes(1), 2 * every);
}

/// Takes a server's metrics, scrape after scrape.
class scraper {
 public:
  /// Growth over a longer time than `longest_gap` is not told: it belongs to no window that has just begun.
  scraper(asio::any_io_executor executor, selection look_at, duration longest_gap)
      : executor_(std::move(executor)), ledger_(std::move(look_at)), longest_gap_(longest_gap) {}

  /// Reads an answer to `asked` ("GET /metrics"), a piece at a time, so that other probes run between.
  asio::awaitable<net::result<scraped>> take(const net::http_answer& answer, std::string_view asked);

 private:
  asio::any_io_executor executor_;
  ledger ledger_;
  duration longest_gap_;
  instant last_{};  ///< when the last scrape was
};

}  // namespace flipback::exposition
