#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::journey {

/// What earlier steps captured, by name.
using captured = std::map<std::string, std::string, std::less<>>;

/// Where a text goes, which says how it is written: `path` has only its captured values percent-encoded, `form` everything, `json` (the
/// inside of a string) everything escaped.
enum class goes_to : std::uint8_t { plain, path, form, json };

/// Text with `{name}` in it for captured values. A name is letters, digits and _; `{{` is a brace, and so is one that no name and closing
/// brace follow, so that JSON needs no care.
class text_template {
 public:
  text_template() = default;
  text_template(std::string_view written, goes_to place);
  /// Text without captured values, whatever braces it has.
  static text_template literal(std::string_view text, goes_to place);

  void append(const text_template& more);
  [[nodiscard]] std::string filled(const captured& values) const;
  /// Every captured value that it takes.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool empty() const { return parts_.empty(); }

 private:
  struct part {
    std::string text;  ///< as sent, or a name
    bool is_name = false;
    goes_to place = goes_to::plain;
  };
  std::vector<part> parts_;
};

}  // namespace flipback::journey
