#pragma once

#include "agent/rollback/nginx.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// A switch and an nginx that say what a test has them say.
namespace testing {

using namespace flipback;
namespace asio = boost::asio;

class fake_switch final : public rollback::slot_switch {
 public:
  deployment::intent named{deployment::intent::kind::names, 0, {}, {}};
  std::vector<std::string> in_the_way;
  std::vector<std::string> said{"a note"};
  bool reload = true;

  deployment::intent names() override { return named; }
  asio::awaitable<void> refresh() override { co_return; }
  std::expected<std::vector<rollback::change>, std::string> changes_to(rollback::slot_number /*to*/) override { return {}; }
  asio::awaitable<rollback::change_state> state_of(const rollback::change& /*c*/) override { co_return rollback::change_state{}; }
  asio::awaitable<rollback::put_result> put(const rollback::change& /*c*/, rollback::end /*to*/) override {
    co_return rollback::put_result{};
  }
  [[nodiscard]] bool needs_reload() const override { return reload; }
  std::vector<std::string> obstacles() override { return in_the_way; }
  std::vector<std::string> notes() override { return said; }
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return {}; }
  void stage(rollback::slot_number /*to*/) override {}
  void unstage() override {}
  void sweep() override {}
};

class fake_nginx final : public rollback::nginx {
 public:
  std::optional<std::string> dump;
  std::function<void()> meanwhile = [] {};  ///< what happens while the configuration is read
  std::vector<std::string> in_the_way;
  std::optional<bool> new_workers;
  std::string alone;  ///< the file that it sees mounted alone

  asio::awaitable<rollback::done> test() override { co_return rollback::done{}; }
  asio::awaitable<rollback::done> reload() override { co_return rollback::done{}; }
  asio::awaitable<std::optional<std::string>> configuration() override {
    meanwhile();
    co_return dump;
  }
  asio::awaitable<void> refresh() override { co_return; }
  std::expected<pid_t, std::string> master() override { return 1; }
  std::optional<std::string> mounted_alone(const std::string& path) override { return path == alone ? std::optional(path) : std::nullopt; }
  std::optional<rollback::workers> see_workers() override { return {}; }
  std::optional<bool> workers_since(wall_time /*changed*/) override { return new_workers; }
  void mark_errors() override {}
  std::string emerg_since_mark() override { return {}; }
  void logs_errors_to(const std::string& /*path*/) override {}
  asio::awaitable<std::vector<std::string>> obstacles() override { co_return in_the_way; }
};

}  // namespace testing
