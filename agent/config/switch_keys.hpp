#pragma once

#include "flipback/settings.hpp"

#include "agent/config/mode.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::config {

/// Which keys of a switch stand in [deployment] and in the slots' tables, by the switch to which they belong. `live_site` belongs to two: a
/// file may be replaced whole or in pieces.
class switch_keys {
 public:
  /// The four ways to write a switch, for messages.
  static constexpr std::string_view ways =
      "live_site with a site in each slot, live_site with text in each slot, live_link with a target in each slot, or active with a switch "
      "in each slot";

  /// The tables must outlive the object.
  switch_keys(settings::section& deployment, std::vector<std::pair<std::string, settings::section>>& slots);

  [[nodiscard]] bool none() const;
  [[nodiscard]] bool live_file() const { return live_file_.in != nullptr; }
  [[nodiscard]] bool any(switch_kind of) const { return at(of).in != nullptr; }
  /// Whether there are keys of two switches.
  [[nodiscard]] bool mixed() const;
  /// The switch to which the first key belongs; `site` where there is only a live file.
  [[nodiscard]] switch_kind kind() const;
  /// Says of each key that belongs to another switch than the first, which keys belong together.
  void report_mixed() const;
  /// The first key of a kind as messages name it: "live_link", "slots.blue.target"; the live file's where there is none of that kind.
  [[nodiscard]] std::string name_of_first(switch_kind of) const;

 private:
  struct key {
    std::string_view name;
    settings::section* in = nullptr;
  };

  [[nodiscard]] const key& at(switch_kind of) const { return first_.at(static_cast<std::size_t>(of)); }
  void note(switch_kind of, std::string_view name, settings::section& in);
  static std::string shown(const key& k);

  key live_file_;
  std::array<key, 4> first_;  ///< of each kind
};

}  // namespace flipback::config
