#include "flipback/percent.hpp"

#include "agent/notify/targets/access.hpp"
#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace flipback::notify {

namespace {

namespace json = boost::json;

constexpr std::size_t most_in_description = 140;  // GitHub's limit
constexpr std::string_view release_here = "{release}";

struct terms {
  net::api_access access;
  std::string repository;   ///< "acme/api"
  std::string environment;  ///< as the deployments name it
  std::string ref;          ///< of a deployment: "v{release}"
};

/// The status of the deployments that somebody else made, CI as a rule: the release that goes live is a success, one that Flipback rolls
/// back a failure.
class github_target final : public target {
 public:
  github_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] bool takes(subject s) const override { return s == subject::cutover || s == subject::trial; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string&, run& r) override {
    net::api_session session(through_, terms_.access, r);
    // A trial asks whether the token may, and leaves nothing there.
    if (what.about == subject::trial) co_return attempt_of(co_await session.get(deployments() + "?per_page=1"), terms_.access);
    // First what failed: the success after it makes every other deployment of the environment inactive, and a failure stays one.
    if (what.by_flipback && !what.previous_release.empty()) {
      const attempt failed = co_await say(session, what.previous_release, "failure", what);
      if (failed.is == attempt::result::not_yet) co_return failed;
      if (what.release.empty()) co_return failed;
    }
    if (what.release.empty()) co_return attempt{attempt::result::refused, "it is not known which release is live"};
    co_return co_await say(session, what.release, "success", what);
  }

 private:
  asio::awaitable<attempt> say(net::api_session& session, const std::string& release, std::string_view state, const letter& what) const {
    const std::string ref = ref_of(release);
    const auto found = co_await session.get(
        fmt::format("{}?ref={}&environment={}&per_page=1", deployments(), percent_encoded(ref), percent_encoded(terms_.environment)));
    attempt made = attempt_of(found, terms_.access);
    if (made.is != attempt::result::delivered) co_return made;
    const auto id = whole_at(*found, "/0/id");  // GitHub lists the newest first
    if (!id) {
      co_return attempt{attempt::result::refused,
                        fmt::format("{} has no deployment of {} to {}", terms_.repository, ref, terms_.environment)};
    }
    json::object status{{"state", state}, {"description", cut(what.title, most_in_description)}, {"environment", terms_.environment}};
    if (!what.link.empty()) status["log_url"] = what.link;
    const auto answer = co_await session.post(fmt::format("{}/{}/statuses", deployments(), *id), json::serialize(status));
    co_return attempt_of(answer, terms_.access);
  }

  [[nodiscard]] std::string deployments() const { return fmt::format("/repos/{}/deployments", terms_.repository); }

  [[nodiscard]] std::string ref_of(const std::string& release) const {
    std::string made = terms_.ref;
    made.replace(made.find(release_here), release_here.size(), release);
    return made;
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<target> make_github_target(settings::section& from, net::network& through) {
  terms t;
  t.access = net::read_api_access(from, "api", "https://api.github.com");
  read_needed_token(from, t.access, "one that may write the repository's deployments");
  t.access.ask.headers.emplace_back("Accept", "application/vnd.github+json");
  t.access.ask.headers.emplace_back("X-GitHub-Api-Version", "2022-11-28");
  t.repository = from.required_text("repository", "acme/api");
  const bool has_owner = t.repository.find('/') != std::string::npos && t.repository.find('/') == t.repository.rfind('/');
  if (!t.repository.empty() && (!has_owner || t.repository.find_first_of(" ?#%") != std::string::npos))
    from.report("repository", fmt::format("found {}, expected an owner and a name, such as \"acme/api\"", from.shown("repository")));
  t.environment = from.text("environment", "production");
  t.ref = from.text("ref", std::string(release_here));
  if (!t.ref.contains(release_here)) {
    from.report("ref", fmt::format("found {}, expected a text with {{release}} in it, such as \"v{{release}}\"", from.shown("ref")));
    t.ref = release_here;
  }
  from.finish();
  return std::make_unique<github_target>(through, std::move(t));
}

}  // namespace flipback::notify
