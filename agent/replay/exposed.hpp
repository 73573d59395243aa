#pragma once

#include "flipback/signal.hpp"

#include "agent/replay/scrapes.hpp"
#include "probes/exposition/terms.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::replay {

/// What an exposition probe would have measured, had it scraped at the times at which somebody else did. Of several targets it makes one:
/// what they counted is pooled, what they show is summed.
class exposed {
 public:
  using taker = std::function<void(std::string_view measurement, const sample&)>;

  /// `declared` is what `by` declares; both must outlive this. `step`: the usual time between two scrapes.
  exposed(const exposition::terms& by, const declarations& declared, duration step);

  /// Takes a scrape; what was measured at the times before it goes to `into`. Scrapes come in the order of their times.
  void take(const scrapes::scrape& one, const taker& into);
  void end(const taker& into) { give(into); }

  /// What a person should know: how many scrapes there were, of how many targets, what the last one said, and what those that were not
  /// well did.
  [[nodiscard]] std::string summary() const;

 private:
  struct target {
    std::unique_ptr<exposition::ledger> counts;
    instant last{};
  };
  /// What a target measured last.
  struct part {
    instant at;
    instant since;
    std::optional<measured> value;
    bool quiet = false;
  };
  struct merged {
    std::string_view name;
    signal_kind kind = signal_kind::gauge;
    bool per_second = false;
    std::map<std::uint32_t, part> parts{};      ///< by target
    std::map<std::uint32_t, double> counted{};  ///< by target, of a counter
    std::optional<double> total{};              ///< of a counter: the first target's, and what all have grown by since
    instant newest = instant::min();            ///< until when it was given
  };

  observation look(target& its, const scrapes::scrape& one, instant now) const;
  void note(std::uint32_t of, const observation& seen);
  void give(const taker& into);
  [[nodiscard]] std::optional<sample> sum_of(const merged& m) const;
  static void count(merged& m, std::uint32_t of, double value);

  const exposition::terms* by_;
  duration gap_;
  std::map<std::uint32_t, target> targets_;
  std::vector<merged> measurements_;
  instant now_ = instant::min();
  std::size_t scrapes_ = 0;
  std::size_t unwell_ = 0;
  std::string first_unwell_;
  std::string newest_;
};

}  // namespace flipback::replay
