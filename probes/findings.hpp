#pragma once

#include "flipback/observation.hpp"

#include "probes/net/network.hpp"

#include <string>
#include <vector>

namespace flipback {

/// What one run learns by several questions. The first thing that is not well gives the observation its outcome and its reason, and every
/// one of them is in the sentence; with none, the sentence is what was found to be well. Measurements stay, however it ends.
class findings {
 public:
  void well(std::string says) { well_.push_back(std::move(says)); }
  void unwell(reason why, std::string says);
  void unwell(net::failure what) { unwell(what.why, std::move(what.says)); }
  /// What a person should know though nothing is wrong: "the user may not ask for INFO". Said after the rest.
  void note(std::string says) { notes_.push_back(std::move(says)); }
  /// The same, and an event of its own: it is seen in one run alone.
  void news(std::string says) {
    seen_.news.push_back(says);
    note(std::move(says));
  }
  void measure(std::string_view name, measured value) { seen_.measure(name, std::move(value)); }
  void measure(measurement m) { seen_.measurements.push_back(std::move(m)); }

  [[nodiscard]] bool is_well() const { return unwell_.empty(); }
  observation take();

 private:
  observation seen_;
  std::vector<std::string> well_;
  std::vector<std::string> unwell_;
  std::vector<std::string> notes_;
};

}  // namespace flipback
