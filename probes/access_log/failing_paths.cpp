#include "probes/access_log/failing_paths.hpp"

#include "probes/access_log/folded_path.hpp"

#include <utility>

namespace flipback::access_log {

void failing_paths::add(std::string_view path, bool failed) {
  if (path.empty() || (!failed && paths_.empty())) return;
  const std::string of = folded(path);
  auto at = paths_.find(of);
  if (at == paths_.end()) {
    if (!failed) return;
    if (paths_.size() == most) {  // the newcomer's error takes one from each, and is gone with them
      lighten([](std::uint64_t weight) { return weight - 1; });
      return;
    }
    auto text = std::make_shared<const std::string>(of);
    const std::string_view key = *text;
    at = paths_.emplace(key, counted{.of = std::move(text)}).first;
  }
  counted& c = at->second;
  ++c.requests;
  if (!failed) return;
  ++c.errors;
  ++c.weight;
}

/// What has no weight any more is counted no longer.
void failing_paths::lighten(std::uint64_t (*less)(std::uint64_t weight)) {
  for (auto& [text, c] : paths_) c.weight = less(c.weight);
  std::erase_if(paths_, [](const auto& each) { return each.second.weight == 0; });
}

ratios failing_paths::take() {
  ratios taken;
  for (auto& [text, c] : paths_) {
    if (c.requests > 0) taken.push_back({c.of, std::exchange(c.errors, 0), std::exchange(c.requests, 0)});
  }
  if (++takes_ % takes_until_halved == 0) lighten([](std::uint64_t weight) { return weight / 2; });
  return taken;
}

}  // namespace flipback::access_log
