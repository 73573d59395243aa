#include "agent/rollback/helper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::rollback {

namespace {

class helped_switch final : public slot_switch {
 public:
  helped_switch(asio::any_io_executor executor, const config::configuration& configured, std::unique_ptr<slot_switch> reading)
      : executor_(std::move(executor)), configured_(configured), reading_(std::move(reading)) {}

  [[nodiscard]] deployment::intent names() override { return reading_->names(); }
  asio::awaitable<void> refresh() override { return reading_->refresh(); }
  [[nodiscard]] std::expected<std::vector<change>, std::string> changes_to(slot_number to) override { return reading_->changes_to(to); }
  asio::awaitable<change_state> state_of(const change& c) override { return reading_->state_of(c); }
  asio::awaitable<put_result> put(const change& c, end to) override;
  [[nodiscard]] bool needs_reload() const override { return reading_->needs_reload(); }
  [[nodiscard]] std::vector<std::string> obstacles() override { return reading_->obstacles(); }
  asio::awaitable<std::vector<std::string>> obstacles_elsewhere() override;
  [[nodiscard]] std::vector<std::string> notes() override { return reading_->notes(); }
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return reading_->locked_beside(); }
  /// What lies beside the files is the helper's.
  void stage(slot_number) override {}
  void unstage() override {}
  void sweep() override {}

 private:
  [[nodiscard]] std::expected<order, std::string> order_for(const change& c, end to);

  asio::any_io_executor executor_;
  const config::configuration& configured_;
  std::unique_ptr<slot_switch> reading_;
};

/// The helper is told a slot, never what to write: to whose bytes the change leads, by the slots' files as they are now.
std::expected<order, std::string> helped_switch::order_for(const change& c, end to) {
  if (to == end::before) return order{.is = order::verb::restore, .slot = {}, .changes = {}};
  for (slot_number s = 0; s < configured_.slots.size(); ++s) {
    const auto changes = reading_->changes_to(s);
    if (changes && std::ranges::find(*changes, c) != changes->end())
      return order{.is = order::verb::install, .slot = configured_.slots[s].name, .changes = hashed(*changes)};
  }
  return std::unexpected("what was to be written is no longer what a slot's file says: somebody has changed it");
}

/// It is asked for each slot that the switch does not name: by hashes, so that one which is configured for other files says no. What keeps
/// us from asking at all is told by nginx's test, which goes the same way.
asio::awaitable<std::vector<std::string>> helped_switch::obstacles_elsewhere() {
  std::vector<std::string> found;
  for (slot_number s = 0; s < configured_.slots.size(); ++s) {
    const auto changes = reading_->changes_to(s);
    if (!changes || changes->empty()) continue;  // why there are none is told by `obstacles`
    const order what{.is = order::verb::could, .slot = configured_.slots[s].name, .changes = hashed(*changes)};
    const auto answered = co_await ask_helper(executor_, configured_.nginx, what);
    if (answered && answered->is == answer::no)
      found.push_back(fmt::format("the helper could not make {} live: {}", configured_.slots[s].name, answered->says));
  }
  co_return found;
}

asio::awaitable<put_result> helped_switch::put(const change& c, end to) {
  using kind = change_state::kind;
  const kind wanted = to == end::after ? kind::after : kind::before;
  change_state now = co_await reading_->state_of(c);
  std::expected<done, std::string> answered = done{answer::yes, {}};
  if (now.is != wanted && now.is != kind::foreign) {
    auto what = order_for(c, to);
    if (!what) co_return put_result{.is = put_result::kind::failed, .says = std::move(what.error())};
    answered = co_await ask_helper(executor_, configured_.nginx, *std::move(what));
    now = co_await reading_->state_of(c);
  }
  // Where it stands as it is to, it is only synced; what somebody else wrote is left alone, and that is said.
  if (now.is == wanted || now.is == kind::foreign) co_return co_await reading_->put(c, to);
  if (!answered) co_return put_result{.is = put_result::kind::failed, .says = std::move(answered.error())};
  if (answered->is == answer::no) co_return put_result{.is = put_result::kind::failed, .says = std::move(answered->says)};
  if (answered->is == answer::yes)
    answered->says = "the helper says that it did so, and the file does not say it: it may be configured for other files";
  co_return put_result{.is = put_result::kind::cant_tell, .says = std::move(answered->says)};
}

}  // namespace

std::unique_ptr<slot_switch> make_helped_switch(asio::any_io_executor executor, const config::configuration& configured,
                                                std::unique_ptr<slot_switch> reading) {
  return std::make_unique<helped_switch>(std::move(executor), configured, std::move(reading));
}

}  // namespace flipback::rollback
