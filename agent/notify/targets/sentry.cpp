#include "flipback/percent.hpp"
#include "flipback/timestamp.hpp"

#include "agent/notify/targets/access.hpp"
#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/kinds.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::notify {

namespace {

namespace json = boost::json;

struct terms {
  net::api_access access;
  std::string organization;
  std::vector<std::string> projects;
  std::string environment;
};

/// What Sentry calls a deploy: this release is live in this environment since then. After a rollback that is the release from before.
class sentry_target final : public target {
 public:
  sentry_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] bool takes(subject s) const override { return s == subject::cutover || s == subject::trial; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string&, run& r) override {
    net::api_session session(through_, terms_.access, r);
    const std::string releases = fmt::format("/api/0/organizations/{}/releases/", percent_encoded(terms_.organization));
    // A trial asks whether the token may, and leaves nothing there.
    if (what.about == subject::trial) co_return attempt_of(co_await session.get(releases + "?per_page=1"), terms_.access);
    if (what.release.empty()) co_return attempt{attempt::result::refused, "it is not known which release is live"};
    // A release that is there already stays as it is, and Sentry says 208.
    const json::object release{{"version", what.release}, {"projects", json::array(terms_.projects.begin(), terms_.projects.end())}};
    attempt made = attempt_of(co_await session.post(releases, json::serialize(release)), terms_.access);
    if (made.is != attempt::result::delivered) co_return made;
    const std::string deploys = fmt::format("{}{}/deploys/", releases, percent_encoded(what.release));
    const auto listed = co_await session.get(deploys);
    made = attempt_of(listed, terms_.access);
    if (made.is != attempt::result::delivered || is_there(*listed, what)) co_return made;
    co_return attempt_of(co_await session.post(deploys, json::serialize(deploy_of(what))), terms_.access);
  }

 private:
  /// A deploy is named after its letter, so that one that came twice is one.
  [[nodiscard]] json::object deploy_of(const letter& what) const {
    json::object made{{"environment", terms_.environment}, {"name", what.id()}, {"dateFinished", time_text(what.began)}};
    if (!what.link.empty()) made["url"] = what.link;
    return made;
  }

  static bool is_there(const net::http_answer& answer, const letter& what) {
    const auto all = answer.json();
    const json::array* const list = all ? (*all)->if_array() : nullptr;
    return list != nullptr && std::ranges::any_of(*list, [&](const json::value& one) { return net::text_at(one, "/name") == what.id(); });
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<target> make_sentry_target(settings::section& from, net::network& through) {
  terms t;
  t.access = net::read_api_access(from, "url", "https://sentry.io");
  read_needed_token(from, t.access, "one of an internal integration, with the scope project:releases");
  t.organization = from.required_text("organization", "acme");
  t.projects = from.texts("projects");
  if (t.projects.empty()) from.report("projects", R"(has no project, expected those that a release is of, such as ["api"])");
  t.environment = from.text("environment", "production");
  from.finish();
  return std::make_unique<sentry_target>(through, std::move(t));
}

}  // namespace flipback::notify
