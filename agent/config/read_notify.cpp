#include "agent/config/read_notify.hpp"

#include "flipback/shown_item.hpp"

#include "agent/config/own_keys.hpp"

#include <climits>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr unsigned highest_level = 3;

void read_escalation(settings::section& from, std::vector<duration>& into) {
  if (!from.has("escalate_after")) return;
  into.clear();
  const std::vector<std::string> texts = from.texts("escalate_after");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto after = parse_duration(texts[i]);
    if (after && *after >= minutes(1) && *after <= hours(24)) {
      into.push_back(*after);
      continue;
    }
    from.report("escalate_after",
                fmt::format("found {}, expected a time from 1m to 24h, such as \"15m\"", settings::shown_item(from, "escalate_after", i)));
  }
  if (into.size() > highest_level - 1)
    from.report("escalate_after", fmt::format("found {} times, expected at most {}: after the first, level 2 is told, too, and after the "
                                              "second level 3",
                                              into.size(), highest_level - 1));
}

target_entry read_target(const std::string& name, settings::section& from, const settings::node& table) {
  target_entry read;
  read.name = name;
  read.type = from.required_text("type", "slack");
  read.level = static_cast<unsigned>(from.integer("level", 1, 1, highest_level));
  const auto may_stand = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  if (name.empty() || !std::ranges::all_of(name, may_stand)) from.report_here("is no name for a target: expected letters, digits, _ and -");
  read.about = from.texts("about");
  if (from.has("about") && read.about.empty())
    from.report("about", fmt::format("found nothing, so that it is told of nothing; expected some of {}", fmt::join(subjects, ", ")));
  for (std::size_t i = 0; i < read.about.size(); ++i) {
    if (std::ranges::find(subjects, read.about[i]) != subjects.end()) continue;
    const std::string meant = settings::nearest(read.about[i], {subjects.begin(), subjects.end()});
    from.report("about", fmt::format("found {}, {}", settings::shown_item(from, "about", i),
                                     meant.empty() ? fmt::format("expected some of {}", fmt::join(subjects, ", "))
                                                   : fmt::format("did you mean \"{}\"?", meant)));
  }
  read.least = from.one_of("least", read.least, {severity::info, severity::warning, severity::critical});
  read.table = without_keys(table, common_target_keys);
  return read;
}

}  // namespace

void read_notify(settings::section& root, notify::manners& into) {
  std::array<char, HOST_NAME_MAX + 1> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) == 0) into.name = machine.data();
  auto from = root.inner("notify");
  if (!from) return;
  read_escalation(*from, into.escalate_after);
  into.remind_every = from->span("remind_every", into.remind_every, duration{}, hours(24));
  if (into.remind_every != duration{} && into.remind_every < minutes(1))
    from->report("remind_every", fmt::format("found {}, expected 1m at least, or \"0s\" for never", from->shown("remind_every")));
  into.name = from->text("name", into.name);
  into.link = from->text("link", into.link);
  if (into.link.find('@') < into.link.find('/', into.link.find("//") + 2))
    from->report("link", "has a name or a password in it, and stands in every letter: expected the address alone");
  if (!into.link.empty() && !into.link.starts_with("http://") && !into.link.starts_with("https://"))
    from->report("link", fmt::format("found {}, expected where people reach this agent's page, such as \"https://flipback.example.com/\"",
                                     from->shown("link")));
  from->finish();
}

void read_targets(settings::section& root, std::vector<target_entry>& into) {
  const settings::node* all = root.raw("targets");
  for (auto& [name, from] : root.inners("targets"))
    into.push_back(read_target(name, from, std::get<settings::table>(all->value).at(name).value.front()));
}

}  // namespace flipback::config
