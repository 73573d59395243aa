#pragma once

#include "probes/access_log/line.hpp"
#include "probes/access_log/variables.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::access_log {

/// A log_format's text, compiled, to take its lines apart.
///
/// What clients write must not pass for what nginx writes: a user agent may hold ` 500 127.0.0.1:8001`. So where a value ends is never
/// guessed. nginx escapes quotes and controls in values (but with escape=none), so a literal with one of these stands where the first such
/// character does, and cuts the line in groups; in each of them all values but one must be such that none contains what follows it. That
/// one is what is left of its group, read from both ends. Values that can't be told apart in this way are passed over together, as if the
/// format did not have them; a text whose status is among them is refused.
class pattern {
 public:
  /// What is wrong with the text is a whole sentence's end: "has no $status". `escaped`: the format is not one with escape=none.
  static std::expected<pattern, std::string> compile(std::string_view text, bool escaped);

  /// False where the line does not have this format.
  bool read(std::string_view text, line& into) const;
  [[nodiscard]] bool has(field f) const;
  /// Why a field can't be read that stands in the text: "has $uri and $http_user_agent, of which …". Empty: that is not so.
  [[nodiscard]] const std::string& unclear(field f) const { return unclear_[static_cast<std::size_t>(f)]; }

 private:
  struct part {
    std::string name;
    shape takes = shape::anything;
    std::optional<field> gives;
    bool is_request = false;  ///< $request: method, path and protocol
    std::string after;        ///< the literal that follows
  };
  struct group {
    std::size_t first = 0;
    std::size_t last = 0;                 ///< one past its last part
    std::optional<std::size_t> open;      ///< the part whose end nothing else tells
    std::size_t cut = std::string::npos;  ///< where in the last literal the escaped character stands; npos: the group ends with the line
  };

  struct run {
    std::size_t first = 0;
    std::size_t last = 0;
  };

  static std::expected<std::vector<part>, std::string> parts_of(std::string_view text, std::string& head);
  void bind();
  std::optional<run> divide(bool escaped);
  void merge(run of);
  bool read_group(const group& g, std::string_view text, std::size_t& at, line& into) const;
  void assign(const part& p, std::string_view value, line& into) const;

  std::string head_;
  std::vector<part> parts_;
  std::vector<group> groups_;
  std::array<std::string, field_count> unclear_;
};

}  // namespace flipback::access_log
