#include "agent/config/slot_probe.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::config {

namespace {

class slot_probe final : public probe {
 public:
  slot_probe(std::vector<std::unique_ptr<probe>> each, slot_role asked, std::string of, slots_in_roles now)
      : each_(std::move(each)), asked_(asked), of_(std::move(of)), now_(std::move(now)) {}

  /// That it passes or fails is all that a rule asks of it.
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }

  asio::awaitable<observation> observe(run& r) override {
    const auto slot = its_slot();
    if (!slot)
      co_return observation::unknown(reason::no_prerequisite, asked_ == slot_role::stable
                                                                  ? "no slot is the stable one: there is no way back"
                                                                  : "it is not known which slot is live");
    const auto asked_before = now_->at_front_door.find(of_);
    if (asked_before == now_->at_front_door.end())
      co_return observation::unknown(reason::no_prerequisite, fmt::format("it is asked once {} has been", of_));
    if (asked_before->second == reason::unauthorised)
      co_return observation::unknown(reason::no_prerequisite, fmt::format("{} was refused: what is wrong is not tried here as well", of_));
    observation seen = co_await each_[*slot]->look(r);
    if (its_slot() != slot)
      co_return observation::unknown(reason::no_prerequisite,
                                     fmt::format("another slot has become the {} one while this was asked", name_of(asked_)));
    seen.measurements.clear();
    co_return seen;
  }

 private:
  [[nodiscard]] std::optional<std::size_t> its_slot() const {
    if (!now_) return std::nullopt;
    return asked_ == slot_role::stable ? now_->stable : now_->live;
  }

  std::vector<std::unique_ptr<probe>> each_;
  slot_role asked_;
  std::string of_;
  slots_in_roles now_;
};

}  // namespace

std::unique_ptr<probe> make_slot_probe(std::vector<std::unique_ptr<probe>> each, slot_role asked, std::string of, slots_in_roles now) {
  return std::make_unique<slot_probe>(std::move(each), asked, std::move(of), std::move(now));
}

}  // namespace flipback::config
