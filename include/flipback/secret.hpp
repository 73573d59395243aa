#pragma once

#include <string>
#include <utility>

namespace flipback {

/// A text that must reach no log, metric, error message, incident or answer. It can't be printed or formatted; whoever needs it to
/// authenticate says `reveal()`, which is what to look for in a review.
class secret {
 public:
  secret() = default;
  explicit secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend bool operator==(const secret&, const secret&) = default;

 private:
  std::string text_;
};

}  // namespace flipback
