#include "flipback/quoted.hpp"

#include "agent/process/lasting.hpp"
#include "agent/process/run.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "agent/rollback/switches/files.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace flipback::rollback {

namespace {

using deployment::intent;

constexpr duration active_limit = active_asked_every;  // a question that takes longer than it is asked is none
constexpr std::size_t most_output = 4096;              // bytes

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

std::string in_words(const std::vector<std::string>& argv) {
  return flipback::quoted(fmt::format("{}", fmt::join(argv, " ")));
}

long seconds_of(duration d) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

/// Beside the state: an agent that ends while a command runs leaves it to the next start.
std::string note_path(const config::configuration& configured) {
  return std::filesystem::path(configured.agent.state).replace_extension(".command").string();
}

class command_switch final : public slot_switch {
 public:
  command_switch(asio::any_io_executor executor, const config::configuration& configured, std::function<instant()> now)
      : executor_(std::move(executor)), configured_(configured), now_(std::move(now)) {}

  [[nodiscard]] intent names() override;
  asio::awaitable<void> refresh() override;
  [[nodiscard]] std::expected<std::vector<change>, std::string> changes_to(slot_number to) override;
  asio::awaitable<change_state> state_of(const change& c) override;
  asio::awaitable<put_result> put(const change& c, end to) override;
  [[nodiscard]] bool needs_reload() const override { return false; }
  [[nodiscard]] std::vector<std::string> obstacles() override;
  [[nodiscard]] std::vector<std::string> notes() override { return {}; }
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return {configured_.nginx.conf}; }
  [[nodiscard]] bool does_without_lock() const override { return true; }
  void stage(slot_number /*to*/) override {}
  void unstage() override {}
  void sweep() override {}

 private:
  struct answer {
    intent is;
    instant asked;
  };

  [[nodiscard]] const config::deployment& settings() const { return *configured_.deployment; }
  [[nodiscard]] const std::string& name_of(slot_number s) const { return configured_.slots.at(s).name; }
  [[nodiscard]] const config::slot* slot_called(const std::string& name) const;
  /// Else (intent = "effect") nothing can be asked: what users reach afterwards says whether a command has worked.
  [[nodiscard]] bool can_be_asked() const { return !settings().active.empty(); }
  [[nodiscard]] bool can_do_nothing() const {
    return !can_be_asked() && std::ranges::all_of(configured_.slots, [](const config::slot& s) { return s.switched_by.empty(); });
  }
  [[nodiscard]] bool is_running();
  [[nodiscard]] std::string still_running() const;
  asio::awaitable<void> running_has_ended();
  [[nodiscard]] intent read(const std::expected<process::finished, std::string>& asked) const;
  [[nodiscard]] std::string slot_names() const;
  [[nodiscard]] std::string alike() const;
  [[nodiscard]] put_result judge(const std::string& wanted, const std::string& other, const process::finished& ended);

  asio::any_io_executor executor_;
  const config::configuration& configured_;
  std::function<instant()> now_;
  std::optional<answer> last_;
  std::shared_ptr<process::lasting> running_;  // the last command that was started, by this life or one before
};

const config::slot* command_switch::slot_called(const std::string& name) const {
  const auto found = std::ranges::find(configured_.slots, name, &config::slot::name);
  return found == configured_.slots.end() ? nullptr : &*found;
}

bool command_switch::is_running() {
  if (!running_) running_ = process::lasting::left_behind(executor_, note_path(configured_));
  return running_ && !running_->has_ended();
}

std::string command_switch::still_running() const {
  return fmt::format("the command that was started {} s ago still runs (process {})", seconds_of(running_->age()), running_->pid());
}

