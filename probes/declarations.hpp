#pragma once

#include "flipback/observation.hpp"

#include "probes/net/api.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// What a probe may measure, where that rests on its configuration: with names made there, "properties.points". Must outlive every
/// observation, as the probe does.
class declarations {
 public:
  void add(measurement_declaration d) { all_.push_back(d); }
  /// A name from the configuration, for as long as the declarations live.
  std::string_view keep(std::string name) { return names_.emplace_back(std::move(name)); }
  /// A measurement of one object that was named in the configuration; characters that no signal's name may have become `_`.
  std::string_view add_of(std::string_view object, std::string_view measurement, signal_kind kind, unit in) {
    std::string& name = names_.emplace_back(object);
    std::ranges::replace_if(name, [](char c) { return !fits(c); }, '_');
    name.append(".").append(measurement);
    all_.push_back({name, kind, in});
    return name;
  }
  /// A measurement that the configuration itself names.
  std::string_view add_named(std::string_view name, signal_kind kind, unit in) {
    const std::string& kept = names_.emplace_back(name);
    // What counts or times many at once is taken for users' requests.
    const bool is_of_requests = kind == signal_kind::ratio || kind == signal_kind::distribution;
    all_.push_back({.name = kept, .kind = kind, .in = in, .tells = is_of_requests ? telling::requests : telling::nothing});
    return kept;
  }
  /// Whether a name that a person chose can be a part of a signal's as it stands.
  [[nodiscard]] static bool is_name(std::string_view text) { return !text.empty() && std::ranges::all_of(text, fits); }
  /// Whether every probe measures something of this name, or every one that sees a certificate: nothing else may have it.
  [[nodiscard]] static bool is_every_probes(std::string_view name) {
    constexpr std::array<std::string_view, 6> all{
        "up", "reachable", "latency", "consecutive_failures", "failure_ratio", "certificate_left"};
    return std::ranges::find(all, name) != all.end();
  }
  /// `certificate_left`, where there is a certificate to see.
  void add_certificate(const net::url& at) {
    if (at.tls) add({"certificate_left", signal_kind::gauge, unit::seconds});
  }

  [[nodiscard]] std::span<const measurement_declaration> all() const { return all_; }

 private:
  static bool fits(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

  std::deque<std::string> names_;  ///< a deque: declarations and observations point into it
  std::vector<measurement_declaration> all_;
};

}  // namespace flipback
