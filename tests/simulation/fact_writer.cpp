#include "tests/simulation/fact_writer.hpp"

#include <utility>

namespace flipback::simulation {

using deployment::fact;

namespace {

constexpr duration patience = seconds(2);

/// Of an epoch that is not known yet what was remembered stays.
void copy_one(fact which, const stored_facts& from, stored_facts& into) {
  const auto place = static_cast<std::size_t>(which);
  if (which != fact::epoch || from.at(place)) into.at(place) = from.at(place);
}

}  // namespace

void fact_writer::keep(fact which, std::uint64_t serial, const deployment::state& as_it_is) {
  standing& s = facts_.at(static_cast<std::size_t>(which));
  s.wanted.emplace();
  s.wanted->at(static_cast<std::size_t>(which)) = deployment::text_of(which, as_it_is, world_.how.by, world_.both_clocks());
  const std::uint64_t version = ++s.version;
  s.waiting[serial] = version;
  later_(patience, [this, which, serial] {
    standing& now = facts_.at(static_cast<std::size_t>(which));
    if (now.waiting.erase(serial) == 0) return;
    now.ill = true;
    told_(which, serial, "the disk has not taken it within 2s");
  });
  if (!s.writing) write(which);
}

/// Tells those who wait for this version, or an older one.
void fact_writer::settle(fact which, std::uint64_t version, const std::string& trouble) {
  standing& s = facts_.at(static_cast<std::size_t>(which));
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, waits_for] : s.waiting) {
    if (waits_for <= version) serials.push_back(serial);
  }
  for (const std::uint64_t serial : serials) s.waiting.erase(serial);
  if (serials.empty() && s.ill != !trouble.empty()) serials.push_back(0);
  s.ill = !trouble.empty();
  for (const std::uint64_t serial : serials) told_(which, serial, trouble);
}

void fact_writer::write(fact which) {
  standing& s = facts_.at(static_cast<std::size_t>(which));
  s.writing = true;
  const std::uint64_t version = s.version;
  later_(world_.chance.between(milliseconds(1), milliseconds(20)), [this, which, version, value = *s.wanted] {
    standing& now = facts_.at(static_cast<std::size_t>(which));
    if (world_.wrong.store_hangs || world_.wrong.store_fails) {
      if (world_.wrong.store_fails) settle(which, version, "no space left");
      later_(seconds(1), [this, which] { write(which); });
      return;
    }
    copy_one(which, value, world_.facts);
    now.kept = version;
    now.writing = false;
    if (now.version > version) write(which);
    settle(which, version, {});
    check_waiting();
  });
}

void fact_writer::when_all_kept(std::function<void()> then) {
  waiting w{{}, std::move(then)};
  for (std::size_t i = 0; i < facts_.size(); ++i) w.versions.at(i) = facts_.at(i).version;
  waiting_.push_back(std::move(w));
  check_waiting();
}

void fact_writer::check_waiting() {
  for (std::size_t i = 0; i < waiting_.size();) {
    bool all = true;
    for (std::size_t f = 0; f < facts_.size(); ++f) all = all && facts_.at(f).kept >= waiting_[i].versions.at(f);
    if (!all) {
      ++i;
      continue;
    }
    const auto then = std::move(waiting_[i].then);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    then();
  }
}

}  // namespace flipback::simulation
