#include "tests/simulation/people.hpp"

#include <array>
#include <utility>

namespace flipback::simulation {

using condition = slots_model::condition;
using deployment::verb;

slot_number people::named() const {
  const auto names = world_.nginx.intent();
  return names.named().value_or(world_.nginx.leads_to().value_or(0));
}

std::string people::next_release() {
  return fmt::format("v{}", ++releases_);
}

void people::write_live(std::size_t file, file_image image) {
  const std::string path = world_.nginx.live_path(file);
  if (image.is == file_image::kind::link)
    world_.disk.place(path, std::move(image), world_.now().wall, disk_model::author::person);
  else
    world_.disk.copy_over(path, std::move(image), world_.now().wall);
  watcher_.may_begin_an_epoch();
}

void people::point_at(slot_number to, bool then_reload) {
  world_.tell("a person points the switch at {}{}", world_.how.by.slots[to], then_reload ? " and reloads" : "");
  duration wait{};
  for (std::size_t f = 0; f < world_.how.files; ++f) {
    world_.time.after(wait, [this, f, to] {
      if (!host_.is_up()) return;
      file_image image = world_.nginx.image_for(to, f);
      const file_image& now = world_.disk.read(world_.nginx.live_path(f));
      const std::string from = fmt::format("server {};", world_.how.by.slots[1 - to]);
      if (world_.how.how == switched_by::text && now.bytes.contains(from)) {
        // As sed does it.
        image = now;
        image.bytes.replace(image.bytes.find(from), from.size(), fmt::format("server {};", world_.how.by.slots[to]));
      }
      write_live(f, std::move(image));
    });
    wait += world_.chance.between(milliseconds(1), milliseconds(200));
  }
  world_.time.after(wait + seconds(5), [this] { world_.disk.sync_all(); });
  if (!then_reload) return;
  world_.time.after(wait + world_.chance.between(milliseconds(10), seconds(2)), [this] {
    if (!host_.is_up()) return;
    watcher_.may_begin_an_epoch();
    if (world_.nginx.takes_its_files()) world_.nginx.reload();
    if (!world_.nginx.runs()) world_.nginx.start();
  });
}

void people::cut_over(slot_number to) {
  point_at(to, true);
}

void people::deploy(slot_number n, condition quality) {
  world_.tell("a person deploys a release to {} that is {}", world_.how.by.slots[n], name_of(quality));
  watcher_.may_begin_an_epoch();
  constexpr std::array<double, 5> shares{0.9, 0.9, 0.52, 0.3, 0.06};
  world_.slots.fail_by(n, shares.at(world_.chance.below(shares.size())));
  world_.slots.become(n, condition::stopped, world_.time.now());
  world_.time.after(world_.chance.between(milliseconds(300), seconds(4)), [this, n, quality, release = next_release()] {
    if (!host_.is_up()) return;
    watcher_.may_begin_an_epoch();
    world_.slots.deploy(n, release, quality, world_.time.now());
  });
}

/// By hand, not by the runbook: the other slot's text in every live file, and a remark of one's own in it.
void people::move_by_hand() {
  const slot_number to = 1 - named();
  world_.tell("a person writes {}'s text by hand, with a remark, and reloads", world_.how.by.slots[to]);
  for (std::size_t f = 0; f < world_.how.files; ++f) {
    file_image image = world_.nginx.image_for(to, f);
    image.bytes += "# by hand\n";
    write_live(f, std::move(image));
  }
  world_.time.after(world_.chance.between(milliseconds(10), seconds(2)), [this] {
    if (!host_.is_up()) return;
    watcher_.may_begin_an_epoch();
    if (world_.nginx.takes_its_files()) world_.nginx.reload();
  });
  if (world_.chance.chance(0.5)) return;
  world_.time.after(world_.chance.between(seconds(2), seconds(30)), [this, to] {
    if (host_.is_up()) point_at(world_.chance.chance(0.5) ? to : 1 - to, true);
  });
}

void people::edit() {
  if (world_.how.how == switched_by::site && world_.chance.chance(0.4)) return move_by_hand();
  const std::size_t file = world_.chance.below(world_.how.files);
  const std::string path = world_.nginx.live_path(file);
  file_image now = world_.disk.read(path);
  if (now.is == file_image::kind::link)
    now.target = "maintenance";
  else
    now.bytes += "# somebody was here\n";
  world_.tell("a person edits {}", path);
  write_live(file, std::move(now));
  if (world_.chance.chance(0.5)) {
    world_.time.after(world_.chance.between(seconds(2), seconds(20)), [this] {
      if (host_.is_up()) point_at(named(), true);
    });
  }
}

void people::say_verb() {
  verb v;
  v.id = ++verbs_;
  v.by = "ann";
  v.reason = "because";
  constexpr std::array<verb::kind, 11> kinds{verb::kind::rollback,     verb::kind::approve, verb::kind::approve, verb::kind::approve,
                                             verb::kind::hold,         verb::kind::unhold,  verb::kind::unlatch, verb::kind::window_open,
                                             verb::kind::window_close, verb::kind::flip,    verb::kind::flip};
  v.is = kinds.at(world_.chance.below(kinds.size()));
  v.sure = world_.chance.chance(0.2);
  v.length = world_.chance.between(seconds(5), seconds(100));
  if (world_.chance.chance(0.2)) v.rule = "error-rate";
  if (v.is == verb::kind::flip || (v.is == verb::kind::window_open && world_.chance.chance(0.5)))
    v.slot = world_.chance.below(world_.slots.count());
  constexpr std::array<std::string_view, 8> names{"rollback", "approve",     "hold",         "unhold",
                                                  "unlatch",  "window open", "window close", "flip"};
  shell_model* agent = host_.agent();
  world_.tell("verb {}: {}{}", v.id, names.at(static_cast<std::size_t>(v.is)), agent == nullptr ? ", and there is no agent" : "");
  if (agent != nullptr) agent->ask(std::move(v));
}

void people::new_terms() {
  terms next = world_.how.by;
  constexpr std::array<config::mode, 4> modes{config::mode::act, config::mode::act, config::mode::ask, config::mode::observe};
  if (world_.chance.chance(0.5)) next.mode = modes.at(world_.chance.below(modes.size()));
  if (host_.agent() != nullptr) host_.agent()->reload(next);
}

void people::break_something() {
  faults& f = world_.wrong;
  static constexpr std::array<std::pair<std::string_view, bool faults::*>, 17> all{
      {{"the store fails", &faults::store_fails},
       {"the store hangs", &faults::store_hangs},
       {"the journal fails", &faults::journal_fails},
       {"the journal hangs", &faults::journal_hangs},
       {"the disk is full", &faults::disk_full},
       {"the disk is read-only", &faults::disk_read_only},
       {"the disk is slow", &faults::disk_slow},
       {"nginx -t hangs", &faults::test_hangs},
       {"reload commands fail", &faults::reload_lost},
       {"answers are late", &faults::answers_late},
       {"answers are lost", &faults::answers_lost},
       {"the front door is silent", &faults::door_silent},
       {"the log is silent", &faults::log_silent},
       {"the switch can't be read", &faults::switch_unreadable},
       {"a rule's unless is true", &faults::withheld},
       {"the database can't be reached", &faults::shared_is_ill},
       {"one client makes the errors", &faults::one_client}}};
  const auto& [says, which] = all.at(world_.chance.below(all.size()));
  const duration lasts = world_.chance.between(seconds(1), seconds(60));
  world_.tell("{} for {}", says, format_duration(std::chrono::duration_cast<seconds>(lasts)));
  f.*which = true;
  const bool of_store =
      which == &faults::store_fails || which == &faults::store_hangs || which == &faults::journal_fails || which == &faults::journal_hangs;
  if (of_store) watcher_.store_was_ill();
  world_.time.after(lasts, [this, which, of_store] {
    world_.wrong.*which = false;
    if (of_store) watcher_.store_was_ill();
    watcher_.disturbed();
  });
}

void people::do_something() {
  if (gone_ || !host_.is_up()) return;
  watcher_.disturbed();
  dice& chance = world_.chance;
  const slot_number any = chance.below(world_.slots.count());
  constexpr std::array<condition, 6> qualities{condition::well, condition::bad,  condition::bad,
                                               condition::bad,  condition::sick, condition::slow};
  const condition quality = qualities.at(chance.below(qualities.size()));
  switch (chance.below(16)) {
    case 0:
    case 1:
    case 2: {  // a deployment by the runbook
      const slot_number to = 1 - named();
      deploy(to, quality);
      world_.time.after(chance.between(seconds(5), seconds(15)), [this, to] {
        if (!gone_ && host_.is_up()) cut_over(to);
      });
      return;
    }
    case 3:
      return cut_over(1 - named());
    case 4:
      return point_at(any, false);
    case 5:
      return edit();
    case 6:
      return deploy(any, quality);
    case 7: {
      const condition becomes = chance.chance(0.4) ? condition::well : chance.chance(0.5) ? condition::stopped : quality;
      world_.tell("{} becomes {}", world_.how.by.slots[any], name_of(becomes));
      watcher_.touched();
      return world_.slots.become(any, becomes, world_.time.now());
    }
    case 8:
    case 9:
    case 10:
      return say_verb();
    case 11:
      return new_terms();
    case 12:
      if (chance.chance(0.6)) return host_.kill_agent();
      return host_.lose_power(chance.chance(0.3) ? std::chrono::hours(1) : duration{});
    case 13: {
      bool& broken = world_.nginx.broken_elsewhere;
      broken = !broken;
      watcher_.touched();
      return world_.tell("somebody {} another of nginx's files", broken ? "breaks" : "mends");
    }
    case 14:
      world_.nginx.lingers = !world_.nginx.lingers;
      return world_.tell("old workers {}", world_.nginx.lingers ? "linger" : "leave at once");
    default:
      return break_something();
  }
}

void people::leave_in_peace() {
  gone_ = true;
  world_.wrong = {};
  world_.nginx.lingers = false;
  world_.nginx.broken_elsewhere = false;
  if (!world_.nginx.runs() && host_.is_up()) {
    world_.nginx.start();
    watcher_.may_begin_an_epoch();
  }
  watcher_.touched();
  watcher_.disturbed();
  world_.tell("everything is mended, and everybody leaves");
}

}  // namespace flipback::simulation
