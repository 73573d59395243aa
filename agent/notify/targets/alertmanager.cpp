#include "flipback/timestamp.hpp"

#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/host_name.hpp"
#include "agent/notify/targets/kinds.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace flipback::notify {

namespace {

namespace json = boost::json;
using std::chrono::minutes;

constexpr std::array<std::string_view, 4> ours{"alertname", "instance", "matter", "severity"};
constexpr duration sent_again = minutes(1);
constexpr duration outlives = minutes(1);
constexpr duration lives = minutes(5);  // what has no end

struct terms {
  net::api_access access;
  std::string source;
  json::object labels;  ///< what the person adds
};

std::string_view alert_name(subject s) {
  switch (s) {
    case subject::incident:
      return "FlipbackIncident";
    case subject::alerts:
      return "FlipbackAlerts";
    case subject::notice:
      return "FlipbackNotice";
    default:
      return "FlipbackTrial";
  }
}

/// When the alert ends by itself; nothing: after Alertmanager's `resolve_timeout`, unless it is sent again. A notice and a trial have no
/// end and are sent once: they are seen for a while. So is what has ended: Alertmanager gathers alerts (`group_wait`, 30 s) before it tells
/// of them, and of one that has ended by then it tells nobody.
std::optional<wall_time> ending_of(const letter& what, bool is_first) {
  const auto after = [](wall_time from, duration goes_on) { return from + std::chrono::duration_cast<wall_time::duration>(goes_on); };
  const wall_time now = std::chrono::system_clock::now();
  if (what.at == stage::ended) return after(is_first ? now : what.written, outlives);
  if (what.about == subject::notice || what.about == subject::trial) return after(now, lives);
  return std::nullopt;  // a time of ours would outlast the end that is told before it
}

/// An alert is the same as long as its labels are: what changes in a matter stands in annotations. `severity` is the first letter's.
json::object alert_of(const letter& what, const terms& t, const std::string& kept) {
  json::object labels = t.labels;
  labels["alertname"] = alert_name(what.about);
  labels["instance"] = t.source;
  labels["matter"] = what.matter;
  labels["severity"] = kept.empty() ? name_of(what.severity) : kept;
  json::object annotations{{"summary", what.title}, {"description", as_text(what, false)}};
  if (!what.type.empty()) annotations["type"] = what.type;
  json::object made{{"labels", std::move(labels)}, {"annotations", std::move(annotations)}, {"startsAt", time_text(what.began)}};
  if (const auto ends = ending_of(what, kept.empty())) made["endsAt"] = time_text(*ends);
  if (!what.link.empty()) made["generatorURL"] = what.link;
  return made;
}

class alertmanager_target final : public target {
 public:
  alertmanager_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  /// A cutover is no state that could end.
  [[nodiscard]] bool takes(subject s) const override { return s != subject::cutover; }
  [[nodiscard]] duration sent_again_every() const override { return sent_again; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) override {
    const json::array alerts{alert_of(what, terms_, kept)};
    net::api_session session(through_, terms_.access, r);
    const auto answer = co_await session.post("/api/v2/alerts", json::serialize(alerts));
    attempt made = attempt_of(answer, terms_.access);
    if (made.is == attempt::result::delivered) made.kept = kept.empty() ? std::string(name_of(what.severity)) : kept;
    co_return made;
  }

 private:
  net::network& through_;
  terms terms_;
};

/// prometheus.io/docs/concepts/data_model: what Alertmanager takes before 0.27, and everything that can be routed by without quotes.
bool is_label_name(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 && std::ranges::all_of(name, fits);
}

json::object read_labels(settings::section& from) {
  json::object made;
  auto inner = from.inner("labels");
  if (!inner) return made;
  for (const auto& [name, member] : std::get<settings::table>(from.raw("labels")->value)) {
    const auto value = inner->text(name);
    if (!is_label_name(name)) inner->report(name, "is no name of a label, expected letters, digits and _");
    if (std::ranges::find(ours, name) != ours.end()) inner->report(name, "is a label that Flipback gives, and can't be set");
    if (value) made[name] = *value;
  }
  inner->finish();
  return made;
}

}  // namespace

std::unique_ptr<target> make_alertmanager_target(settings::section& from, net::network& through) {
  terms t;
  t.access = net::read_api_access(from, "http://127.0.0.1:9093");
  net::read_credentials(from, t.access);
  net::read_headers(from, t.access);
  t.source = read_source(from);
  t.labels = read_labels(from);
  from.finish();
  return std::make_unique<alertmanager_target>(through, std::move(t));
}

}  // namespace flipback::notify
