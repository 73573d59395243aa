#pragma once

#include "flipback/observation.hpp"

#include "probes/exposition/counters.hpp"
#include "probes/exposition/processes.hpp"
#include "probes/exposition/reader.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::exposition {

using label_values = std::vector<std::pair<std::string, std::string>>;

/// How a library names what it counts of its requests.
struct naming {
  std::string requests;                ///< a counter
  std::vector<std::string> durations;  ///< histograms, the first that is there counts
  std::string status;                  ///< the labels
  std::string path;
  std::string method;
};

/// A metric that is measured beside the traffic: the sum of its series that have these labels.
struct metric {
  std::string name;  ///< of a distribution without `_bucket`
  label_values labels;
  signal_kind kind = signal_kind::gauge;
};

/// What of an exposition is looked at.
struct selection {
  std::vector<naming> namings;                 ///< the first whose requests are there counts
  label_values labels;                         ///< that a request's series must have
  std::vector<std::string> left_out_paths;     ///< exactly these: health checks and the metrics themselves
  std::vector<std::string> left_out_prefixes;  ///< of paths
  std::vector<std::string> left_out_methods;
  std::vector<metric> metrics;
};

/// Requests by the class of their status.
struct tally {
  double requests = 0;
  double errors = 0;         ///< 500–599
  double client_errors = 0;  ///< 400–499, but 429 and 499 where they can be told
  double successes = 0;      ///< 1xx to 3xx
  double limited = 0;        ///< 429; 0 where statuses are grouped
  double unknown = 0;        ///< without a status that can be read
};

/// What a scrape says, and what has come since the one before it.
struct reading {
  growth how = growth::none;
  bool several = false;  ///< see processes
  bool changed = false;
  const naming* by = nullptr;                    ///< null: none of the requests' counters is there
  bool grouped = false;                          ///< statuses come as "5xx"
  tally so_far;                                  ///< what the counters show
  tally grown;                                   ///< with growth::none: nothing
  std::string_view durations;                    ///< the histogram's name; empty: none is there
  double largest_bound = 0;                      ///< its, in seconds
  std::shared_ptr<const histogram> latencies;    ///< what it grew by
  std::vector<std::optional<measured>> metrics;  ///< in the selection's order; nothing: not there
  std::size_t unusable = 0;                      ///< samples that are no numbers of their kind
};

/// Takes the samples of scrape after scrape. No I/O, no clock.
class ledger {
 public:
  explicit ledger(selection s);
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  /// Whether samples of this name say anything here.
  [[nodiscard]] bool looks_at(std::string_view name) const { return roles_.contains(name); }
  /// False: there are more series than are kept (`counters::most`).
  bool take(const item& of);
  /// Ends a scrape; `clock` is the server's, in seconds since 1970.
  reading close(double clock);
  /// Gives a scrape up that could not be read to its end.
  void abandon();

 private:
  enum class part : std::uint8_t { process_start, requests, bucket, gauge, counter };
  /// What the samples of a name are looked at for.
  struct role {
    part is;
    std::size_t sum = 0;          ///< the first of its sums
    const naming* by = nullptr;   ///< of the traffic's
    const metric* own = nullptr;  ///< of one's own
  };
  struct sum {
    bool there = false;  ///< in this scrape
    double value = 0;
    double grown = 0;
    histogram buckets;              ///< what they grew by
    std::optional<double> running;  ///< the value at first and all growth since: resets do not show in it
  };

  void add_role(std::string sample, role r) { roles_[std::move(sample)].push_back(r); }
  bool take(const role& r, const item& of);
  [[nodiscard]] bool is_traffic(const naming& by, const item& of) const;
  void add(purpose of, double value, std::optional<double> grown);
  [[nodiscard]] reading read(growth how);
  void read_traffic(reading& into) const;
  static std::optional<measured> value_of(const metric& m, sum& s);
  void clear();
  std::string_view key_of(const item& of);

  selection selected_;
  std::map<std::string, std::vector<role>, std::less<>> roles_;  ///< by the samples' name
  std::string_view newest_name_;                                 ///< a family's samples follow each other
  const std::vector<role>* newest_roles_ = nullptr;
  std::vector<sum> sums_;
  std::vector<bool> there_;  ///< which namings' requests are
  counters counters_;
  processes processes_;
  std::optional<double> started_;
  std::size_t unusable_ = 0;
  bool grouped_ = false;
  std::string key_;
  std::vector<label> sorted_;
};

}  // namespace flipback::exposition