intent command_switch::read(const std::expected<process::finished, std::string>& asked) const {
  intent found;
  const std::string command = in_words(settings().active);
  if (!asked) {
    found.says = fmt::format("`active` can't be asked: {}", asked.error());
  } else if (asked->timed_out) {
    found.says = fmt::format("`active` ({}) did not end within {} s", command, seconds_of(active_limit));
  } else if (asked->status != 0) {
    found.says =
        fmt::format("`active` ({}) ended with status {} and wrote {}", command, asked->status, in_quotes(asked->errors + asked->output));
  } else {
    const std::string printed = trimmed(asked->output);
    const auto* slot = slot_called(printed);
    found.is = slot == nullptr ? intent::kind::neither : intent::kind::names;
    if (slot == nullptr) found.says = fmt::format("`active` ({}) prints {}, which is no slot's name", command, in_quotes(printed));
    if (slot != nullptr) found.slot = static_cast<slot_number>(slot - configured_.slots.data());
  }
  return found;
}

intent command_switch::names() {
  if (!can_be_asked()) return {.is = intent::kind::unreadable, .slot = 0, .says = "there is no `active` to ask", .changed = {}};
  if (!last_) return {.is = intent::kind::unreadable, .slot = 0, .says = "`active` was not asked yet", .changed = {}};
  const duration age = now_() - last_->asked;
  // That it gave no answer grows no older: the cause is said on, while it is asked again.
  if (age <= 2 * active_asked_every || last_->is.is == intent::kind::unreadable) return last_->is;
  return {.is = intent::kind::unreadable,
          .slot = 0,
          .says = fmt::format("`active` gave its last answer {} s ago", seconds_of(age)),
          .changed = {}};
}

asio::awaitable<void> command_switch::refresh() {
  if (!can_be_asked()) co_return;
  const instant asked = now_();
  const auto told = co_await process::run(executor_, settings().active, active_limit, most_output, process::outputs::apart);
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  // Two may ask at once; whoever asked last knows best.
  if (!last_ || last_->asked <= asked) last_ = answer{.is = read(told), .asked = asked};
}

std::string command_switch::slot_names() const {
  std::string all;
  for (const config::slot& s : configured_.slots) all += fmt::format("{}{}", all.empty() ? "" : " or ", s.name);
  return all;
}

std::string command_switch::alike() const {
  for (slot_number a = 0; a < configured_.slots.size(); ++a) {
    for (slot_number b = a + 1; b < configured_.slots.size(); ++b) {
      if (configured_.slots[a].switched_by == configured_.slots[b].switched_by)
        return fmt::format("slots {} and {} are switched to by the same command, {}: give each its own", name_of(a), name_of(b),
                           in_words(configured_.slots[a].switched_by));
    }
  }
  return "";
}

std::expected<std::vector<change>, std::string> command_switch::changes_to(slot_number to) {
  if (std::string same = alike(); !same.empty()) return std::unexpected(std::move(same));
  if (configured_.slots.at(to).switched_by.empty())
    return std::unexpected(fmt::format("slot {} has no command: write switch = [\"...\"]", name_of(to)));
  std::vector<change> changes;
  if (!can_be_asked()) {
    changes.emplace_back(command_change{.from = name_of(1 - to), .to = name_of(to)});
    return changes;
  }
  const intent now = names();
  if (!now.named()) return std::unexpected(fmt::format("it is not known from which slot to switch: {}", now.says));
  if (now.slot != to) changes.emplace_back(command_change{.from = name_of(now.slot), .to = name_of(to)});
  return changes;
}

/// A command that an earlier attempt, or an earlier life, started has the time that one has, and then it is seen what is so.
asio::awaitable<void> command_switch::running_has_ended() {
  if (!is_running()) co_return;
  const auto program = running_;
  co_await program->ended_within(settings().switch_timeout);
}

asio::awaitable<change_state> command_switch::state_of(const change& c) {
  const auto* command = std::get_if<command_change>(&c);
  change_state found;
  if (command == nullptr) {
    found.says = "this is no change by a command, and the switch of this host is one";
    co_return found;
  }
  co_await running_has_ended();
  co_await refresh();
  const intent now = names();
  found.says = now.says;
  if (is_running())
    found.says = still_running();
  else if (now.is == intent::kind::neither)
    found.is = change_state::kind::foreign;
  else if (now.named() && name_of(now.slot) == command->to)
    found.is = change_state::kind::after;
  else if (now.named())
    found.is = name_of(now.slot) == command->from ? change_state::kind::before : change_state::kind::foreign;
  co_return found;
}

