#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/sighting.hpp"
#include "agent/rollback/change.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flipback::rollback {

namespace asio = boost::asio;
using deployment::slot_number;

/// At this interval `refresh` is to be called; a command's answer is believed for twice as long.
inline constexpr duration active_asked_every = std::chrono::seconds(5);

/// How this host goes from one slot to the other: one implementation a kind, each in its own file in `switches/`. Reads and changes the
/// outside; decides nothing.
class slot_switch {
 public:
  virtual ~slot_switch() = default;

  /// The slot that it names now. Of files: read in this call, without waiting. Of a command: what `active` printed last, unreadable where
  /// that is older than twice the interval at which it is asked.
  [[nodiscard]] virtual deployment::intent names() = 0;
  /// Asks anew what can't be read in one call; completes at once for files.
  virtual asio::awaitable<void> refresh() = 0;

  /// The changes that make it name `to`, from what stands there now, in the order in which they are put; none where it names it already. An
  /// error is one sentence on why it can't be made to. What they lead to reads back as `to`, else it is an error.
  [[nodiscard]] virtual std::expected<std::vector<change>, std::string> changes_to(slot_number to) = 0;

  /// How a change stands now. Can't tell: a command that has not ended, or a file that was half written in place; of the latter `put` says
  /// more, and mends it.
  virtual asio::awaitable<change_state> state_of(const change& c) = 0;
  /// Puts a change to one of its ends, unless somebody else has changed what it is about. For files this completes without waiting. A
  /// command that has not ended within `switch_timeout` goes on running; the next one begins only when it has ended.
  virtual asio::awaitable<put_result> put(const change& c, end to) = 0;

  /// Whether nginx must be tested and reloaded after the changes; else the switch's own doing takes effect by itself.
  [[nodiscard]] virtual bool needs_reload() const = 0;

  /// Everything that would stop `put`, tried without leaving a trace: a sentence each with what to type; empty: nothing would.
  [[nodiscard]] virtual std::vector<std::string> obstacles() = 0;
  /// The same of whoever writes in our place: asked, so it takes a while.
  virtual asio::awaitable<std::vector<std::string>> obstacles_elsewhere() { co_return std::vector<std::string>(); }
  /// What a person should know of it, though nothing is in the way: how often each piece of text occurs, a live file that has a second
  /// name.
  [[nodiscard]] virtual std::vector<std::string> notes() = 0;

  /// The paths beside which one agent a nginx is locked.
  [[nodiscard]] virtual std::vector<std::string> locked_beside() const = 0;
  /// Whether it can be carried out where no lock can be made, since it is another who writes. That another agent acts is not seen then.
  [[nodiscard]] virtual bool does_without_lock() const { return false; }
  /// Makes room for the changes to `to`, so that a full disk does not stop them; and gives it back, with what puts kept of before.
  virtual void stage(slot_number to) = 0;
  virtual void unstage() = 0;
  /// Takes away all that attempts left behind: call it when one is closed, and at the start after recovery (what was kept of before helps
  /// an undo on a full disk).
  virtual void sweep() = 0;
};

std::unique_ptr<slot_switch> make_site_switch(const config::configuration& configured);
std::unique_ptr<slot_switch> make_text_switch(const config::configuration& configured);
std::unique_ptr<slot_switch> make_link_switch(const config::configuration& configured);
/// `now` is the clock by which an answer of `active` grows old.
std::unique_ptr<slot_switch> make_command_switch(asio::any_io_executor executor, const config::configuration& configured,
                                                 std::function<instant()> now = &std::chrono::steady_clock::now);
/// Of these the one of files or a link that the configuration asks for: no command.
std::unique_ptr<slot_switch> make_file_switch(const config::configuration& configured);
/// The one that the configuration asks for; with [nginx] helper what it writes is written there. It must outlive the switch.
std::unique_ptr<slot_switch> make_switch(asio::any_io_executor executor, const config::configuration& configured);

}  // namespace flipback::rollback
