#pragma once

#include "tests/simulation/watcher.hpp"
#include "tests/simulation/world.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flipback::simulation {

/// The promises of the design and the rules of its semantics, held against everything that the agent does. What it believes is taken from
/// its states; what is true, from the world.
class invariants final : public watcher {
 public:
  explicit invariants(world& in) : world_(in) {}

  /// The first promise that was broken, in one sentence; empty: none.
  [[nodiscard]] const std::string& broken() const { return broken_; }

  /// How often what happened, so that it can be seen that it does happen.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& figures() const { return figures_; }

  // What people and faults do, told by whoever does it.
  void touched() { touched_ = world_.time.now(); }  ///< something of nginx, its files or a slot
  void may_begin_an_epoch();                        ///< a person's change of what is live
  void store_was_ill() { store_ill_ = world_.time.now(); }
  void disturbed() { disturbed_ = world_.time.now(); }  ///< anything at all

  /// Nothing has happened for a while, and nothing is out of order.
  void settled(const deployment::state& s, const deployment::present& now, bool rolls_back);
  /// A release is bad, the window open and everything else well: it must be rolled back by now.
  void must_have_rolled_back(duration since);

  void born(const deployment::started& seen) override;
  void died() override;
  void answered(slot_number slot, instant asked, bool well) override;
  void stepped(const deployment::present& now, const deployment::happening& what, const deployment::stepped& done) override;
  void asked(const deployment::verb& v) override;
  void put(const rollback::change& c, rollback::end to, const rollback::put_result& how) override;
  void recovering(const rollback::cut_off& found) override;

 private:
  void fail(std::string why);
  void on_leave(const deployment::stepped& done, const deployment::present& now);
  void on_automatic_leave(const deployment::attempt& a, const deployment::state& s, const deployment::present& now);
  void on_said(const event& e, const deployment::state& s);
  void on_closed(const event& e);
  void note_breaches(const deployment::present& now, const deployment::state& s);
  void check_said_in_time();
  void check_verbs(bool settled);

  world& world_;
  std::string broken_;
  std::map<std::string, std::uint64_t> figures_;

  struct direct {
    instant asked;
    bool well = false;
  };
  std::vector<std::optional<direct>> newest_;
  duration touched_{};
  duration store_ill_ = seconds(-1000);
  duration disturbed_{};
  duration maker_{};  ///< the newest change of a person's that may begin an epoch
  unsigned makers_since_cutover_ = 1;
  unsigned changed_since_maker_ = 0;  ///< attempts that changed something
  std::optional<duration> first_change_;
  bool unlatched_ = false;
  std::optional<duration> held_since_;
  duration held_for_{};
  std::optional<duration> leave_at_;
  std::string under_way_;
  bool recovers_to_sick_ = false;
  bool ended_before_ = false;  ///< what is recovered had ended: nothing may be changed
  std::optional<slot_number> to_;
  bool flips_ = false;  ///< what is under way is a person's flip, and no rollback
  std::set<std::string> changed_ids_;
  std::optional<duration> rolled_back_at_;
  std::uint64_t epoch_ = 0;

  struct open_verb {
    deployment::verb what;
    duration since{};
  };
  std::map<std::uint64_t, open_verb> verbs_;
  struct breach {
    instant since;
    duration seen{};
    bool said = false;
  };
  std::map<std::string, breach> breaches_;
};

}  // namespace flipback::simulation
