#include "agent/rollback/proof.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using namespace flipback::rollback;
using namespace std::chrono_literals;
using deployment::reply;

namespace {

constexpr slot_number blue = 0;
constexpr slot_number green = 1;

claim blue_is_reached() {
  claim made;
  made.slot = blue;
  made.other = green;
  made.identity = "v1";
  made.other_identity = "v2";
  return made;
}

instant at(duration since_began) {
  return instant{} + 100s + since_began;
}

/// Looks are whole sentences: `workers(yes, yes)`, `.identity("v1")`, `.logged(blue, yes)`.
struct seen {
  proof_look look{};

  seen workers(answer fresh, answer old_gone) const {
    seen made = *this;
    made.look.new_workers = fresh;
    made.look.old_gone = old_gone;
    return made;
  }
  seen door(reply::kind kind, unsigned status = 200, std::string identity = {}) const {
    seen made = *this;
    made.look.door = reply{kind, status, identity, identity, "200"};
    return made;
  }
  seen identity(std::string of) const { return door(reply::kind::identified, 200, std::move(of)); }
  seen logged(std::optional<slot_number> to, answer by_new, unsigned status = 200) const {
    seen made = look.door ? *this : door(reply::kind::anonymous);
    made.look.line = own_line{to, by_new, status};
    return made;
  }
  seen cached(std::string as = "v1") const {
    seen made = identity(std::move(as));
    made.look.by_cache = true;
    return made;
  }
  seen users(std::set<slot_number> at) const {
    seen made = *this;
    made.look.users = std::move(at);
    return made;
  }
  seen direct(reply::kind kind) const {
    seen made = *this;
    made.look.direct = deployment::slot_reply{false, reply{kind, 500, {}, {}, "500"}, "500"};
    return made;
  }
  seen emerg(std::string line) const {
    seen made = *this;
    made.look.emerg = std::move(line);
    return made;
  }
};

const answer yes = answer::yes;
const answer no = answer::no;
const answer cant_tell = answer::cant_tell;

const seen settled = seen{}.workers(yes, yes);
const seen settling = seen{}.workers(yes, no);
const seen unmoved = seen{}.workers(no, no);
const seen unseen = seen{};

proof after(const std::vector<seen>& looks, claim what = blue_is_reached(), bool to_the_end = true) {
  proof made(std::move(what), at(0s));
  duration t{};
  for (const seen& s : looks) {
    proof_look look = s.look;
    look.at = at(t += 10ms);
    made.add(look);
  }
  if (to_the_end) made.end();
  return made;
}

std::vector<seen> times(int n, const seen& what) {
  return std::vector<seen>(static_cast<std::size_t>(n), what);
}

std::vector<seen> operator+(std::vector<seen> a, const std::vector<seen>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("what_three_looks_prove_and_what_they_don't") {
  using standing = proof::standing;
  struct row {
    const char* name;
    std::vector<seen> looks;
    standing becomes;
    const char* says;
  };
  const std::vector<row> table{
      {"identity", times(3, settled.identity("v1")), standing::yes, "3 fresh answers"},
      {"the log", times(3, settled.logged(blue, yes)), standing::yes, "3 fresh answers"},
      {"the log, though the identity is the other's, which a cache can give", times(3, settled.identity("v2").logged(blue, yes)),
       standing::yes, "3 fresh"},
      {"two are not enough", times(2, settled.identity("v1")), standing::cant_tell,
       "only 2 of 3 fresh answers in a row came from the slot, as their identity v1 says"},
      {"in a row, by the log",
       times(2, settled.logged(blue, yes)) + times(1, settled.logged(std::nullopt, yes)) + times(2, settled.logged(blue, yes)),
       standing::cant_tell, "only 2 of 3 fresh answers in a row came from the slot, as nginx's access log says"},
      {"in a row, by identity",
       times(2, settled.identity("v1")) + times(1, settled.door(reply::kind::silent)) + times(2, settled.identity("v1")),
       standing::cant_tell, "only 2 of 3"},

      {"an emerg of this master", times(1, settled.emerg("[emerg] bind() failed")), standing::no, "bind() failed"},
      {"no new workers, though workers are seen", times(5, unmoved.identity("v1")), standing::no, "no new workers"},
      {"new workers passed our questions to the failed slot", times(3, settled.logged(green, yes)), standing::no,
       "3 questions of ours in a row"},
      {"a new worker passed one of our questions to the failed slot",
       times(2, settled.logged(green, yes)) + times(3, settled.logged(blue, yes)), standing::yes,
       "3 fresh answers in a row came from the slot"},
      {"both slots answer by turns",
       times(2, settled.logged(green, yes)) + times(2, settled.logged(blue, yes)) + times(2, settled.logged(green, yes)),
       standing::cant_tell, "the slot that was left"},
      {"5xx of the stable slot, by the log", times(3, settled.door(reply::kind::failing, 500).logged(blue, yes, 500)), standing::no,
       "itself fails"},
      {"5xx, and the slot asked directly says the same", times(3, settled.door(reply::kind::failing, 502).direct(reply::kind::failing)),
       standing::no, "itself fails"},

      {"an old worker passed it to the failed slot", times(5, settled.logged(green, no)), standing::cant_tell,
       "came from the slot that was left"},
      {"it can't be told which worker passed it to the failed slot", times(5, settled.logged(green, cant_tell)), standing::cant_tell,
       "came from the slot that was left"},
      {"two 5xx", times(2, settled.door(reply::kind::failing, 500).logged(blue, yes, 500)), standing::cant_tell,
       "the front door's newest answer (500) is a failure, as the slot's own are"},
      {"5xx that nginx gave itself", times(5, settled.door(reply::kind::failing, 502)), standing::cant_tell, "does not tell"},
      {"5xx at the front door, and the slot asked directly is well",
       times(5, settled.door(reply::kind::failing, 502).direct(reply::kind::identified)), standing::cant_tell, "does not tell"},
      {"5xx at the front door, of no slot's upstream", times(5, settled.door(reply::kind::failing, 500).logged(std::nullopt, yes, 500)),
       standing::cant_tell, "does not tell"},
      {"the front door is unreachable", times(5, settled.door(reply::kind::silent)), standing::cant_tell,
       "the front door did not answer (200), so that it can't be told which slot users reach"},
      {"limited, or behind a login", times(5, settled.door(reply::kind::anonymous, 429)), standing::cant_tell, "does not tell"},
      {"a cache answers with the other identity", times(5, settled.identity("v2")), standing::cant_tell, "does not tell"},
      {"the log names an upstream that is no slot's, such as a router behind nginx, and the answer says who gave it",
       times(3, settled.identity("v1").logged(std::nullopt, yes)), standing::yes, "3 fresh answers"},
      {"an upstream that is no slot's, and no identity", times(5, settled.door(reply::kind::anonymous).logged(std::nullopt, yes)),
       standing::cant_tell, "does not tell"},
      {"the new workers have gone again", times(1, settling) + times(3, unmoved.identity("v1")), standing::cant_tell,
       "old workers still accept"},
      {"the log names a third slot, whoever's identity the answer has", times(5, settled.identity("v1").logged(2, yes)),
       standing::cant_tell, "does not tell"},
      {"an identity of nobody", times(5, settled.identity("v7")), standing::cant_tell, "does not tell"},
      {"workers in another container", times(26, unseen.identity("v1")), standing::cant_tell, "can't be seen from here"},
      {"workers in another container, in the time that old ones still accept", times(25, unseen.identity("v1")), standing::cant_tell,
       "for less than 250 ms"},
      {"an old worker that is stuck", times(5, settling.identity("v1")), standing::cant_tell, "old workers still accept"},
      {"nothing was asked", times(5, settled), standing::cant_tell, "was not asked"},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    const proof found = after(r.looks);
    CHECK(found.is() == r.becomes);
    CHECK_MESSAGE(found.says().find(r.says) != std::string::npos, found.says());
  }
}

TEST_CASE("equal_identities_prove_nothing_without_a_log") {
  claim equal = blue_is_reached();
  equal.other_identity = equal.identity;
  CHECK(after(times(5, settled.identity("v1")), equal).is() == proof::standing::cant_tell);
  CHECK(after(times(3, settled.identity("v1").logged(blue, yes)), equal).is() == proof::standing::yes);
  claim none = blue_is_reached();
  none.identity.clear();
  none.other_identity.clear();
  CHECK(after(times(5, settled.door(reply::kind::anonymous)), none).is() == proof::standing::cant_tell);
  CHECK(after(times(5, settled.identity("")), none).is() == proof::standing::cant_tell);
  CHECK(after(times(3, settled.logged(blue, yes)), none).is() == proof::standing::yes);
}

TEST_CASE("witnesses_count_once_no_old_worker_accepts_any_more") {
  const auto early = times(3, settling.identity("v1"));
  CHECK(after(early + times(2, settled.identity("v1")), blue_is_reached(), false).is() == proof::standing::open);
  CHECK(after(early + times(3, settled.identity("v1")), blue_is_reached(), false).is() == proof::standing::yes);
}

TEST_CASE("a_question_that_had_5xx_in_the_minute_before_is_no_ground_for_a_no") {
  claim troubled = blue_is_reached();
  troubled.failed_before = true;
  const proof found = after(times(6, settled.door(reply::kind::failing, 500).logged(blue, yes, 500)), troubled);
  CHECK(found.is() == proof::standing::cant_tell);
  CHECK(found.reached() == blue);  // it is where users are, all the same
}

TEST_CASE("that_the_slot_which_failed_still_fails_speaks_not_against_an_undo") {
  claim back = blue_is_reached();
  back.may_fail = true;
  const proof found = after(times(3, settled.door(reply::kind::failing, 500).logged(blue, yes, 500)), back);
  CHECK(found.is() == proof::standing::yes);
  CHECK(found.reached() == blue);
  const proof direct = after(times(6, settled.door(reply::kind::failing, 502).direct(reply::kind::failing)), back);
  CHECK(direct.is() == proof::standing::cant_tell);
  CHECK(after(times(3, settled.logged(green, yes)), back).is() == proof::standing::no);
}

TEST_CASE("5xx_count_in_a_row") {
  const seen fails = settled.door(reply::kind::failing, 500).logged(blue, yes, 500);
  const auto by_turns = times(2, fails) + times(1, settled.logged(blue, yes)) + times(2, fails);
  CHECK(after(by_turns).is() == proof::standing::cant_tell);
  CHECK(after(by_turns + times(1, fails)).is() == proof::standing::no);
}

TEST_CASE("a_proof_says_which_slot_was_reached") {
  CHECK(after(times(3, settled.identity("v1"))).reached() == blue);
  CHECK(after(times(1, settled.logged(green, yes))).reached() == green);
  CHECK(after(times(3, settled.logged(green, no))).reached() == green);
  CHECK_FALSE(after(times(3, settled.identity("v2"))).reached());  // identity never says no
  CHECK_FALSE(after(times(3, settled.door(reply::kind::silent))).reached());
}

TEST_CASE("the_front_door_is_asked_once_a_new_worker_can_answer") {
  CHECK_FALSE(after(times(1, unmoved), blue_is_reached(), false).ask_next());
  CHECK(after(times(1, settling), blue_is_reached(), false).ask_next());
  CHECK(after(times(1, unseen), blue_is_reached(), false).ask_next());  // nobody knows when
  claim no_reload = blue_is_reached();
  no_reload.new_workers_needed = false;
  CHECK(after(times(1, unmoved), no_reload, false).ask_next());
}

TEST_CASE("where_nothing_was_reloaded_no_new_workers_are_asked_for") {
  claim no_reload = blue_is_reached();
  no_reload.new_workers_needed = false;
  CHECK(after(times(26, unmoved.identity("v1")), no_reload).is() == proof::standing::yes);
  CHECK(after(times(26, unseen.logged(blue, cant_tell)), no_reload).is() == proof::standing::yes);
  CHECK(after(times(26, unmoved.identity("v2")), no_reload).is() == proof::standing::cant_tell);
}

TEST_CASE("whoever_was_reached_before_is_not_who_is_reached_once_an_upstream_of_no_slot_answers") {
  const proof found =
      after(times(2, settling.logged(green, no)) + times(2, settled.door(reply::kind::failing, 502).logged(std::nullopt, yes, 502)));
  CHECK_FALSE(found.reached().has_value());
  CHECK(found.says() == "the front door's newest answer (502) does not tell which slot gave it");
}

TEST_CASE("where_workers_are_not_seen_a_row_of_answers_outlasts_the_old_ones") {
  claim command = blue_is_reached();
  command.new_workers_needed = false;
  const auto ours = [](int n) { return times(n, unseen.logged(blue, cant_tell)); };
  CHECK(after(ours(25), command).is() == proof::standing::cant_tell);
  CHECK(after(ours(20) + times(1, unseen.logged(green, cant_tell)) + ours(25), command).is() == proof::standing::cant_tell);
  CHECK(after(ours(20) + times(1, unseen.logged(green, cant_tell)) + ours(26), command).is() == proof::standing::yes);
}

TEST_CASE("where_a_cache_answers_us_users_requests_prove") {
  using standing = proof::standing;
  CHECK(after(times(3, settled.cached().users({blue}))).is() == standing::yes);
  CHECK(after(times(3, settled.cached("v2").users({blue}))).is() == standing::yes);
  CHECK(after(times(9, settled.cached())).is() == standing::cant_tell);  // whatever it says of itself
  const seen nobody_came = settled.cached();
  CHECK(after(times(2, settled.cached().users({blue})) + times(4, nobody_came) + times(1, settled.cached().users({blue}))).is() ==
        standing::yes);
  // Users may still be at an old worker: that is no word against the slot, nor for it.
  CHECK(after(times(2, settled.cached().users({blue})) + times(1, settled.cached().users({blue, green})) +
              times(2, settled.cached().users({blue})))
            .is() == standing::cant_tell);
  CHECK(after(times(9, settled.cached().users({green}))).is() == standing::cant_tell);
  CHECK(after(times(9, settling.cached().users({blue}))).is() == standing::cant_tell);
}

TEST_CASE("where_all_slots_are_behind_one_address_identity_proves") {
  CHECK(after(times(3, settled.identity("v1").logged(std::nullopt, yes))).is() == proof::standing::yes);
  CHECK(after(times(9, settled.identity("v2").logged(std::nullopt, yes))).is() == proof::standing::cant_tell);
  CHECK(after(times(9, settled.logged(std::nullopt, yes))).is() == proof::standing::cant_tell);
}

TEST_CASE("where_our_question_is_not_logged_users_requests_prove") {
  CHECK(after(times(3, settled.door(reply::kind::anonymous).users({blue}))).is() == proof::standing::yes);
  CHECK(after(times(3, settled.identity("v1").users({green}))).is() == proof::standing::cant_tell);
  // Our own question is looked at first.
  CHECK(after(times(3, settled.logged(blue, yes).users({green}))).is() == proof::standing::yes);
}

TEST_CASE("a_closed_proof_stays_as_it_is") {
  proof found = after(times(3, settled.identity("v1")));
  found.add(settled.emerg("later").look);
  found.end();
  CHECK(found.is() == proof::standing::yes);
}

TEST_CASE("a_new_worker_that_was_seen_stays_seen") {
  // Between two looks a worker may be replaced again, or not be readable for an instant.
  CHECK(after(times(1, settling) + times(1, unseen) + times(3, settled.identity("v1"))).is() == proof::standing::yes);
  // An old worker that shows up again accepts again.
  CHECK(after(times(2, settled.identity("v1")) + times(1, settling.identity("v1")) + times(2, settled.identity("v1"))).is() ==
        proof::standing::cant_tell);
}