/// What the command came to, by what `active` prints now that it has ended. What it did to nginx before it failed, or where `active` looks
/// elsewhere, nothing of that tells.
put_result command_switch::judge(const std::string& wanted, const std::string& other, const process::finished& ended) {
  const intent now = names();
  if (can_be_asked() ? now.named() && name_of(now.slot) == wanted : ended.status == 0) return {};
  const std::string how =
      fmt::format("the command for {} ended with status {} and wrote {}", wanted, ended.status, in_quotes(ended.output));
  const bool as_before = now.named() && name_of(now.slot) == other;
  const std::string prints =
      now.named() ? fmt::format("`active` {} {}", as_before ? "still prints" : "prints", name_of(now.slot)) : now.says;
  return {.is = put_result::kind::in_vain, .says = fmt::format("{}; {}", how, prints)};
}

asio::awaitable<put_result> command_switch::put(const change& c, end to) {
  put_result r{.is = put_result::kind::failed, .says = {}};
  const auto* command = std::get_if<command_change>(&c);
  const config::slot* slot = command == nullptr ? nullptr : slot_called(to == end::after ? command->to : command->from);
  if (slot == nullptr) {
    r.says = "this is no change between slots of this configuration";
    co_return r;
  }
  const std::string other = to == end::after ? command->from : command->to;
  co_await running_has_ended();
  co_await refresh();
  if (is_running()) {
    r.says = fmt::format("not begun: {}", still_running());
    co_return r;
  }
  const intent now = names();
  if (now.named() && name_of(now.slot) == slot->name) {
    r.is = put_result::kind::done;
    co_return r;
  }
  if (can_be_asked() && (!now.named() || name_of(now.slot) != other)) {
    r.is = now.is == intent::kind::unreadable ? put_result::kind::failed : put_result::kind::foreign;
    r.says = now.named() ? fmt::format("`active` prints {}", name_of(now.slot)) : now.says;
    co_return r;
  }
  auto started = process::lasting::start(executor_, slot->switched_by, note_path(configured_), most_output);
  if (!started) {
    r.says = started.error();
    co_return r;
  }
  running_ = std::move(*started);
  const auto program = running_;
  if (!co_await program->ended_within(settings().switch_timeout)) {
    r.is = put_result::kind::cant_tell;
    r.says = still_running();
    co_return r;
  }
  co_await refresh();
  co_return judge(slot->name, other, program->so_far());
}

std::vector<std::string> command_switch::obstacles() {
  std::vector<std::string> found;
  if (can_do_nothing()) {
    add_once(found,
             "no switch is configured, so that users are watched and nothing can be rolled back from here: write "
             "switch = [\"program\", \"argument\"] for each slot");
    return found;
  }
  add_once(found, alike());
  const auto try_program = [&](const std::string& key, const std::vector<std::string>& argv) {
    if (argv.empty())
      add_once(found, fmt::format("{} is missing: write {} = [\"program\", \"argument\"]", key, key));
    else if (!process::can_be_started(argv[0]))
      add_once(found, fmt::format("{} is {}, which is no program that user {} may start: name it by its path", key,
                                  flipback::quoted(argv[0]), ::geteuid()));
  };
  for (const config::slot& s : configured_.slots) try_program(fmt::format("slots.{}.switch", s.name), s.switched_by);
  if (!settings().effect_is_intent) try_program("active", settings().active);
  if (const intent now = names(); last_ && now.is == intent::kind::unreadable)
    add_once(found, now.says);
  else if (last_ && !now.named())
    add_once(found, fmt::format("{}: let it print the name of the slot that is live, {}, and nothing else", now.says, slot_names()));
  if (is_running()) add_once(found, still_running());
  return found;
}

}  // namespace

std::unique_ptr<slot_switch> make_command_switch(asio::any_io_executor executor, const config::configuration& configured,
                                                 std::function<instant()> now) {
  return std::make_unique<command_switch>(std::move(executor), configured, std::move(now));
}

}  // namespace flipback::rollback
