#pragma once

#include "probes/access_log/line.hpp"
#include "probes/access_log/pattern.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <variant>

namespace flipback::access_log {

/// How a log writes its lines.
class line_format {
 public:
  /// JSON objects with these keys.
  line_format(field_keys keys);  // NOLINT(google-explicit-constructor): keys are a format

  /// What a person writes: "json" (the recommended keys), "combined", a log_format's text, or the whole directive as it stands in nginx's
  /// configuration. An error ends a sentence: "has no $status".
  static std::expected<line_format, std::string> from_text(std::string_view text);

  bool read(std::string_view text, line& into) { return pattern_ ? pattern_->read(text, into) : json_.read(text, into); }
  [[nodiscard]] bool has(field f) const;
  /// What a format of this kind would have to hold for the field: "$upstream_addr", or its name among `fields`.
  [[nodiscard]] std::string written_as(field f) const;
  /// See pattern::unclear.
  [[nodiscard]] std::string unclear(field f) const { return pattern_ ? pattern_->unclear(f) : std::string(); }
  /// Whether a client can write what passes for nginx's own (escape=none).
  [[nodiscard]] bool can_be_forged() const { return !escaped_; }

 private:
  field_keys keys_;
  line_reader json_;
  std::optional<pattern> pattern_;
  bool escaped_ = true;
};

}  // namespace flipback::access_log
