#include "flipback/percent.hpp"

#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"
#include "probes/net/gzip.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace flipback {

namespace {

namespace json = net::json;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t most_issues = 100;  // Sentry's own bound of one page
constexpr std::size_t most_named = 3;     // issues in a sentence
constexpr std::int64_t most_expected = 1'000'000'000;

struct terms {
  net::api_access anyone;  ///< without the token: what /_health/ needs
  net::api_access access;
  std::string organization;  ///< its slug; empty: the health alone is asked
  std::string project;       ///< its number or slug; empty: every project that the token sees
  std::string environment;
  std::string release;
  duration within{};
  std::optional<std::int64_t> max_events;
  std::optional<std::int64_t> max_new_issues;
};

/// Whole minutes, as `statsPeriod` and `firstSeen` are written: "10m".
std::string period(duration within) {
  return fmt::format("{}m", std::chrono::ceil<minutes>(within).count());
}

/// A value in Sentry's search language: quoted, since a release may have a space or a colon in it.
std::string term(std::string_view key, std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fmt::format("{}:\"{}\"", key, escaped);
}

class sentry_probe final : public probe {
 public:
  sentry_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {
    const bool numbered =
        !terms_.project.empty() && std::ranges::all_of(terms_.project, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (numbered)
      where_ = "&project=" + terms_.project;
    else if (!terms_.project.empty())
      search_ = term("project", terms_.project);
    if (!terms_.environment.empty()) where_ += "&environment=" + percent_encoded(terms_.environment);
  }

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session anyone(through_, terms_.anyone, r);
    co_await look(anyone, found);
    if (const auto left = anyone.certificate_left()) found.measure("certificate_left", *left);
    if (found.is_well() && !terms_.organization.empty()) {
      net::api_session session(through_, terms_.access, r);
      // Who may not ask one of them may not ask the other, and a refused token is not tried twice.
      if (co_await count_events(session, found)) co_await count_issues(session, found);
    }
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(net::api_session& session, findings& found) const {
    const auto answer = co_await session.get("/_health/");
    if (!answer) co_return found.unwell(answer.error());
    if (answer->status != 200) co_return found.unwell(net::unexpected(*answer, "GET /_health/"));
    if (net::is_gzip(answer->body)) co_return found.unwell(reason::bad_answer, fmt::format("GET /_health/: {}", net::says_gzip));
    if (answer->body.substr(0, answer->body.find_last_not_of(" \r\n") + 1) != "ok")
      co_return found.unwell(reason::bad_answer, "GET /_health/ answered something else than \"ok\": it is no Sentry");
    if (terms_.organization.empty()) found.well("answers; without a token its events are not counted");
  }

  /// True where Sentry told them, many or few.
  asio::awaitable<bool> count_events(net::api_session& session, findings& found) const {
    const auto events = co_await events_of(session, search_);
    if (!events) {
      found.unwell(events.error());
      co_return false;
    }
    found.measure("events", *events);
    std::string says = fmt::format("{:.0f} events in {}", *events, period(terms_.within));
    hold(std::move(says), *events, terms_.max_events, found);
    if (terms_.release.empty()) co_return true;
    const std::string of_release = term("release", terms_.release);
    const auto released = co_await events_of(session, search_.empty() ? of_release : search_ + " " + of_release);
    if (!released) {
      found.unwell(released.error());
      co_return false;
    }
    found.measure("release_events", *released);
    found.well(fmt::format("{:.0f} of them in {}", *released, session.quoted(terms_.release)));
    co_return true;
  }

  static void hold(std::string says, double count, const std::optional<std::int64_t>& most, findings& found) {
    if (!most || count <= static_cast<double>(*most)) return found.well(std::move(says));
    found.unwell(reason::expectation, fmt::format("{}, at most {} expected", says, *most));
  }

  /// The errors of the last `within` that match, by Discover: its table has one row, with one column named as it was asked for.
  asio::awaitable<net::result<double>> events_of(net::api_session& session, std::string search) const {
    std::string path = fmt::format("/api/0/organizations/{}/events/?dataset=errors&field=count%28%29&statsPeriod={}{}",
                                   percent_encoded(terms_.organization), period(terms_.within), where_);
    if (!search.empty()) path += "&query=" + percent_encoded(search);
    const auto answer = co_await session.get_json(std::move(path));
    if (!answer) co_return std::unexpected(answer.error());
    const auto count = net::number_at(*answer, "/data/0/count()");
    if (count) co_return *count;
    // No row at all is how no event may look.
    if (const json::array* rows = net::array_at(*answer, "/data"); rows != nullptr && rows->empty()) co_return 0.0;
    co_return std::unexpected(net::failure{reason::bad_answer, "the answer of /events/ has no data[0][\"count()\"]"});
  }

  asio::awaitable<void> count_issues(net::api_session& session, findings& found) const {
    std::string search = fmt::format("firstSeen:-{}", period(terms_.within));
    if (!search_.empty()) search += " " + search_;
    const std::string asked = fmt::format("/api/0/organizations/{}/issues/", percent_encoded(terms_.organization));
    const auto answer = co_await session.get(fmt::format("{}?query={}&limit={}{}", asked, percent_encoded(search), most_issues, where_));
    const auto listed = net::json_of(answer, "GET " + asked);
    if (!listed) co_return found.unwell(listed.error());
    const json::array* issues = (*listed)->if_array();
    if (issues == nullptr) co_return found.unwell(reason::bad_answer, "the answer of /issues/ is no list");
    // Where there are more than one page holds, X-Hits has their number.
    double count = static_cast<double>(issues->size());
    if (const std::string* hits = answer->header("X-Hits")) {
      double all = 0;
      const auto [end, error] = std::from_chars(hits->data(), hits->data() + hits->size(), all);
      if (error == std::errc{} && end == hits->data() + hits->size()) count = std::max(count, all);
    }
    found.measure("new_issues", count);
    std::string says = fmt::format("{:.0f} new issues", count);
    if (count > 0) says += fmt::format(" ({})", fmt::join(names_of(*issues, session), ", "));
    hold(std::move(says), count, terms_.max_new_issues, found);
  }

  /// "API-1A": the short names by which people find issues. Titles stay where they are: they hold what users sent.
  static std::vector<std::string> names_of(const json::array& issues, const net::api_session& session) {
    std::vector<std::string> names;
    for (const json::value& one : issues) {
      if (names.size() == most_named) {
        names.emplace_back("…");
        break;
      }
      names.push_back(session.quoted(net::text_at(one, "/shortId").value_or("?")));
    }
    return names;
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
  std::string where_;   ///< "&project=42&environment=production"
  std::string search_;  ///< what every search begins with
};

}  // namespace

std::unique_ptr<probe> make_sentry_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.anyone = net::read_api_access(from, "https://sentry.io");
  t.access = t.anyone;
  const auto token = net::read_token(from);
  if (token) t.access.say_bearer(*token);
  t.organization = from.text("organization", "");
  t.project = from.text("project", "");
  t.environment = from.text("environment", "");
  t.release = from.text("release", "");
  t.within = from.span("within", minutes(10), minutes(1), hours(24 * 14));
  t.max_events = from.integer("max_events", 0, most_expected);
  t.max_new_issues = from.integer("max_new_issues", 0, most_expected);
  if (token && t.organization.empty()) from.report_here("has a token and no organization, expected both");
  if (!token && !t.organization.empty()) from.report("organization", "needs a token: without one Sentry tells its health alone");
  if (!token) {
    for (const std::string_view key : {"project", "release", "environment", "within", "max_events", "max_new_issues"}) {
      if (from.has(key)) from.report(key, "needs a token and an organization: without them Sentry tells its health alone");
    }
  }
  declarations declared;
  if (token) {
    declared.add({"events", signal_kind::gauge, unit::number});
    if (!t.release.empty()) declared.add({"release_events", signal_kind::gauge, unit::number});
    declared.add({"new_issues", signal_kind::gauge, unit::number});
  }
  declared.add_certificate(t.access.ask.to);
  from.finish();
  return std::make_unique<sentry_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
