#include "agent/rollback/helper.hpp"

#include "agent/rollback/nginx.hpp"

namespace flipback::rollback {

namespace {

/// HUP by the helper, which may signal nginx's master where the agent may not.
class helper_reloader final : public reloader {
 public:
  helper_reloader(asio::any_io_executor executor, const config::nginx& settings, master_finder& of)
      : executor_(std::move(executor)), settings_(settings), of_(&of) {}

  asio::awaitable<done> reload() override {
    const order what{.is = order::verb::reload, .slot = {}, .changes = {}};
    auto answered = co_await ask_helper(executor_, settings_, what);
    if (!answered) co_return done{answer::cant_tell, std::move(answered.error())};
    if (answered->is == answer::no) answered->is = answer::cant_tell;
    co_return *std::move(answered);
  }

  /// Whether the helper answers is found by the test, which goes the same way.
  asio::awaitable<std::string> obstacle() override {
    co_await of_->refresh();
    const auto found = of_->find();
    co_return found ? std::string() : found.error();
  }

 private:
  asio::any_io_executor executor_;
  config::nginx settings_;
  master_finder* of_;
};

}  // namespace

std::unique_ptr<reloader> make_helper_reloader(asio::any_io_executor executor, const config::nginx& settings, master_finder& of) {
  return std::make_unique<helper_reloader>(std::move(executor), settings, of);
}

}  // namespace flipback::rollback
