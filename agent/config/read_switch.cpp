#include "agent/config/read_switch.hpp"

#include "flipback/read_command.hpp"

#include "agent/config/read_live_files.hpp"
#include "agent/config/switch_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

class switch_reader {
 public:
  switch_reader(settings::section& root, settings::section& from, const std::vector<slot>& slots, deployment& into)
      : from_(&from), tables_(root.inners("slots")), slots_(&slots), into_(&into), keys_(from, tables_) {}

  void read() {
    for (const std::string_view key : {"write", "switch_timeout", "settle_within"}) from_->know(key);
    if (into_->effect_is_intent) return read_unreadable();
    if (keys_.none())
      return from_->report_here(fmt::format(
          R"(names no switch, expected the keys of one: {}; or intent = "effect" where none can be read from here)", switch_keys::ways));
    if (keys_.mixed()) return keys_.report_mixed();  // what each of them lacks is not the point
    into_->switched_by = keys_.kind();
    read_bounds();
    switch (into_->switched_by) {
      case switch_kind::site:
        return read_site();
      case switch_kind::text:
        return read_text();
      case switch_kind::link:
        return read_link();
      case switch_kind::command:
        return read_commands();
    }
  }

 private:
  /// intent = "effect": a command that can't be asked, or nothing at all.
  void read_unreadable() {
    into_->switched_by = switch_kind::command;
    read_bounds();
    for (const switch_kind k : {switch_kind::site, switch_kind::text, switch_kind::link}) {
      if (keys_.any(k)) return contradicted_by(keys_.name_of_first(k));
    }
    if (keys_.live_file() || from_->has("active")) return contradicted_by(keys_.name_of_first(switch_kind::command));
    if (keys_.any(switch_kind::command)) return each_needs_a_switch();
    if (into_->mode == mode::observe) return;
    from_->report("mode", fmt::format(R"(found {}, but with intent = "effect" and no switch in the slots nothing can be flipped; )"
                                      R"(expected "observe", or in each slot a switch such as ["/usr/local/bin/switch-to", "blue"])",
                                      from_->shown("mode")));
  }

  void contradicted_by(std::string_view key) {
    from_->report("intent", fmt::format(R"(found "effect", but {} says what is intended; expected one of the two)", key));
  }

  void read_site() { into_->live_files = read_live_files(*from_, tables_, *slots_); }

  void read_text() {
    if (from_->has("live_sites"))
      from_->report("live_sites", "is not for slots that have text; expected live_site, the one file in which the pieces stand");
    else
      into_->live_files = {{from_->required_text("live_site", "/etc/nginx/sites-enabled/default"), {}}};
    each_needs("text", [](const slot&) { return R"(what the live file says for it alone, such as ["server 127.0.0.1:8000;"])"; });
    const slot& first = slots_->front();
    for (std::size_t i = 1; i < slots_->size(); ++i) {
      const slot& other = (*slots_)[i];
      if (first.text.empty() || other.text.empty() || first.text.size() == other.text.size()) continue;
      tables_[i].second.report("text", fmt::format("found {} {}, expected {}, one for each of slots.{}'s", other.text.size(),
                                                   other.text.size() == 1 ? "piece" : "pieces", first.text.size(), first.name));
    }
  }

  void read_link() {
    into_->live_link = from_->required_text("live_link", "/etc/nginx/sites-enabled/default");
    each_needs("target", [](const slot& s) { return fmt::format("where the link leads, such as \"../sites-available/{}\"", s.name); });
  }

  void read_commands() {
    constexpr std::string_view example = R"(["/usr/local/bin/active-slot"])";
    into_->active = read_command(*from_, "active", example);
    if (!from_->has("active")) {
      from_->report("active", fmt::format(R"(is missing, expected a program that prints the name of the live slot, such as {}; )"
                                          R"(or intent = "effect" where there is none)",
                                          example));
    }
    each_needs_a_switch();
  }

  void each_needs_a_switch() {
    each_needs("switch", [](const slot& s) { return fmt::format(R"(an array such as ["/usr/local/bin/switch-to", "{}"])", s.name); });
  }

  template <typename Example>
  void each_needs(std::string_view key, Example example) {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      if (!tables_[i].second.has(key)) tables_[i].second.report(key, fmt::format("is missing, expected {}", example((*slots_)[i])));
    }
  }

  /// What only some switches know.
  void read_bounds() {
    const bool files = into_->switched_by == switch_kind::site || into_->switched_by == switch_kind::text;
    const bool commands = into_->switched_by == switch_kind::command;
    into_->in_place = from_->choice("write", "rename", {"rename", "in_place"}) == "in_place";
    if (!files) unused("write", "where a file is written, with live_site");
    into_->switch_timeout = from_->span("switch_timeout", into_->switch_timeout, std::chrono::seconds(1), std::chrono::hours(1));
    into_->settle_within = from_->span("settle_within", into_->settle_within, std::chrono::milliseconds(100), std::chrono::hours(1));
    for (const std::string_view key : {"switch_timeout", "settle_within"}) {
      if (!commands) unused(key, "where a command switches, with active and a switch in each slot");
    }
  }
  void unused(std::string_view key, std::string_view where) {
    if (from_->has(key)) from_->report(key, fmt::format("is only used {}; leave it out", where));
  }

  settings::section* from_;
  std::vector<std::pair<std::string, settings::section>> tables_;  ///< of the slots, in their order
  const std::vector<slot>* slots_;
  deployment* into_;
  switch_keys keys_;
};

}  // namespace

void read_switched_by(slot& read, settings::section& from) {
  if (from.has("site")) read.site = from.required_text("site", "/etc/nginx/sites-available/" + read.name);
  read.text = from.texts("text");
  if (std::ranges::any_of(read.text, [](const std::string& piece) { return piece.find_first_not_of(" \t\r\n") == std::string::npos; })) {
    from.report(
        "text",
        fmt::format(R"(found {} with an empty piece, expected what the live file says for {} alone, such as "server 127.0.0.1:8000;")",
                    from.shown("text"), read.name));
  }
  if (from.has("target")) read.target = from.required_text("target", "../sites-available/" + read.name);
  read.switched_by = read_command(from, "switch", fmt::format(R"(["/usr/local/bin/switch-to", "{}"])", read.name));
}

void read_switch(settings::section& root, settings::section& from, const std::vector<slot>& slots, deployment& into) {
  switch_reader(root, from, slots, into).read();
}

}  // namespace flipback::config
