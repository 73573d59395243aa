#include "tests/agent/rollback/switches/configured.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using namespace flipback;
using namespace flipback::test;
using deployment::intent;
using rollback::end;

namespace {

struct host : folder {
  host() {
    fs::create_directories(at / "blue.d");
    fs::create_directories(at / "green.d");
    settings.slots[0].target = "blue.d";
    settings.slots[1].target = path("green.d");
    settings.deployment->live_link = path("live");
  }
  [[nodiscard]] std::unique_ptr<rollback::slot_switch> made() const { return rollback::make_link_switch(settings); }
  void lead(const std::string& target) const {
    fs::remove(at / "live");
    link("live", target);
  }
  config::configuration settings = two_slots(config::switch_kind::link);
};

}  // namespace

TEST_CASE("link_names_the_slot_to_which_it_leads_however_that_is_written") {
  const host h;
  const auto s = h.made();
  h.link("detour", "blue.d");
  struct {
    std::string target;
    std::optional<rollback::slot_number> slot;
  } const cases[] = {{"blue.d", 0},
                     {"./blue.d/", 0},
                     {h.path("blue.d"), 0},
                     {"detour", 0},
                     {h.path("green.d"), 1},
                     {"green.d", 1},
                     {"../" + h.at.filename().string() + "/green.d", 1},
                     {"gone", std::nullopt},
                     {".", std::nullopt}};
  for (const auto& c : cases) {
    CAPTURE(c.target);
    h.lead(c.target);
    CHECK(s->names().named() == c.slot);
    CHECK(s->names().changed.has_value());
    if (!c.slot) CHECK(s->names().says == h.path("live") + " leads to " + c.target + ", which is no slot's target");
  }
}

TEST_CASE("link_is_written_as_the_target_is_and_the_undo_as_it_was") {
  const host h;
  const auto s = h.made();
  h.lead("./green.d/");
  const auto to_blue = changes(*s, 0);
  put_all(*s, to_blue, end::after);
  CHECK(fs::read_symlink(h.at / "live") == "blue.d");
  CHECK(changes(*s, 0).empty());
  put_all(*s, to_blue, end::before);
  CHECK(fs::read_symlink(h.at / "live") == "./green.d/");
  h.lead("blue.d");
  put_all(*s, changes(*s, 1), end::after);
  CHECK(fs::read_symlink(h.at / "live") == h.path("green.d"));
  s->sweep();
  CHECK(h.names() == std::set<std::string>{"live", "blue.d", "green.d"});
  CHECK(s->needs_reload());
}

TEST_CASE("link_that_did_not_exist_is_made_and_taken_away_again") {
  const host h;
  const auto s = h.made();
  CHECK(s->names().is == intent::kind::neither);
  const auto all = changes(*s, 0);
  put_all(*s, all, end::after);
  CHECK(s->names().named() == 0);
  put_all(*s, all, end::before);
  CHECK_FALSE(fs::is_symlink(h.at / "live"));
}

TEST_CASE("link_that_is_none_or_leads_where_nothing_is_or_to_the_same_is_refused") {
  host h;
  h.write("live", "a file");
  auto s = h.made();
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(flipback::test::error_of(s->changes_to(0)), "is a file, where a link was expected"));
  CHECK(has(together(s->obstacles()), "is a file, where a link was expected"));
  h.lead("blue.d");
  CHECK(s->obstacles().empty());
  fs::remove(h.at / "green.d");
  CHECK(has(flipback::test::error_of(s->changes_to(1)), "slot green's target " + h.path("green.d")));
  CHECK(has(together(s->obstacles()), "leads nowhere"));
  h.link("green.d", "blue.d");
  CHECK(has(flipback::test::error_of(s->changes_to(1)), "lead to the same"));
  CHECK(s->names().is == intent::kind::neither);
  h.settings.slots[1].target = "./blue.d";
  fs::remove(h.at / "blue.d");
  s = h.made();
  CHECK(has(together(s->obstacles()), "lead to the same"));
}

TEST_CASE("link_that_somebody_else_replaced_is_left") {
  const host h;
  const auto s = h.made();
  h.lead("green.d");
  const auto all = changes(*s, 0);
  h.lead("elsewhere");
  boost::asio::io_context loop(1);
  CHECK(result_of(loop, s->put(all[0], end::after)).is == rollback::put_result::kind::foreign);
  CHECK(fs::read_symlink(h.at / "live") == "elsewhere");
}
