#include "agent/notify/notifier.hpp"

#include "flipback/one_line.hpp"
#include "flipback/unix_milliseconds.hpp"

#include "agent/config/read_notify.hpp"
#include "agent/within.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flipback::notify {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// Whether a target is the first to be told of a matter by this letter.
bool is_for(const config::made_target& to, const letter& what) {
  const auto& about = to.entry.about;
  const bool chosen = about.empty() || std::ranges::find(about, config::subjects.at(static_cast<std::size_t>(what.about))) != about.end();
  return chosen && to.reaches->takes(what.about) && to.entry.level <= what.level && what.severity >= to.entry.least;
}

std::string name_of(const config::made_target& t) {
  return fmt::format("{} ({})", t.entry.name, t.entry.type);
}

/// As the metric names it.
std::string outcome_of(parcel::state is) {
  return is == parcel::state::delivered ? "delivered" : is == parcel::state::given_up ? "given_up" : "retried";
}

std::string letters(std::size_t count) {
  return fmt::format("{} letter{}", count, count == 1 ? "" : "s");
}

}  // namespace

notifier::notifier(asio::io_context& loop, std::function<void(event)> tell, std::function<std::string(std::string)> typed)
    : loop_(loop),
      tell_(std::move(tell)),
      typed_(std::move(typed)),
      wake_(loop),
      deliveries_(loop, [this](const std::string& why) { tell_({"agent.task_failed", severity::critical, why, {}}); }),
      keeper_(loop, [this] { wake(); }) {}

notifier::~notifier() = default;

