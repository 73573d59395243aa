#include "agent/supervisor.hpp"

#include "flipback/one_line.hpp"
#include "flipback/timestamp.hpp"

#include "agent/config/configuration.hpp"
#include "agent/config/validate.hpp"
#include "agent/incident/history_file.hpp"
#include "agent/serve/incidents.hpp"
#include "agent/serve/metrics.hpp"
#include "agent/serve/notifications.hpp"
#include "agent/serve/typed_here.hpp"
#include "agent/serve/verbs.hpp"
#include "agent/service/notify.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <stdexcept>

namespace flipback {

namespace {

constexpr std::size_t most_recalled = 200;  ///< operations of earlier lives

/// Hung services hold a descriptor each until their deadline; the usual soft limit of 1,024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string all_of(const settings::diagnostics& problems) {
  std::string text;
  for (const settings::problem& p : problems.sorted()) text += (text.empty() ? "" : "; ") + to_string(p);
  return text;
}

}  // namespace

supervisor::supervisor(asio::io_context& loop, std::filesystem::path file, config::configuration first)
    : loop_(loop),
      file_(std::move(file)),
      log_(std::make_unique<event_log>(first.agent.log_format, first.agent.log_level, STDERR_FILENO)),
      started_with_(first.agent),
      follow_up_(loop,
                 incident::follow_up::surroundings{
                     [this] { return now_->rollback_readings(); },
                     [this](instant from, instant to) { return now_->users_between(from, to, judge::whose::all); },
                     [this](instant from, instant to) { return now_->users_between(from, to, judge::whose::live); },
                     [this] { return now_->judged().cut_over_at().value_or(instant::min()); }, [this](event e) { tell(std::move(e)); },
                     [this](const event& e, wall_time at) {
                       if (history_) history_->add(e, at);
                     }}),
      notifier_(
          loop, [this](event e) { tell(std::move(e)); }, [this](std::string text) { return typed(std::move(text)); }),
      tasks_(loop, [this](const std::string& why) { tell({"agent.task_failed", severity::critical, why, {}}); }),
      signals_(loop, SIGHUP, SIGTERM, SIGINT) {
  raise_descriptor_limit();
  if (first.deployment) remember(first.agent.state);
  if (!first.agent.listen.empty()) {
    make_api();
    server_ = std::make_unique<serve::http_server>(loop_, first.agent.listen,
                                                   [this](const serve::request& what) { return api_->answer_to(what); });
  }
  listen_to_operators(first.agent.socket);
  settings::diagnostics problems;
  notify::directory targets;
  now_ = make(std::move(first), targets, problems);
  if (!problems.clean()) throw std::runtime_error(all_of(problems));
  tell_people_by(std::move(targets));
}

supervisor::~supervisor() = default;

void supervisor::tell(event e) {
  e.says = typed(std::move(e.says));
  const wall_time at = std::chrono::system_clock::now();
  put_down(incidents_.take(std::move(e), at), at);
}

void supervisor::put_down(const std::vector<event>& all, wall_time at) {
  for (const event& each : all) {
    log_->tell(each);
    told_.take(each, std::chrono::steady_clock::now());
    follow_up_.take(each, at);
    if (api_) api_->happened(each, at);
    const bool is_kept = each.severity >= severity::info || incidents_.now();
    if (history_ && is_kept) history_->add(each, at);
    notifier_.take(each, at);
  }
}

/// What an incident was open for may be no more.
void supervisor::settle_incidents() {
  std::set<std::string> rules;
  std::set<std::string> alerting;
  for (const rules::rule& r : now_->judged().rules()) (r.from.then == rules::consequence::rollback ? rules : alerting).insert(r.from.name);
  const auto stands = now_->stands();
  const wall_time at = std::chrono::system_clock::now();
  put_down(incidents_.settle(rules, stands && !stands->rolling.empty(), at), at);
  notifier_.settle(incidents_.now().has_value(), alerting);
}

void supervisor::tell_people_by(notify::directory targets) {
  if (!targets.targets.empty()) notifier_.remember(notify::notifier::file_beside(started_with_.state));
  notifier_.use(std::move(targets), now_->configured().notify);
}

/// What an earlier life left open is gone on with, and what it did not tell people to the end.
void supervisor::go_on_with_incidents(const std::string& file) {
  using incident::happening;
  const auto recall = [&](const std::string& id, auto by) -> std::expected<void, std::string> {
    const auto all = id.empty() ? std::vector<happening>{} : incident::read_incident(file, id);
    if (!all) return std::unexpected(all.error());
    for (const happening& h : *all) {
      if (!incident::is_evidence(h.what)) by(h);
    }
    return {};
  };
  const auto open = incident::read_open_incident(file);
  std::expected<void, std::string> done;
  if (!open) done = std::unexpected(open.error());
  if (done) done = recall(*open, [&](const happening& h) { incidents_.recall(h.what, h.at); });
  const std::string told = notifier_.incident();
  if (done) done = recall(told.empty() ? *open : told, [&](const happening& h) { notifier_.recall(h); });
  if (const auto newest = incident::read_operations(file, most_recalled); done && newest) {
    for (const happening& h : *newest) incidents_.note_cutover(h.what, h.at);
    follow_up_.recall(*newest);
  }
  if (!done) tell({"history.failed", severity::warning, fmt::format("an incident that is open may begin anew: {}", done.error()), {}});
}

