#include "agent/rollback/transaction.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::rollback {

namespace {

using deployment::identity_answer;

constexpr duration between_looks = std::chrono::milliseconds(3);
constexpr duration answer_limit = std::chrono::seconds(1);
constexpr duration workers_come_within = std::chrono::seconds(2);  ///< of an `[emerg]`, where it is not nginx's word on our reload

instant now() {
  return std::chrono::steady_clock::now();
}

asio::awaitable<void> pause(duration d) {
  asio::steady_timer timer(co_await asio::this_coro::executor, d);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

std::string_view name_of(outcome o) {
  constexpr std::array<std::string_view, 5> names{"rolled back", "unproven", "undone", "operator took over", "not undone"};
  return names.at(static_cast<std::size_t>(o));
}

void transaction::step(std::string_view name, std::string_view result, instant since, const std::string& says) {
  event e{"rollback.step",
          result == "no" ? severity::critical : severity::info,
          fmt::format("{}: {}{}{}", name, result, says.empty() ? "" : ", ", says),
          {}};
  e.with("step", std::string(name)).with("result", std::string(result)).with("seconds", to_seconds(now() - since));
  tell_(std::move(e));
}

std::optional<std::string> transaction::changed_by_someone(const plan& p) const {
  for (const site_file& seen : p.live) {
    const auto found = read_site(seen.path);
    if (!found) return found.error();
    const bool ours = !installed_.empty() && found->exists && found->bytes == installed_;
    if (!ours && !found->same_as(seen)) return fmt::format("{} was changed by someone else", seen.path);
  }
  return std::nullopt;
}

std::expected<void, std::string> transaction::install_all(const plan& p) {
  const auto stable = read_site(p.stable->site);
  if (!stable) return std::unexpected(stable.error());
  if (!stable->exists) return std::unexpected(fmt::format("{} does not exist", p.stable->site));
  installed_ = stable->bytes;
  for (const site_file& live : p.live) {
    const bool links_to_a_slot = std::ranges::any_of(p.slot_sites, [&](const std::string& site) {
      const auto of_slot = read_site(site);
      return of_slot && of_slot->exists && of_slot->resolved == live.resolved;
    });
    if (auto installed = install(live, *stable, links_to_a_slot); !installed) return installed;
  }
  return {};
}

asio::awaitable<std::expected<void, std::string>> transaction::test_candidate(bool good_before) {
  const instant began = now();
  auto tested = co_await nginx_.test();
  if (!tested && !good_before) tested.error() += " (as it did before the rollback)";
  step("test", tested ? "ok" : "no", began, tested ? "" : tested.error());
  co_return tested;
}

asio::awaitable<ending> transaction::carry_out(plan p) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  decided_ = now();
  instant began = decided_;
  // For information: whether it is the candidate that nginx refuses, or something that was there already.
  const auto good_before = co_await nginx_.test();
  step("preflight", good_before ? "ok" : "no", began, good_before ? "" : good_before.error());

  began = now();
  if (const auto changed = changed_by_someone(p)) co_return ending{outcome::operator_took_over, *changed, now() - decided_};
  const auto installed = install_all(p);
  step("install", installed ? "ok" : "no", began, installed ? "" : installed.error());
  if (!installed) co_return co_await undo(p, installed.error(), false);

  const auto tested = co_await test_candidate(good_before.has_value());
  if (!tested) co_return co_await undo(p, tested.error(), false);

  began = now();
  const auto before = nginx_.see_workers();
  const std::uint64_t mark = nginx_.error_log_mark();
  const auto reloaded = co_await nginx_.reload();
  step("reload", reloaded ? "ok" : "no", began, reloaded ? "" : reloaded.error());
  if (!reloaded) co_return co_await undo(p, reloaded.error(), false);

  began = now();
  const proven found = co_await prove(p, before, mark);
  constexpr std::array<std::string_view, 3> words{"yes", "no", "can't tell"};
  step("prove", words.at(static_cast<std::size_t>(found.is)), began, found.says);
  if (found.is == proof::no) co_return co_await undo(p, found.says, true);
  co_return ending{found.is == proof::yes ? outcome::rolled_back : outcome::unproven, found.says, now() - decided_};
}

asio::awaitable<transaction::proven> transaction::prove(const plan& p, const std::optional<workers>& before, std::uint64_t mark) {
  const instant until = now() + configured_.deployment->prove_within;
  const proven seen = co_await prove_workers(before, mark, until);
  if (seen.is == proof::no) co_return seen;
  const proven answered = co_await prove_front_door(p, until);
  if (answered.is != proof::yes || seen.is == proof::yes) co_return answered;
  co_return proven{proof::cant_tell, seen.says};
}

asio::awaitable<transaction::proven> transaction::prove_workers(const std::optional<workers>& before, std::uint64_t mark, instant until) {
  if (!before || before->accepting.empty()) co_return proven{proof::cant_tell, "nginx's workers can't be seen from here"};
  bool any_new = false;
  std::optional<std::string> emerg;
  instant emerg_seen;
  while (now() < until) {
    if (const auto seen = nginx_.see_workers()) {
      const auto is_old = [&](pid_t pid) { return before->accepting.contains(pid); };
      any_new = std::ranges::any_of(seen->accepting, [&](pid_t pid) { return !is_old(pid); });
      if (any_new && std::ranges::none_of(seen->accepting, is_old)) co_return proven{proof::yes, "no old worker accepts any more"};
    }
    // A client that knows the master's number may get a whole line of its own into the log. New workers show that nginx took what it was
    // given, whatever the log says.
    if (!emerg && (emerg = nginx_.emerg_since(mark))) emerg_seen = now();
    if (emerg && !any_new && now() - emerg_seen >= workers_come_within) co_return proven{proof::no, *emerg};
    co_await pause(between_looks);
  }
  if (!any_new) co_return proven{proof::no, "nginx started no new workers"};
  co_return proven{proof::cant_tell, "old workers still accept connections"};
}

asio::awaitable<transaction::proven> transaction::prove_front_door(const plan& p, instant until) {
  const config::front_door& door = configured_.deployment->front_door;
  unsigned in_a_row = 0;
  identity_answer last;
  do {
    last = co_await deployment::ask_front_door(through_, door, std::min<duration>(answer_limit, configured_.deployment->prove_within));
    if (last.is == identity_answer::kind::identified && last.release == p.stable_release) {
      if (++in_a_row >= configured_.deployment->prove) {
        co_return proven{proof::yes, fmt::format("{} fresh answers as {}", in_a_row, p.stable_release)};
      }
      continue;
    }
    in_a_row = 0;
    co_await pause(10 * between_looks);
  } while (now() < until);
  const deployment::slot_answer direct = co_await deployment::ask_slot(through_, *p.stable, door, answer_limit);
  const bool still_failed =
      last.is == identity_answer::kind::identified && last.release == p.failed_release && p.failed_release != p.stable_release;
  if (still_failed || (last.is == identity_answer::kind::failing && direct.healthy)) {
    co_return proven{proof::no, fmt::format("the front door {}, though {} answers well directly", last.says, p.stable->name)};
  }
  co_return proven{proof::cant_tell, fmt::format("the front door {}", last.says)};
}

asio::awaitable<ending> transaction::undo(const plan& p, std::string why, bool reloaded) {
  const instant began = now();
  if (const auto changed = changed_by_someone(p)) {
    step("undo", "no", began, *changed);
    co_return ending{outcome::operator_took_over, fmt::format("{}; {}, and is left as it is", why, *changed), now() - decided_};
  }
  std::string trouble;
  for (const site_file& before : p.live) {
    if (const auto restored = restore(before); !restored) trouble = restored.error();
  }
  if (reloaded && trouble.empty()) {
    const auto tested = co_await nginx_.test();
    if (!tested) trouble = tested.error();
    const auto again = co_await nginx_.reload();
    if (!again) trouble = again.error();
  }
  step("undo", trouble.empty() ? "ok" : "no", began, trouble);
  if (trouble.empty()) co_return ending{outcome::undone, std::move(why), now() - decided_};
  co_return ending{outcome::not_undone, fmt::format("{}; and the previous file could not be put back: {}", why, trouble), now() - decided_};
}

}  // namespace flipback::rollback
