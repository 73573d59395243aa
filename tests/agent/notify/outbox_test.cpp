#include "agent/notify/outbox.hpp"

#include "agent/notify/outbox_file.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace flipback;
using namespace flipback::notify;
using namespace std::chrono_literals;
using state = parcel::state;

namespace {

const attempt delivered{attempt::result::delivered, "", {}, "kept"};
const attempt not_yet{attempt::result::not_yet, "503", {}, ""};
const attempt refused{attempt::result::refused, "404", {}, ""};

struct post_office {
  outbox of;
  moment now{instant(1000s), wall_time(1795762000s)};
  std::map<std::pair<std::string, std::string>, std::string> disk;

  void pass(duration time) {
    now.at += time;
    now.wall += std::chrono::duration_cast<wall_time::duration>(time);
  }
  void post(const std::string& matter, unsigned number, stage at = stage::changed, const std::string& target = "chat") {
    letter l;
    l.matter = matter;
    l.number = number;
    l.at = at;
    of.post(l, target, now);
  }
  /// The letter that is handed out now, and what becomes of it; "" where none is.
  std::string hand_out(const attempt& becomes = delivered, const std::string& target = "chat") {
    const auto p = of.begin(target, now);
    if (!p) return "";
    of.end(*p, becomes, now);
    return p->what.id();
  }
  void save() {
    for (const auto& row : of.take_changes()) {
      if (row.text)
        disk[{row.letter, row.target}] = *row.text;
      else
        disk.erase({row.letter, row.target});
    }
  }
  void restart() {
    save();
    of = {};
    for (const auto& [key, text] : disk) REQUIRE(of.restore({key.first, key.second, text}, now));
  }
  [[nodiscard]] state is(const std::string& id) const {
    for (const parcel* p : of.all()) {
      if (p->what.id() == id) return p->is;
    }
    return state::given_up;
  }
};

}  // namespace

TEST_CASE("letters_of_a_matter_arrive_in_their_order_and_each_once") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.post("m", 2);
  const auto first = o.of.begin("chat", o.now);
  REQUIRE(first);
  CHECK(first->kept.empty());
  CHECK_FALSE(o.of.begin("chat", o.now));  // the second waits for it
  o.of.end(*first, delivered, o.now);
  const auto second = o.of.begin("chat", o.now);
  REQUIRE(second);
  CHECK(second->what.number == 2);
  CHECK(second->kept == "kept");
  o.of.end(*second, delivered, o.now);
  CHECK(o.hand_out() == "");
  CHECK_FALSE(o.of.next("chat"));
}

TEST_CASE("of_what_waits_the_first_the_newest_and_the_last_are_sent") {
  post_office o;
  o.post("m", 1, stage::begun);
  CHECK(o.hand_out(not_yet) == "m/1");
  for (unsigned n = 2; n < 100; ++n) o.post("m", n);
  o.post("other", 1, stage::begun);
  o.post("m", 100, stage::ended);
  o.pass(1h);
  CHECK(o.hand_out() == "other/1");  // it has not been tried yet
  CHECK(o.hand_out() == "m/1");
  CHECK(o.hand_out() == "m/100");
  CHECK(o.hand_out() == "");
}

TEST_CASE("a_target_that_fails_is_asked_after_5_s_and_doubled_to_5_min_and_all_letters_arrive_at_last") {
  post_office o;
  o.post("m", 1, stage::begun);
  std::vector<duration> waits;
  for (int i = 0; i < 9; ++i) {
    REQUIRE(o.hand_out(not_yet) == "m/1");
    REQUIRE(o.of.next("chat"));
    waits.push_back(*o.of.next("chat") - o.now.at);
    o.pass(waits.back() - 1ms);
    CHECK(o.hand_out() == "");
    o.pass(1ms);
  }
  CHECK(waits == std::vector<duration>{5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s, 300s});
  REQUIRE(o.of.is_failing("chat"));
  CHECK(o.of.is_failing("chat")->says == "503");
  CHECK(o.hand_out() == "m/1");
  CHECK(o.of.is_failing("chat") == nullptr);
}

TEST_CASE("a_target_that_says_when_to_ask_again_is_asked_then") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.hand_out({attempt::result::not_yet, "429", 90s, ""});
  o.pass(89s);
  CHECK(o.hand_out() == "");
  o.pass(1s);
  CHECK(o.hand_out() == "m/1");
}

TEST_CASE("a_letter_that_a_target_never_takes_stops_no_other_matter") {
  post_office o;
  o.post("bad", 1, stage::begun);
  o.hand_out(not_yet);
  o.post("good", 1, stage::begun);
  o.pass(5s);
  CHECK(o.hand_out() == "good/1");
  CHECK(o.hand_out(not_yet) == "bad/1");
  o.post("bad", 2, stage::ended);
  o.pass(1min);
  CHECK(o.hand_out(refused) == "bad/1");
  CHECK(o.is("bad/1") == state::given_up);
  CHECK(o.of.is_failing("chat"));
  CHECK(o.hand_out() == "bad/2");
}