serve::on_record supervisor::known() const {
  return {incidents_.now() ? incidents_.now()->id : "", history_ ? history_->trouble() : "", notifier_.untold(), rejected_};
}

std::string supervisor::typed(std::string text) const {
  return serve::typed_here(std::move(text), started_with_.socket);
}

asio::awaitable<serve::reply> supervisor::ask(serve::demand asked) {
  serve::reply made = co_await answer(std::move(asked));
  made.text = typed(std::move(made.text));
  co_return made;
}

asio::awaitable<serve::reply> supervisor::answer(serve::demand asked) {
  if (asked.verb == "ack") co_return acknowledge(asked);
  if (asked.verb == "notifications") co_return serve::notifications(notifier_, asked.values.contains("json"));
  if (asked.verb == "notify test") co_return co_await serve::test_notifications(notifier_, std::move(asked));
  const serve::on_record known = this->known();
  if (!serve::asks_what_happened(asked)) co_return co_await serve::answer_to(*now_, known, std::move(asked));
  if (!history_) co_return serve::reply{false, "there is no [deployment], so that there are no incidents\n"};
  follow_up_.bring_up_to_date();
  const auto found = co_await history_->read<serve::reply>(
      [asked, socket = started_with_.socket](const incident::record& all) { return serve::what_happened(all, asked, socket); });
  if (!found) co_return serve::reply{false, found.error() + "\n"};
  serve::reply made = *found;
  const bool is_text = !asked.values.contains("json") && !asked.values.contains("svg");
  if (!known.unrecorded.empty() && is_text)
    made.text = fmt::format("not on record, and gone with the agent: what happens now ({})\n", known.unrecorded) + made.text;
  co_return made;
}

serve::reply supervisor::acknowledge(const serve::demand& asked) {
  if (const auto mistake = serve::wrong_with(asked)) return {false, *mistake + "\n", true};
  const std::string what = notifier_.awaits_acknowledgement();
  if (what.empty())
    return {false, "there is nothing to acknowledge: people were told of nothing that is not over, or somebody has acknowledged it\n"};
  const std::string& reason = asked.values.at("reason");
  event e{"incident.acknowledged", severity::info, one_line(fmt::format("{} has acknowledged it: {}", asked.by, reason)), {}};
  tell(std::move(e.with("by", asked.by).with("reason", reason)));
  return {true, fmt::format("{}: acknowledged; it does not escalate, and reminds nobody until it is over\n", what)};
}

void supervisor::listen_to_operators(const std::string& path) {
  const std::filesystem::path at = path.empty() ? std::filesystem::path(config::usual_socket) : std::filesystem::path(path);
  std::error_code unseen;
  if (path.empty() && !std::filesystem::is_directory(at.parent_path(), unseen)) return;
  control_ = std::make_unique<serve::control_socket>(
      loop_, at, [this](serve::demand asked) { return ask(std::move(asked)); }, [this](const event& e) { tell(e); });
}

void supervisor::make_api() {
  api_ = std::make_unique<serve::api>(
      loop_, serve::api::agent{[this]() -> generation& { return *now_; }, [this](serve::demand asked) { return ask(std::move(asked)); },
                               [this] { return known(); },
                               [this] { return serve::metrics_text(*now_, told_, *times_, notifier_, incidents_.now().has_value()); },
                               [this]() -> const incident::traces& { return follow_up_.seen(); },
                               [this](std::string text) { return typed(std::move(text)); }});
}

void supervisor::remember(const std::string& file) {
  memory_ = std::make_unique<deployment::memory>(loop_, file);
  memory_->kept.on_write([times = times_](duration took) { times->wrote(took); });
  started_with_.state = file;
  notifier_.remember(notify::notifier::file_beside(file));
  go_on_with_incidents(incident::history::file_beside(file));
  history_ = std::make_unique<incident::history>(loop_, file, [this](event e) { tell(std::move(e)); });
  if (const std::string trouble = memory_->kept.trouble(); !trouble.empty()) tell({"store.trouble", severity::critical, trouble, {}});
}

std::unique_ptr<generation> supervisor::make(config::configuration from, notify::directory& targets, settings::diagnostics& problems) {
  targets.through = std::make_unique<net::network>(loop_.get_executor(), from.agent.name_servers);
  targets.targets = config::make_targets(from, *targets.through, problems);
  auto made = std::make_unique<generation>(loop_, std::move(from), memory_.get(), [this](const event& e) { tell(e); }, problems);
  made->on_wake([times = times_](duration late) { times->woke(late); });
  return made;
}

