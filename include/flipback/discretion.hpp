#pragma once

#include "flipback/secret.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// Takes secrets out of what others wrote: as they are, in base64 or hexadecimal, percent-encoded, quoted-printable, escaped, as entities,
/// with invisible characters between, also several times over, and what is left of one where a text was cut ("…").
class discretion {
 public:
  static constexpr std::size_t shortest = 3;  ///< bytes: what is shorter would take half of every sentence with it

  discretion() = default;
  explicit discretion(std::span<const secret> all) {
    for (const secret& s : all) keep(s);
  }

  void keep(const secret& s);
  [[nodiscard]] std::string without(std::string_view text) const;
  [[nodiscard]] bool empty() const { return forms_.empty(); }

 private:
  void add(std::string form);

  std::vector<std::string> forms_;  ///< the longest first
};

}  // namespace flipback
