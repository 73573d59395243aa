#include "agent/cli/watch.hpp"

#include "agent/serve/standing_text.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;

namespace {

std::string status(const deployment::standing& s, const boost::json::value& incident = nullptr) {
  return boost::json::serialize(boost::json::object{{"deployment", serve::as_object(s, {})}, {"incident", incident}});
}

}  // namespace

TEST_CASE("proven_is_what_was_seen_a_moment_ago_and_quiet_has_no_incident_besides") {
  deployment::standing s;
  s.live = s.intent = "blue";
  s.effect = deployment::agreement::agreed;
  CHECK(cli::is_so("proven", status(s)));
  CHECK(cli::is_so("quiet", status(s)));
  CHECK(cli::is_so("proven", status(s, "2026-11-30-1")));
  CHECK_FALSE(cli::is_so("quiet", status(s, "2026-11-30-1")));
  deployment::standing unseen = s;
  unseen.effect_says = "not proven at this moment: the front door has not answered for 12s";
  deployment::standing other = s;
  other.intent = "green";
  deployment::standing rolling = s;
  rolling.rolling = "to blue";
  deployment::standing flipping = s;
  flipping.flipping = "to green";
  deployment::standing unknown = s;
  unknown.effect = deployment::agreement::unknown;
  for (const deployment::standing& not_so : {unseen, other, rolling, flipping, unknown}) {
    CHECK_FALSE(cli::is_so("proven", status(not_so)));
    CHECK_FALSE(cli::is_so("quiet", status(not_so)));
  }
  auto older = serve::as_object(s, {});
  older.erase("flipping");
  CHECK(cli::is_so("proven", boost::json::serialize(boost::json::object{{"deployment", older}, {"incident", nullptr}})));
  CHECK_FALSE(cli::is_so("proven", "{}"));
  CHECK_FALSE(cli::is_so("proven", "nothing"));
}
