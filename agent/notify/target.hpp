#pragma once

#include "flipback/probe.hpp"
#include "flipback/settings.hpp"

#include "agent/notify/attempt.hpp"
#include "agent/notify/letter.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flipback::notify {

/// One place to which letters go. It holds no state of its own: what a matter needs to be continued is given back in `kept`.
class target {
 public:
  virtual ~target() = default;

  /// Whether letters of this subject mean something there. Whoever wrote the configuration may choose fewer.
  [[nodiscard]] virtual bool takes(subject s) const = 0;
  /// Delivers one letter; `kept`: what the delivery before it in this matter gave back, or "" where it is the first. A letter may be
  /// delivered again whose delivery could not be told before: the target is to make one of the two, by the letter's id or the matter's.
  /// Ends by the run's deadline, which the caller cancels it at; it may then throw operation_aborted.
  virtual asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) = 0;
  /// How often the newest letter of a matter that has not ended is to be sent again, so that it does not end by itself; zero: not at all.
  [[nodiscard]] virtual duration sent_again_every() const { return {}; }
};

/// One kind of target: the `type` in its table, what it is for, and how one is made from the table. `make` reads all of its own keys
/// and finishes the section, so that whoever reads keys that all kinds have does so before. It reports what is wrong into the section's
/// diagnostics, and returns a target that need not work where something was reported.
struct target_kind {
  std::string_view type;
  std::string_view reaches;  ///< one line, for people
  std::unique_ptr<target> (*make)(settings::section& from, net::network& through);
};

/// Every kind there is, by name.
std::span<const target_kind> target_kinds();
const target_kind* find_target_kind(std::string_view type);

}  // namespace flipback::notify
