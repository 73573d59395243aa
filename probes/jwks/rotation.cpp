#include "probes/jwks/rotation.hpp"

#include "probes/jwks/key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace flipback::jwks {

namespace {

constexpr std::size_t most_named = 3;

std::string listed(std::string_view what, const std::vector<std::string>& ids) {
  std::vector<std::string> named;
  for (const std::string& id : ids) {
    if (named.size() == most_named) break;
    named.push_back(shown_id(id));
  }
  const std::size_t more = ids.size() - named.size();
  return fmt::format("{} {}{}", what, fmt::join(named, " "), more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

std::optional<std::string> rotation::see(const key_set& now) {
  std::map<std::string, std::set<std::string>> seen;
  for (const key& k : now.keys) {
    if (!k.signs) continue;
    const std::string print = fingerprint(*k.material);
    seen[k.id.empty() ? print : k.id].insert(print);
  }
  const auto before = std::exchange(last_, seen);
  if (!before || *before == seen) return std::nullopt;
  ++count_;
  std::vector<std::string> added;
  std::vector<std::string> replaced;
  std::vector<std::string> gone;
  for (const auto& [id, prints] : seen) {
    const auto was = before->find(id);
    if (was == before->end())
      added.push_back(id);
    else if (was->second != prints)
      replaced.push_back(id);
  }
  for (const auto& [id, prints] : *before)
    if (!seen.contains(id)) gone.push_back(id);
  std::vector<std::string> said;
  if (!added.empty()) said.push_back(listed("new", added));
  if (!gone.empty()) said.push_back(listed("gone", gone));
  if (!replaced.empty()) said.push_back(listed("another key under the id", replaced));
  return fmt::format("signing keys rotated: {}", fmt::join(said, ", "));
}

}  // namespace flipback::jwks
