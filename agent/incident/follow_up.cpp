#include "agent/incident/follow_up.hpp"

#include "agent/incident/book.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace flipback::incident {

namespace {

instant now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

std::vector<reading> follow_up::readings() const {
  std::vector<reading> all = of_.rules();
  const pooled errors = of_.users(now() - users_errors_over, now()).value_or(users_met{}).errors;
  const bool is_known = errors.denominator > 0;
  all.push_back({users_errors, is_known ? std::optional(errors.numerator / errors.denominator) : std::nullopt, std::nullopt, unit::ratio});
  return all;
}

follow_up::follow_up(boost::asio::io_context& loop, surroundings of) : loop_(loop), of_(std::move(of)) {}

void follow_up::take(const event& e, wall_time at) {
  traces_.take(e, at);
  // A turn is put on record at once, but not in the step that it happens in.
  if (evidence_.take(e, at)) boost::asio::post(loop_, [this] { put_on_record(std::chrono::system_clock::now()); });
  if (e.kind == "rollback.decided") decided(text_of(e, "incident"));
  if (e.kind == "rollback.closed") helped_.closed(text_of(e, "outcome"), now());
  if (e.kind == "rollback.recovered" && led_back(text_of(e, "outcome"))) helped_.interrupted(text_of(e, "incident"));
  if (e.kind == "deployment.cutover") helped_.cut_off("another cutover was seen meanwhile");
}

void follow_up::decided(const std::string& incident) {
  const instant at = now();
  const duration of = std::min<duration>(helped::measured_for, at - std::max(of_.live_since(), at - helped::measured_for));
  if (helped_.due()) {  // of the one before
    helped_.cut_off("another rollback was decided meanwhile");
    tell_whether_it_helped();
  }
  helped_.decided(incident, of_.of_live(at - of, at), of);
}

void follow_up::recall(const std::vector<happening>& operations) {
  std::string unmeasured;
  const wall_time oldest = std::chrono::system_clock::now() - std::chrono::hours(1);  // who asks about what is older?
  for (const auto& [at, what] : operations) {
    if (at < oldest) continue;
    if (what.kind == "rollback.closed" || what.kind == "rollback.recovered")
      unmeasured = led_back(text_of(what, "outcome")) ? text_of(what, "incident") : "";
    if (what.kind == "deployment.helped") unmeasured.clear();
  }
  if (!unmeasured.empty()) helped_.interrupted(unmeasured);
}

void follow_up::bring_up_to_date() {
  if (const wall_time at = std::chrono::system_clock::now(); evidence_.is_behind(at)) put_on_record(at);
}

void follow_up::put_on_record(wall_time at) {
  traces_.take(readings(), at);
  for (const event& e : evidence_.pieces(traces_, of_.users(now() - evidence::users_of, now()), at)) of_.put_on_record(e, at);
}

void follow_up::look() {
  const wall_time at = std::chrono::system_clock::now();
  if (evidence_.is_due(at))
    put_on_record(at);
  else
    traces_.take(readings(), at);
  if (const auto due = helped_.due(); due && now() >= *due) tell_whether_it_helped();
}

void follow_up::tell_whether_it_helped() {
  const instant end = helped_.since() + helped::measured_for;
  auto told = helped_.tell(of_.of_live(helped_.since(), end), of_.users(end - helped::newest, end));
  if (told) of_.tell(*std::move(told));
}

void follow_up::end() {
  if (evidence_.is_open()) put_on_record(std::chrono::system_clock::now());
}

boost::asio::awaitable<void> follow_up::run() {
  boost::asio::steady_timer timer(loop_);
  for (;;) {
    look();
    timer.expires_after(traces::every);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace flipback::incident