/// To the millisecond, as letters are kept.
moment notifier::now() {
  return {std::chrono::steady_clock::now(), std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

std::string notifier::file_beside(const std::string& state_file) {
  return std::filesystem::path(state_file).replace_extension(".outbox.db").string();
}

void notifier::remember(const std::string& file) {
  const auto opened = keeper_.open(file);
  if (!opened) return;
  const auto& left = *opened;
  if (!left)
    return tell_({"notify.unsaved", severity::warning, fmt::format("what people were told before is not known: {}", left.error()), {}});
  std::size_t unreadable = 0;
  for (const outbox::row& row : left->rows) {
    if (!outbox_.restore(row, now())) ++unreadable;
  }
  boost::system::error_code error;
  const json::value kept = json::parse(left->desk, error);
  if (!error && kept.is_object()) desk_.restore(kept.get_object(), now());
  if (unreadable > 0)
    tell_({"notify.unsaved", severity::warning, fmt::format("{} in {} can't be read, and stay untold", letters(unreadable), file), {}});
}

void notifier::use(directory targets, manners how) {
  deliveries_.cancel();  // each gives its parcel back
  directory_ = std::make_shared<const directory>(std::move(targets));
  std::set<std::string> names;
  for (const auto& t : directory_->targets) names.insert(t.entry.name);
  outbox_.use(names, now());
  desk_.use(std::move(how));
  wake();
}

void notifier::take(const event& e, wall_time at) {
  const auto before = desk_.next();
  desk_.take(e, {std::chrono::steady_clock::now(), std::chrono::floor<std::chrono::milliseconds>(at)});
  if (desk_.next() != before) wake();
}

void notifier::recall(const incident::happening& h) {
  desk_.recall(h, now());
}

void notifier::settle(bool incident_is_open, const std::set<std::string>& alerting) {
  desk_.settle(incident_is_open, alerting, now());
  wake();
}

asio::awaitable<void> notifier::work() {
  for (;;) {
    write_letters();
    hand_out();
    save();
    wake_.expires_at(next());
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) break;
  }
}

asio::awaitable<void> notifier::stop() {
  stopped_ = true;
  deliveries_.cancel();
  co_await deliveries_.join();
  write_letters();
  save();
}

void notifier::write_letters() {
  for (letter& what : desk_.due(now())) {
    what.type = typed_(std::move(what.type));
    post(what);
  }
}

void notifier::post(const letter& what) {
  for (const auto& to : directory_->targets) {
    if (is_for(to, what) || outbox_.knows(what.matter, to.entry.name)) outbox_.post(what, to.entry.name, now());
  }
}

void notifier::hand_out() {
  const auto open = desk_.open();
  for (std::size_t i = 0; i < directory_->targets.size(); ++i) {
    const config::made_target& to = directory_->targets[i];
    if (busy_.contains(to.entry.name)) continue;
    if (const duration every = to.reaches->sent_again_every(); every != duration{}) outbox_.send_again(to.entry.name, every, open, now());
    auto what = outbox_.begin(to.entry.name, now());
    if (!what) continue;
    busy_.insert(to.entry.name);
    deliveries_.spawn(deliver(directory_, i, *std::move(what)));
  }
}

instant notifier::next() const {
  const bool is_open = !desk_.open().empty();
  instant earliest = desk_.next().value_or(instant::max());
  if (!keeper_.trouble().empty() || keeper_.hangs()) earliest = std::min(earliest, now().at + again_after);  // the disk may take it by then
  for (const auto& to : directory_->targets) {
    if (busy_.contains(to.entry.name)) continue;
    earliest = std::min(earliest, outbox_.next(to.entry.name).value_or(instant::max()));
    const duration every = to.reaches->sent_again_every();
    if (every != duration{} && is_open) earliest = std::min(earliest, now().at + every / 4);
  }
  return earliest;
}

asio::awaitable<void> notifier::deliver(held to, std::size_t which, parcel what) {
  const config::made_target& target = to->targets[which];
  save();
  co_await asio::co_spawn(loop_, keeper_.written(), asio::use_awaitable);  // on its own: it can't be cancelled, and this can
  const attempt became = co_await attempt_at(target, what);
  busy_.erase(target.entry.name);
  const bool is_cut_off = stopped_ || to != directory_;  // by us: what did not arrive says nothing of the target
  if (is_cut_off && became.is != attempt::result::delivered)
    outbox_.interrupt(what);
  else
    hear(target, what, became);
  wake();
}

asio::awaitable<attempt> notifier::attempt_at(const config::made_target& to, const parcel& what) {
  const instant began = std::chrono::steady_clock::now();
  run r{.started = began, .deadline = began + delivered_within};
  std::optional<attempt> made;
  std::string mistake;
  try {
    made = co_await within(delivered_within, to.reaches->deliver(what.what, what.kept, r));
  } catch (const std::exception& error) {
    mistake = error.what();
  }
  if (!made)
    made = attempt{
        .is = attempt::result::not_yet,
        .says = mistake.empty() ? fmt::format("no answer within {} ({})", format_duration(delivered_within), name_of(r.now)) : mistake,
        .after = {},
        .kept = {}};
  made->says = one_line(to.hides.without(r.learned.without(made->says)));
  co_return *std::move(made);
}

void notifier::hear(const config::made_target& to, const parcel& what, const attempt& became) {
  const bool failed_before = outbox_.is_failing(to.entry.name) != nullptr;
  const auto now_is = outbox_.end(what, became, now());
  if (!now_is) return;
  ++counts_[{to.entry.name, outcome_of(now_is->is)}];
  const auto about = [&](event e) {
    e.with("target", to.entry.name).with("letter", what.what.id());
    if (what.what.about == subject::incident) e.with("incident", what.what.matter);
    tell_(std::move(e));
  };
  if (now_is->is == parcel::state::given_up)
    about(
        {"notify.given_up", severity::critical, fmt::format("{} was not told \"{}\": {}", name_of(to), what.what.title, became.says), {}});
  else if (became.is == attempt::result::not_yet && !failed_before)
    about({"notify.failed", severity::warning, fmt::format("{} can't be told, and is tried again: {}", name_of(to), became.says), {}});
  else if (became.is == attempt::result::delivered && !what.again)
    about({"notify.told",
           became.says.empty() ? severity::info : severity::warning,
           fmt::format("{} was told: {}{}{}", name_of(to), what.what.title, became.says.empty() ? "" : "; but ", became.says),
           {}});
  if (became.is == attempt::result::delivered && failed_before)
    about({"notify.mended", severity::info, fmt::format("{} can be told again", name_of(to)), {}});
}

asio::awaitable<std::vector<notifier::trial>> notifier::test(std::string only) {
  const held to = directory_;
  const moment at = now();
  letter what;
  what.matter = fmt::format("trial-{}", unix_milliseconds(at.wall));
  what.about = subject::trial;
  what.severity = severity::info;
  what.began = what.written = at.wall;
  what.title = "a trial of Flipback's: nothing has happened, and nothing is to be done";
  const auto all = std::make_shared<std::vector<trial>>();
  task_group asked(loop_, [](const std::string&) {});
  for (const auto& each : to->targets) {
    if (!only.empty() && each.entry.name != only) continue;
    all->push_back({each.entry.name, each.entry.type, {attempt::result::not_yet, "it was interrupted", {}, {}}});
    asked.spawn(try_one(to, each, {.what = what, .target = each.entry.name}, all, all->size() - 1));
  }
  co_await asked.join();
  co_return std::move(*all);
}

asio::awaitable<void> notifier::try_one(held, const config::made_target& to, parcel what, std::shared_ptr<std::vector<trial>> all,
                                        std::size_t number) {
  (*all)[number].became = co_await attempt_at(to, what);
}

std::string notifier::untold() const {
  if (directory_->targets.empty()) return "nobody is told: there is no [targets.NAME] in the configuration";
  std::string all;
  for (const auto& to : directory_->targets) {
    const outbox::failing* const its = outbox_.is_failing(to.entry.name);
    if (its == nullptr) continue;
    all += fmt::format("{}{} can't be told: {}", all.empty() ? "" : "; ", name_of(to), its->says);
  }
  if (!keeper_.trouble().empty())
    all += fmt::format("{}what waits does not outlast a restart: {}", all.empty() ? "" : "; ", keeper_.trouble());
  return all;
}

/// Has written what has changed; never blocks.
void notifier::save() {
  for (const parcel& p : outbox_.take_dropped())
    tell_({"notify.given_up",
           severity::critical,
           fmt::format("{} was not told \"{}\": {}", p.target, p.what.title, p.says.empty() ? "too many letters waited" : p.says),
           {}});
  if (!keeper_.is_open()) {
    outbox_.take_changes();
    return;
  }
  hear_disk();
  if (!keeper_.hangs()) keeper_.write(outbox_.take_changes(), json::serialize(desk_.kept(clock())));
}

/// What the disk did not take is to be written again, and said.
void notifier::hear_disk() {
  outbox_keeper::word said = keeper_.hear();
  outbox_.not_written(std::move(said.refused));
  if (!said.lost.empty()) {
    outbox_.write_all();
    tell_({"notify.unsaved", severity::warning, said.lost, {}});
  }
  if (said.news && !keeper_.trouble().empty())
    tell_({"notify.unsaved", severity::warning, fmt::format("what people are told does not outlast a restart: {}", keeper_.trouble()), {}});
}

/// By which the desk's times are kept: the same one as long as the wall's clock is not put right, so that what has not changed reads the
/// same.
const moment& notifier::clock() {
  const moment at = now();
  const auto apart = (at.wall - clock_.wall) - std::chrono::duration_cast<wall_time::duration>(at.at - clock_.at);
  if (std::chrono::abs(apart) > std::chrono::seconds(2)) clock_ = at;
  return clock_;
}

}  // namespace flipback::notify
