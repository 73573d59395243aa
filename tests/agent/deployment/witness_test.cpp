#include "agent/deployment/witness.hpp"

#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

namespace {

constexpr auto nobody = std::optional<slot_number>();

struct view {
  sighting seen;
  std::vector<slot_knowledge> known{{.identity = "b", .release = "v1"}, {.identity = "g", .release = "v2"}};

  view() {
    seen.names = {intent::kind::names, green, {}, {}};
    seen.log.answered = {0, 0};
    seen.fresh = true;
  }
  view& door(std::string identity, std::string release = "v9") {
    seen.front_door = {reply::kind::identified, 200, std::move(identity), std::move(release), {}};
    return *this;
  }
  view& anonymous() {
    seen.front_door = {reply::kind::anonymous, 200, {}, {}, {}};
    return *this;
  }
  view& users(std::uint64_t at_blue, std::uint64_t at_green) {
    seen.log.readable = true;
    seen.log.answered = {at_blue, at_green};
    return *this;
  }
  view& ours(slot_number to) {
    seen.log.readable = true;
    seen.log.our_question = to;
    return *this;
  }
  view& workers(bool visible, bool all_new) {
    seen.workers = {visible, all_new};
    return *this;
  }
  view& equal() {
    known[0].identity = known[1].identity = "ok";
    return *this;
  }
  view& stale() {
    seen.fresh = false;
    return *this;
  }
};

}  // namespace

TEST_CASE("who_is_reached_is_told_by_the_log_then_by_identity_then_by_workers") {
  struct row {
    std::string name;
    view of;
    std::optional<slot_number> slot;
    std::string release;
    bool both;
  };
  const std::vector<row> table{
      {"identity, with the release that the slot itself tells", view().door("g"), green, "v2", false},
      {"our own line", view().anonymous().ours(green), green, "v2", false},
      {"users' lines", view().anonymous().users(0, 3), green, "v2", false},
      {"our own line, whatever a cache says", view().door("b").ours(green), green, "v2", false},
      {"users' lines, whatever a cache says", view().door("b").users(0, 3), green, "v2", false},
      {"users at both", view().anonymous().users(2, 3), nobody, "", true},
      {"users at both, and our own question", view().anonymous().users(2, 3).ours(green), green, "v2", true},
      {"identity where the log is silent", view().door("g").users(0, 0), green, "v2", false},
      {"the other's identity is no witness where a log is read, since a cache may answer", view().door("b").users(0, 0), nobody, "", false},
      {"equal identities, and a log", view().equal().door("ok").ours(blue), blue, "v1", false},
      {"equal identities alone", view().equal().door("ok"), nobody, "", false},
      {"equal identities, and workers that are all new", view().equal().door("ok").workers(true, true), green, "v2", false},
      {"no identity, and workers that are all new", view().anonymous().workers(true, true), green, "v2", false},
      {"an old worker", view().anonymous().workers(true, false), nobody, "", false},
      {"workers that can't be seen", view().anonymous().workers(false, true), nobody, "", false},
      {"new workers say nothing against a witness", view().door("b").workers(true, true), blue, "v1", false},
      {"new workers where a log is read", view().anonymous().users(0, 0).workers(true, true), nobody, "", false},
      {"an identity of nobody", view().door("x"), nobody, "", false},
      {"an empty identity", view().door(""), nobody, "", false},
      {"nothing", view(), nobody, "", false},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    terms by;
    by.slots = {"blue", "green"};
    const witness found = witness_of(r.of.seen, r.of.known, by);
    CHECK(found.slot == r.slot);
    CHECK(found.release == r.release);
    CHECK(found.both == r.both);
  }
}

TEST_CASE("an_answer_that_a_cache_could_have_given_is_no_fresh_witness") {
  terms by;
  by.slots = {"blue", "green"};
  const auto fresh = [&](const view& of) { return witness_of(of.seen, of.known, by).fresh; };
  CHECK(fresh(view().door("g")));
  CHECK_FALSE(fresh(view().door("g").stale()));
  CHECK(fresh(view().door("g").stale().users(0, 1)));
  CHECK(fresh(view().door("g").stale().ours(green)));
  CHECK(fresh(view().anonymous().stale().workers(true, true)));
}