void supervisor::tell_start(instant began) {
  for (const std::string& note : now_->configured().notes) tell({"agent.note", severity::warning, note, {}});
  for (const rules::switched_off& off : now_->rules_off())
    tell({"rule.off", severity::debug, fmt::format("{} is off: {}", off.name, off.why), {}});
  event ready{"agent.ready",
              severity::info,
              fmt::format("watching {} probes with {} rules{}", now_->watching(), now_->judged().rules().size(),
                          server_ ? fmt::format(", serving on {}", server_->address()) : ""),
              {}};
  ready.with("version", std::string(FLIPBACK_VERSION)).with("seconds", to_seconds(std::chrono::steady_clock::now() - began));
  tell(ready);
}

asio::awaitable<void> supervisor::run() {
  const instant began = std::chrono::steady_clock::now();
  now_->start();
  settle_incidents();
  if (server_) {
    tasks_.spawn(server_->serve());
    tasks_.spawn(api_->stream());
  }
  if (control_) tasks_.spawn(control_->serve());
  tasks_.spawn(follow_up_.run());
  tasks_.spawn(notifier_.work());
  tasks_.spawn(feed_watchdog());
  tell_start(began);
  ::malloc_trim(0);  // reading the configuration took several times what it leaves
  service::notify(fmt::format("READY=1\nSTATUS=watching {} probes", now_->watching()));
  for (;;) {
    const auto [error, signal] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error || signal != SIGHUP) break;
    co_await reload();
  }
  service::notify("STOPPING=1");
  tell({"agent.stopping", severity::info, "ending", {}});
  follow_up_.end();
  tasks_.cancel();
  co_await now_->stop(true);
  co_await tasks_.join();
  if (memory_) {
    for (const std::string& lost : co_await memory_->facts.stop())
      tell({"store.lost", severity::critical, fmt::format("what is forgotten now: {}", lost), {}});
  }
  co_await notifier_.stop();
}

asio::awaitable<void> supervisor::reload() {
  service::notify_reloading();
  settings::diagnostics problems;
  config::configuration read = config::load(file_, {config::process_environment()}, problems);
  if (problems.clean() && read.deployment && !memory_) {
    try {
      remember(read.agent.state);
    } catch (const std::runtime_error& error) {
      problems.add({file_.string(), 0, 0}, error.what());
    }
  }
  std::unique_ptr<generation> next;
  notify::directory targets;
  const bool watches_nothing = read.probes.empty() && !read.deployment;
  if (problems.clean() && watches_nothing && now_->watching() > 0)
    problems.add({file_.string(), 0, 0}, "nothing would be watched: found no [probes.NAME] and no [deployment]");
  if (problems.clean()) next = make(std::move(read), targets, problems);
  if (!problems.clean()) {
    reject(problems);
  } else {
    const bool acts_no_more = now_->configured().deployment && !next->configured().deployment;
    co_await now_->stop(false);
    const config::agent before = now_->configured().agent;
    next->adopt(std::move(*now_));
    now_ = std::move(next);
    now_->start();
    tell_people_by(std::move(targets));
    settle_incidents();
    follow(before, now_->configured().agent);
    rejected_.clear();
    tell({"config.reloaded",
          acts_no_more ? severity::critical : severity::info,
          fmt::format("{} probes, {} rules{}", now_->watching(), now_->judged().rules().size(),
                      acts_no_more ? "; there is no [deployment] any more: nothing is rolled back, whatever happens" : ""),
          {}});
  }
  service::notify("READY=1");
}

/// All that is wrong is said at once, as `flipback validate` says it: what is read first may keep the rest from being read.
void supervisor::reject(const settings::diagnostics& problems) {
  settings::diagnostics all;
  config::validate(file_, {config::process_environment()}, all);
  const std::string says = all_of(all.clean() ? problems : all);
  rejected_ = fmt::format("refused at {}: {}", time_text(std::chrono::system_clock::now()), says);
  tell({"config.rejected",
        severity::critical,
        fmt::format("the configuration stays as it was, and the next start would refuse the file: {}", says),
        {}});
}

/// What of [agent] a reload can change is changed; of the rest it is said that it can't.
void supervisor::follow(const config::agent& before, const config::agent& now) {
  if (now.log_format != before.log_format || now.log_level != before.log_level)
    log_ = std::make_unique<event_log>(now.log_format, now.log_level, STDERR_FILENO);
  if (api_ && now.token != before.token) api_->ask_again();
  const auto stays = [&](std::string_view key, const std::string& was, const std::string& is) {
    if (was == is) return;
    tell({"config.needs_restart",
          severity::warning,
          fmt::format("agent.{} stays \"{}\" until a restart, though the file says \"{}\"", key, was, is),
          {}});
  };
  stays("listen", started_with_.listen, now.listen);
  stays("socket", started_with_.socket, now.socket);
  if (memory_) stays("state", started_with_.state, now.state);
}

asio::awaitable<void> supervisor::feed_watchdog() {
  const auto interval = service::watchdog_interval();
  if (!interval) co_return;
  asio::steady_timer timer(loop_);
  for (;;) {
    service::notify("WATCHDOG=1");
    timer.expires_after(*interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace flipback