TEST_CASE("of_cutovers_the_older_one_is_told_first_whatever_it_met") {
  post_office o;
  letter l;
  l.about = subject::cutover;
  l.matter = "cutover-1";
  o.of.post(l, "chat", o.now);
  o.hand_out(not_yet);
  o.pass(1s);
  l.matter = "cutover-2";
  o.of.post(l, "chat", o.now);
  o.pass(1min);
  CHECK(o.hand_out() == "cutover-1/1");
  CHECK(o.hand_out() == "cutover-2/1");
}

TEST_CASE("what_wakes_somebody_does_not_wait_out_what_another_letter_met") {
  post_office o;
  o.post("notice", 1, stage::begun);
  o.hand_out({attempt::result::not_yet, "429", 1h, ""});
  letter l;
  l.matter = "m";
  l.severity = severity::critical;
  o.of.post(l, "chat", o.now);
  CHECK(o.hand_out() == "m/1");
}

TEST_CASE("what_was_tried_for_a_day_is_given_up_and_stays_to_be_seen") {
  post_office o;
  o.post("m", 1, stage::begun);
  for (int i = 0; i < 300; ++i) {
    o.hand_out(not_yet);
    o.pass(5min);
  }
  CHECK(o.is("m/1") == state::given_up);
  CHECK(o.of.all().size() == 1);
}

TEST_CASE("nothing_is_lost_by_a_restart_and_what_was_under_way_is_sent_again_by_the_same_id") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.hand_out();
  o.post("m", 2);
  const auto begun = o.of.begin("chat", o.now);
  REQUIRE(begun);
  o.restart();
  const auto again = o.of.begin("chat", o.now);
  REQUIRE(again);
  CHECK(again->what.id() == "m/2");
  CHECK(again->tries == 2);
  CHECK(again->kept == "kept");
  CHECK(o.of.knows("m", "chat"));
  o.of.end(*again, delivered, o.now);
  o.restart();
  CHECK(o.hand_out() == "");
}

TEST_CASE("what_a_disk_did_not_take_is_told_again") {
  post_office o;
  o.post("m", 1, stage::begun);
  const auto rows = o.of.take_changes();
  REQUIRE(rows.size() == 1);
  CHECK(o.of.take_changes().empty());
  o.hand_out();
  o.of.not_written(rows);
  const auto newer = o.of.take_changes();
  REQUIRE(newer.size() == 1);
  CHECK(newer.front().text->contains("delivered"));
}

TEST_CASE("the_newest_letter_is_sent_again_to_who_would_let_it_end_until_it_has_ended") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.hand_out();
  o.of.send_again("chat", 1min, {"m"}, o.now);
  CHECK(o.hand_out() == "");
  o.pass(1min);
  o.of.send_again("chat", 1min, {}, o.now);  // the matter is no more
  CHECK(o.hand_out() == "");
  o.of.send_again("chat", 1min, {"m"}, o.now);
  const auto again = o.of.begin("chat", o.now);
  REQUIRE(again);
  CHECK(again->again);
  o.of.end(*again, not_yet, o.now);
  o.post("m", 2, stage::ended);
  o.pass(1h);
  CHECK(o.hand_out() == "m/1");
  CHECK(o.hand_out() == "m/2");
  o.pass(1h);
  o.of.send_again("chat", 1min, {"m"}, o.now);
  CHECK(o.hand_out() == "");
}

TEST_CASE("after_a_reload_a_target_is_tried_at_once_and_what_waits_for_one_that_is_gone_is_given_up") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.post("m", 1, stage::begun, "gone");
  for (int i = 0; i < 6; ++i) {
    o.hand_out(not_yet);
    o.pass(3min);
  }
  o.hand_out(not_yet);
  CHECK(o.hand_out() == "");
  o.of.use({"chat"}, o.now);
  CHECK(o.hand_out() == "m/1");
  CHECK(o.hand_out(delivered, "gone") == "");
}

TEST_CASE("a_delivery_that_was_interrupted_is_tried_again") {
  post_office o;
  o.post("m", 1, stage::begun);
  const auto begun = o.of.begin("chat", o.now);
  REQUIRE(begun);
  o.of.interrupt(*begun);
  CHECK(o.hand_out() == "m/1");
  o.of.interrupt(*begun);  // it has ended
  CHECK(o.hand_out() == "");
}

TEST_CASE("of_a_matter_that_is_not_over_it_is_remembered_who_knows_of_it") {
  post_office o;
  o.post("open", 1, stage::begun);
  o.hand_out();
  o.post("over", 1, stage::ended);
  o.hand_out();
  o.pass(24h * 8);
  for (unsigned n = 0; n < outbox::most; ++n) {
    o.post("m" + std::to_string(n), 1, stage::ended);
    o.hand_out();
  }
  CHECK(o.of.knows("open", "chat"));
  CHECK_FALSE(o.of.knows("over", "chat"));
}

