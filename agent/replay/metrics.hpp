#pragma once

#include "agent/replay/declared.hpp"
#include "agent/replay/queried.hpp"
#include "agent/replay/scrapes.hpp"
#include "rules/replay/entry.hpp"

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::replay {

/// Metrics that Prometheus recorded, made into what an agent would have told its rules.
class metrics {
 public:
  /// What is wrong with the configuration's probes goes into `problems`; metrics are then not to be added.
  metrics(const config::configuration& from, settings::diagnostics& problems);
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// A text. An error, here and below, is one sentence on what is wrong with it.
  std::expected<void, std::string> add_text(std::string_view text);
  /// An answer of query_range that gives a signal; several for one signal go on with each other.
  std::expected<void, std::string> add_query(const std::string& signal, std::string_view answer);
  /// The same of a ratio's counters.
  std::expected<void, std::string> add_ratio(const std::string& signal, std::string_view numerator, std::string_view denominator);

  /// Makes the samples of what was added, with cutovers at these times. To be called once, after all of it.
  std::expected<void, std::string> finish(std::vector<wall_time> cutovers);

  /// Tells everything in the order of time.
  void tell(const std::function<void(const rules::replay::entry&)>& take) const;
  /// What a person should know of what was read.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct query {
    tracks numerator;  ///< or the value itself
    tracks denominator;
    bool is_ratio = false;
  };

  std::expected<query*, std::string> query_of(const std::string& signal, bool is_ratio);
  [[nodiscard]] bool looks_at(std::string_view metric) const;
  std::expected<void, std::string> measure_texts();
  std::expected<void, std::string> measure_query(const std::string& name, query& from);
  std::expected<void, std::string> place(std::vector<wall_time> cutovers);
  std::uint32_t number_of(const std::string& samples);
  void add_signal(signal s);

  declared_signals declared_;
  duration window_;
  bool has_text_ = false;
  std::deque<exposition::ledger> ledgers_;  ///< which names the probes look at
  scrapes scrapes_;
  std::map<std::string, query> queries_;          ///< by signal
  rules::catalogue signals_;                      ///< those that were recorded before those that are only declared
  std::map<std::string, std::uint32_t> numbers_;  ///< of samples' names
  std::vector<rules::replay::sampled> samples_;
  std::vector<rules::replay::entry> cutovers_;
  std::vector<std::string> notes_;
};

}  // namespace flipback::replay
