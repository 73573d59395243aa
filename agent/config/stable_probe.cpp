#include "agent/config/stable_probe.hpp"

namespace flipback::config {

namespace {

class stable_probe final : public probe {
 public:
  stable_probe(std::vector<std::unique_ptr<probe>> each, stable_slot which) : each_(std::move(each)), which_(std::move(which)) {}

  /// That it passes or fails is all that a rule asks of it.
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }

  asio::awaitable<observation> observe(run& r) override {
    const auto slot = which_ ? *which_ : std::nullopt;
    if (!slot) co_return observation::unknown(reason::no_prerequisite, "no slot is the stable one: there is no way back");
    observation seen = co_await each_[*slot]->observe(r);
    if (*which_ != slot)
      co_return observation::unknown(reason::no_prerequisite, "another slot has become the stable one while this was asked");
    seen.measurements.clear();
    co_return seen;
  }

 private:
  std::vector<std::unique_ptr<probe>> each_;
  stable_slot which_;
};

}  // namespace

std::unique_ptr<probe> make_stable_probe(std::vector<std::unique_ptr<probe>> each, stable_slot which) {
  return std::make_unique<stable_probe>(std::move(each), std::move(which));
}

}  // namespace flipback::config
