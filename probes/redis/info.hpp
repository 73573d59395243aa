#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flipback::redis {

/// The text that INFO gives, of one section or several: lines "name:value". What a version of Redis does not tell is nothing.
class info {
 public:
  void add(std::string_view section) { text_.append(section).append("\n"); }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  /// A finite number; a value that only begins with one is none.
  [[nodiscard]] std::optional<double> number(std::string_view name) const;

 private:
  std::string text_;
};

/// A field of a line of several: "offset" in "ip=127.0.0.1,port=6380,state=online,offset=42,lag=0".
std::optional<std::string_view> field_of(std::string_view line, std::string_view name);

/// A finite number, the whole text.
std::optional<double> number_of(std::string_view text);

}  // namespace flipback::redis
