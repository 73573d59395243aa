#pragma once

#include "flipback/event.hpp"

#include "agent/config/make_targets.hpp"
#include "agent/notify/desk.hpp"
#include "agent/notify/outbox_keeper.hpp"
#include "agent/task_group.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flipback::notify {

/// Where the letters of one configuration go, and the network that leads there.
struct directory {
  std::unique_ptr<net::network> through;
  std::vector<config::made_target> targets;
};

/// Tells people what happens: the desk writes, the outbox holds, and each target is asked apart from the others, so that one that hangs
/// delays none. What waits is on disk before it is sent, as far as the disk takes it within a second; one that takes nothing holds nobody
/// up.
class notifier {
 public:
  static constexpr duration delivered_within = std::chrono::seconds(10);
  static constexpr duration again_after = std::chrono::seconds(5);  ///< on a disk that took nothing

  /// `tell`, on the loop: `notify.told` of each letter that arrived, `notify.failed` and `notify.mended` of a target, `notify.given_up` of
  /// a letter, `notify.unsaved` of the disk. `typed`: a text with the commands in it as they are typed to reach this agent.
  notifier(boost::asio::io_context& loop, std::function<void(event)> tell, std::function<std::string(std::string)> typed);
  ~notifier();
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

  /// Goes on with what an earlier life left in a file, and keeps there what is to outlast this one. What is done first counts.
  void remember(const std::string& file);
  /// At the start and after each reload; deliveries that are under way are tried anew.
  void use(directory targets, manners how);
  void take(const event& e, wall_time at);
  /// The incident of which an earlier life was to tell more; empty: there is none.
  [[nodiscard]] std::string incident() const { return desk_.incident(); }
  void recall(const incident::happening& h);
  void settle(bool incident_is_open, const std::set<std::string>& alerting);
  /// Works until it is cancelled.
  boost::asio::awaitable<void> work();
  /// After `work` has ended: what is being delivered is left to the next life.
  boost::asio::awaitable<void> stop();

  /// Sends a trial letter to this target, or to all, at once: what became of each. Nothing: there is no target of that name.
  struct trial {
    std::string target;
    std::string kind;
    attempt became;
  };
  boost::asio::awaitable<std::vector<trial>> test(std::string only);

  [[nodiscard]] std::string awaits_acknowledgement() const { return desk_.awaits_acknowledgement(); }
  /// Why people are not told, in one sentence; empty: they are.
  [[nodiscard]] std::string untold() const;
  [[nodiscard]] const directory& reaches() const { return *directory_; }
  [[nodiscard]] const outbox& sent() const { return outbox_; }
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, std::uint64_t>& counts() const { return counts_; }

  /// Beside a state file "/var/lib/flipback/flipback.db": "…/flipback.outbox.db".
  static std::string file_beside(const std::string& state_file);

 private:
  using held = std::shared_ptr<const directory>;

  [[nodiscard]] static moment now();
  void write_letters();
  void post(const letter& what);
  void hand_out();
  boost::asio::awaitable<void> deliver(held to, std::size_t which, parcel what);
  boost::asio::awaitable<attempt> attempt_at(const config::made_target& to, const parcel& what);
  boost::asio::awaitable<void> try_one(held to, const config::made_target& which, parcel what, std::shared_ptr<std::vector<trial>> all,
                                       std::size_t number);
  void hear(const config::made_target& to, const parcel& what, const attempt& became);
  [[nodiscard]] instant next() const;
  void hear_disk();
  [[nodiscard]] const moment& clock();
  void save();
  void wake() { wake_.cancel(); }

  boost::asio::io_context& loop_;
  std::function<void(event)> tell_;
  std::function<std::string(std::string)> typed_;
  desk desk_;
  outbox outbox_;
  held directory_ = std::make_shared<const directory>();
  std::set<std::string> busy_;                                           ///< targets
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;  ///< attempts, by target and what became of them
  moment clock_ = now();
  bool stopped_ = false;
  boost::asio::steady_timer wake_;
  task_group deliveries_;
  outbox_keeper keeper_;
};

}  // namespace flipback::notify
