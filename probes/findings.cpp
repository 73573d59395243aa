#include "probes/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback {

void findings::unwell(reason why, std::string says) {
  constexpr std::size_t most = 5;
  if (unwell_.empty()) {
    seen_.why = why;
    seen_.result = outcome_of(why);
  }
  if (unwell_.size() < most)
    unwell_.push_back(std::move(says));
  else
    unwell_.back() = "and more";
}

observation findings::take() {
  seen_.says = fmt::format("{}", fmt::join(unwell_.empty() ? well_ : unwell_, ", "));
  for (const std::string& note : notes_) seen_.says += fmt::format("{}({})", seen_.says.empty() ? "" : " ", note);
  return std::move(seen_);
}

}  // namespace flipback
