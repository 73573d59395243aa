#pragma once

#include "flipback/event.hpp"

#include "agent/config/configuration.hpp"
#include "agent/deployment/identity_check.hpp"
#include "agent/rollback/nginx.hpp"
#include "agent/rollback/site_file.hpp"

#include <functional>
#include <string>
#include <vector>

namespace flipback::rollback {

/// What is to happen: every live file comes to say what the stable slot's site says.
struct plan {
  const config::slot* stable = nullptr;
  const config::slot* failed = nullptr;
  std::vector<std::string> slot_sites;  ///< every slot's own file: never rewritten
  std::vector<site_file> live;          ///< as last seen: whatever differs now was changed by someone else
  std::string stable_release;           ///< what the front door must answer afterwards
  std::string failed_release;
};

enum class outcome : std::uint8_t {
  rolled_back,         ///< proven: users reach the stable slot
  unproven,            ///< on the stable slot, but a proof could not be had
  undone,              ///< a proof said no: the live file is as it was
  operator_took_over,  ///< the live file was changed by someone else: it is left as it is
  not_undone           ///< a proof said no, and the previous file could not be put back
};
std::string_view name_of(outcome o);

struct ending {
  outcome how = outcome::undone;
  std::string says;
  duration took{};  ///< from the decision to the proof
};

/// Carries out a rollback in its straight line: preflight, install, test, reload, prove; undoes on a no, and only then. Tells each step as
/// a `rollback.step` event. Not cancelled once begun.
class transaction {
 public:
  using teller = std::function<void(event)>;

  transaction(const config::configuration& configured, net::network& through, const nginx& operated, teller tell)
      : configured_(configured), through_(through), nginx_(operated), tell_(std::move(tell)) {}

  asio::awaitable<ending> carry_out(plan p);
  /// Only the first step: makes every live file say what this slot's site says.
  std::expected<void, std::string> install_all(const plan& p);

 private:
  enum class proof : std::uint8_t { yes, no, cant_tell };
  struct proven {
    proof is = proof::cant_tell;
    std::string says;
  };

  std::optional<std::string> changed_by_someone(const plan& p) const;
  asio::awaitable<std::expected<void, std::string>> test_candidate(bool good_before);
  asio::awaitable<proven> prove(const plan& p, const std::optional<workers>& before, std::uint64_t mark);
  asio::awaitable<proven> prove_workers(const std::optional<workers>& before, std::uint64_t mark, instant until);
  asio::awaitable<proven> prove_front_door(const plan& p, instant until);
  asio::awaitable<ending> undo(const plan& p, std::string why, bool reloaded);
  void step(std::string_view name, std::string_view result, instant since, const std::string& says);

  const config::configuration& configured_;
  net::network& through_;
  const nginx& nginx_;
  teller tell_;
  std::string installed_;  ///< what the live files have been made to say; empty: nothing yet
  instant decided_;
};

}  // namespace flipback::rollback
