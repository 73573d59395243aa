#include "agent/deployment/blame.hpp"

#include "flipback/quoted.hpp"
#include "flipback/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr double speaks_for_errors = 0.5;
constexpr std::size_t least_answers = 2;
constexpr std::size_t longest_path = 80;
constexpr unsigned client_errors = 400;
constexpr unsigned server_errors = 500;
constexpr double by_chance = 0.5;
constexpr double if_to_blame = 0.95;
const double sure = std::log(1000);
constexpr int well_rounds = 3;
constexpr std::string_view more_is_asked = "; more is asked, since chance may do as much";

std::string path_of(const std::string& target) {
  return target.substr(0, target.find('?'));
}

/// It changes nothing, so that it may be repeated (RFC 9110, 9.2.1), and its target can stand in a request line.
bool may_be_asked(const failed_request& r) {
  const auto sendable = [](unsigned char c) { return c > ' ' && c != 0x7f; };
  return is_safe(r.method) && r.target.starts_with('/') && std::ranges::all_of(r.target, sendable);
}

std::set<std::string> paths_of(const std::vector<question>& questions) {
  std::set<std::string> paths;
  for (const question& q : questions) paths.insert(path_of(q.target));
  return paths;
}

/// The place of a question whose path another has too.
std::optional<std::size_t> doubled(const std::vector<question>& in) {
  for (std::size_t i = in.size(); i-- > 0;) {
    const auto same = [&](const question& q) { return path_of(q.target) == path_of(in[i].target); };
    if (std::ranges::count_if(in, same) > 1) return i;
  }
  return std::nullopt;
}

/// Whether the slot did well; nothing: it did not say.
std::optional<bool> did_well(const slot_did& slot, const question& asked) {
  if (slot.is == slot_did::kind::nothing) return std::nullopt;
  if (slot.is == slot_did::kind::slow) return asked.waited >= to_seconds(asked_for) ? std::optional(false) : std::nullopt;
  if (slot.is == slot_did::kind::failed || slot.status >= server_errors) return false;
  if (slot.status < client_errors) return true;
  return slot.status == asked.user_got ? std::optional(false) : std::nullopt;
}

std::string shown(const slot_did& slot) {
  if (slot.is == slot_did::kind::nothing) return "not asked";
  if (slot.is == slot_did::kind::failed) return "no answer";
  if (slot.is == slot_did::kind::slow) return fmt::format("no answer within {}", format_duration(asked_for));
  return slot.status == 0 ? "a long answer" : fmt::format("{}", slot.status);
}

std::string shown(const tried& one) {
  return fmt::format("{} {}: live {}, stable {}", one.of.method, flipback::quoted(path_of(one.of.target), {}, longest_path),
                     shown(one.live), shown(one.stable));
}

}  // namespace

std::vector<question> questions_from(const std::vector<failed_request>& failed, std::mt19937& chance) {
  std::vector<question> all;
  for (const failed_request& r : failed) {
    if (may_be_asked(r)) all.push_back({r.method, r.target, r.status, r.waited});
  }
  std::ranges::shuffle(all, chance);
  std::vector<question> drawn(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_questions)));
  for (std::size_t i = drawn.size(); i < all.size(); ++i) {
    const auto paths = paths_of(drawn);
    if (paths.size() >= least_paths) break;
    const auto place = paths.contains(path_of(all[i].target)) ? std::nullopt : doubled(drawn);
    if (place) drawn[*place] = all[i];
  }
  return drawn;
}

blame judge(const std::vector<tried>& all, double safe_share) {
  using kind = blame::kind;
  if (all.empty())
    return {kind::cant_tell, "can't tell whether the release is to blame: no failed request is known that may be asked again"};
  if (safe_share < speaks_for_errors)
    return {kind::cant_tell, fmt::format("can't tell whether the release is to blame: only {} of the errors are of requests that may be "
                                         "asked again (GET, HEAD)",
                                         format_ratio(safe_share))};
  std::size_t answers = 0;
  std::vector<const tried*> both_failed;
  std::vector<const tried*> live_failed;
  std::vector<const tried*> stable_failed;
  std::vector<const tried*> both_did_well;
  for (const tried& one : all) {
    const auto live = did_well(one.live, one.of);
    const auto stable = did_well(one.stable, one.of);
    if (!live || !stable) continue;
    ++answers;
    if (!*live) (*stable ? live_failed : both_failed).push_back(&one);
    if (*live) (*stable ? both_did_well : stable_failed).push_back(&one);
  }
  if (answers < least_answers || 2 * answers < all.size())
    return {kind::cant_tell, fmt::format("can't tell whether the release is to blame: of {} failed requests that were asked again, {} were "
                                         "answered on both slots ({})",
                                         all.size(), answers, shown(all.front()))};
  const auto live_alone = static_cast<unsigned>(live_failed.size());
  const auto stable_alone = static_cast<unsigned>(stable_failed.size());
  // What fails by chance fails now here, now there: how many each fails counts, not whether they are the same.
  if (const std::size_t both = both_failed.size() + std::min(live_failed.size(), stable_failed.size()); 2 * both >= answers)
    return {kind::both_fail,
            fmt::format("both slots fail {} of {} failed requests that were asked again ({})", both, answers,
                        shown(both_failed.empty() ? all.front() : *both_failed.front())),
            live_alone, stable_alone};
  if (!live_failed.empty() || !stable_failed.empty()) {
    const tried& one = live_failed.empty() ? *stable_failed.front() : *live_failed.front();
    const std::string other = stable_failed.empty() ? "" : fmt::format(", and fails {} that the live one does well", stable_alone);
    return {kind::unsure,
            fmt::format("the stable slot does {} of {} failed requests well that the live one fails{} ({})", live_alone, answers, other,
                        shown(one)),
            live_alone, stable_alone};
  }
  return {kind::both_well, fmt::format("both slots do {} of {} failed requests well that were asked again ({})", both_did_well.size(),
                                       answers, shown(*both_did_well.front()))};
}

blame blame_evidence::add(blame round) {
  using kind = blame::kind;
  live_alone_ += round.live_alone;
  stable_alone_ += round.stable_alone;
  log_ratio_ += round.live_alone * std::log(if_to_blame / by_chance) + round.stable_alone * std::log((1 - if_to_blame) / by_chance);
  // A long outage of both must not shield for hours what the release fails afterwards.
  log_ratio_ = std::clamp(log_ratio_, -sure, 2 * sure);
  // A release that fails one request in ten does well all eight in every third round.
  well_in_a_row_ = round.is == kind::both_well ? well_in_a_row_ + 1 : 0;
  // What it failed before does not convict it by one failure by chance once it has done all well.
  if (round.is == kind::both_well) log_ratio_ = std::min(log_ratio_, sure - 2 * std::log(if_to_blame / by_chance));
  if (round.is == kind::both_well && well_in_a_row_ < well_rounds) {
    round.is = kind::unsure;
    round.says += more_is_asked;
    return round;
  }
  if (round.is != kind::unsure) return round;
  if (log_ratio_ >= sure && round.live_alone > 0) {
    round.is = kind::release_to_blame;
  } else if (log_ratio_ <= 0) {
    round.is = kind::both_fail;
    round.says = fmt::format("both slots fail some of what is asked again, the live one alone {} times, the stable one alone {} times",
                             live_alone_, stable_alone_);
  } else {
    round.says += more_is_asked;
  }
  return round;
}

}  // namespace flipback::deployment