TEST_CASE("a_letter_of_a_number_that_was_written_before_a_restart_gets_the_next_one") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.hand_out();
  o.post("m", 1);
  CHECK(o.hand_out() == "m/2");
}

TEST_CASE("a_letter_that_is_dropped_is_told") {
  post_office o;
  for (unsigned n = 0; n <= outbox::most; ++n) o.post("m" + std::to_string(n), 1, stage::begun);
  auto dropped = o.of.take_dropped();
  REQUIRE(dropped.size() == 1);
  CHECK(dropped.front().what.matter == "m0");
  o.of.use({}, o.now);
  CHECK(o.of.take_dropped().size() == outbox::most);
}

TEST_CASE("a_clock_that_is_put_right_gives_no_letter_up") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.hand_out(not_yet);
  o.now.wall += 24h * 365;
  o.pass(5s);
  o.hand_out(not_yet);
  CHECK(o.is("m/1") == state::waiting);
}

TEST_CASE("the_outbox_is_bounded_and_what_is_done_with_goes_first") {
  post_office o;
  for (unsigned n = 0; n < 10; ++n) {
    o.post("done" + std::to_string(n), 1, stage::begun);
    o.hand_out();
  }
  for (unsigned n = 0; n < outbox::most; ++n) o.post("m" + std::to_string(n), 1, stage::begun);
  CHECK(o.of.all().size() == outbox::most);
  CHECK(std::ranges::none_of(o.of.all(), [](const parcel* p) { return p->is == state::delivered; }));
  o.save();
  CHECK(o.disk.size() == outbox::most);
}

TEST_CASE("the_file_keeps_the_order_and_what_another_wrote_is_no_parcel") {
  const test::folder f;
  const std::string file = f.write("x", "") + ".outbox.db";
  CHECK(read_outbox(file)->rows.empty());
  REQUIRE(write_outbox(file, {{"m/1", "chat", "first"}, {"m/2", "chat", "second"}}, "desk"));
  REQUIRE(write_outbox(file, {{"m/1", "chat", "first again"}, {"m/3", "chat", "third"}, {"m/2", "chat", std::nullopt}}, "desk 2"));
  const auto found = read_outbox(file);
  REQUIRE(found);
  REQUIRE(found->rows.size() == 2);
  CHECK(found->rows[0].text == "first again");
  CHECK(found->rows[1].letter == "m/3");
  CHECK(found->desk == "desk 2");
  post_office o;
  for (const auto* text : {"", "7", "{}", R"({"letter":{},"target":"x"})", R"({"letter":7})"}) {
    CHECK_FALSE(o.of.restore({"m/1", "chat", text}, o.now));
    const auto rows = o.of.take_changes();
    REQUIRE(rows.size() == 1);
    CHECK_FALSE(rows.front().text);  // it goes, and is not said at each start
  }
}

TEST_CASE("a_damaged_outbox_is_put_aside_and_said") {
  const test::folder f;
  const std::string file = f.write("flipback.outbox.db", "this is no database, and is long enough to be looked at by whoever opens it");
  CHECK_FALSE(read_outbox(file));
  const auto done = write_outbox(file, {{"m/1", "chat", "first"}}, "");
  REQUIRE(done);
  CHECK(done->contains("a new outbox is begun"));
  CHECK(read_outbox(file)->rows.size() == 1);
}

TEST_CASE("what_one_target_waits_for_takes_no_letter_from_another") {
  post_office o;
  for (unsigned n = 1; n <= 3; ++n) {
    for (const char* target : {"chat", "mail"}) o.post("m", n, n == 1 ? stage::begun : stage::changed, target);
  }
  for (const char* target : {"chat", "mail"}) {
    CHECK(o.hand_out(delivered, target) == "m/1");
    CHECK(o.hand_out(delivered, target) == "m/3");
    CHECK(o.hand_out(delivered, target) == "");
  }
}

TEST_CASE("a_target_that_fails_delays_no_other") {
  post_office o;
  for (const char* target : {"chat", "mail"}) o.post("m", 1, stage::begun, target);
  CHECK(o.hand_out(not_yet) == "m/1");
  CHECK(o.hand_out() == "");
  CHECK(o.hand_out(delivered, "mail") == "m/1");
  CHECK(o.of.is_failing("chat"));
  CHECK_FALSE(o.of.is_failing("mail"));
}

TEST_CASE("a_time_that_damage_made_gives_no_letter_up") {
  post_office o;
  o.post("m", 1, stage::begun);
  o.save();
  std::string& text = o.disk.begin()->second;
  const std::string posted = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(o.now.wall.time_since_epoch()).count());
  for (const char* key : {"\"posted\":", "\"newest\":"}) {
    REQUIRE(text.contains(key + posted));
    text.replace(text.find(key + posted), std::string(key + posted).size(), std::string(key) + "-9223372036854775808");
  }
  o.of = {};
  REQUIRE(o.of.restore({"m/1", "chat", text}, o.now));
  CHECK(o.hand_out(not_yet) == "m/1");
  CHECK(o.is("m/1") == state::waiting);
}
