#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/switches/configured.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using namespace flipback;
using namespace flipback::test;
using deployment::intent;
using rollback::end;

namespace {

const std::string of_green =
    "upstream api {\n  # server 127.0.0.1:8000;\n  server 127.0.0.1:8001;\n  server 127.0.0.1:80001 backup;\n}\n"
    "server { location / { proxy_set_header X-Slot \"green\"; } # green\n}\n";
const std::string of_blue =
    "upstream api {\n  # server 127.0.0.1:8000;\n  server 127.0.0.1:8000;\n  server 127.0.0.1:80001 backup;\n}\n"
    "server { location / { proxy_set_header X-Slot \"blue\"; } # green\n}\n";

struct host : folder {
  host() {
    settings.slots[0].text = {"server 127.0.0.1:8000;", "blue"};
    settings.slots[1].text = {"server 127.0.0.1:8001;", "green"};
    settings.deployment->live_files = {{write("site", of_green), {}}};
  }
  [[nodiscard]] std::unique_ptr<rollback::slot_switch> made() const { return rollback::make_text_switch(settings); }
  config::configuration settings = two_slots(config::switch_kind::text);
};

}  // namespace

TEST_CASE("text_names_the_slot_all_of_whose_pieces_occur_and_none_of_the_others") {
  const host h;
  const auto s = h.made();
  CHECK(s->names().named() == 1);
  h.write("site", of_blue);
  CHECK(s->names().named() == 0);
  h.write("site", "server 127.0.0.1:8000; # blue");
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, h.path("site") + " says blue's \"server 127.0.0.1:8000;\", not blue's \"blue\", not green's"));
  h.write("site", "server 127.0.0.1:8000; blue green");
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, "green's \"green\""));
  h.write("site", "nothing");
  CHECK(s->names().is == intent::kind::neither);
  fs::remove(h.path("site"));
  CHECK(s->names().is == intent::kind::unreadable);
  CHECK(has(together(s->obstacles()), "does not exist"));
}

TEST_CASE("text_replaces_the_pieces_there_and_back_and_keeps_what_others_wrote") {
  const host h;
  const auto s = h.made();
  auto all = changes(*s, 0);
  REQUIRE(all.size() == 1);
  put_all(*s, all, end::after);
  CHECK(h.text("site") == of_blue);
  CHECK(s->names().named() == 0);
  CHECK(changes(*s, 0).empty());
  // Certbot adds its lines; the next switch is of the file as it is now.
  h.write("site", of_blue + "ssl_certificate /etc/letsencrypt/live/x; # managed by Certbot\r\n");
  all = changes(*s, 1);
  put_all(*s, all, end::after);
  CHECK(h.text("site") == of_green + "ssl_certificate /etc/letsencrypt/live/x; # managed by Certbot\r\n");
  put_all(*s, all, end::before);
  CHECK(s->names().named() == 0);
}

TEST_CASE("text_mends_a_file_that_says_some_of_both") {
  const host h;
  const auto s = h.made();
  h.write("site", "server 127.0.0.1:8000; green; server 127.0.0.1:8001;");
  put_all(*s, changes(*s, 1), end::after);
  CHECK(h.text("site") == "server 127.0.0.1:8001; green; server 127.0.0.1:8001;");
  CHECK(s->names().named() == 1);
}

TEST_CASE("text_that_would_not_read_back_is_refused") {
  host h;
  h.write("site", "server 127.0.0.1:8001;\n");
  const auto s = h.made();
  const auto made = s->changes_to(0);
  REQUIRE_FALSE(made.has_value());
  CHECK(has(made.error(), "would not say blue"));
  CHECK(has(made.error(), "not blue's \"blue\""));
  // A piece whose bytes make a comment of what follows.
  h.settings.slots[0].text = {"server a; #", "blue"};
  h.settings.slots[1].text = {"server b; log", "green"};
  h.write("site", "server b; log green;\n");
  const auto other = h.made();
  CHECK(other->names().named() == 1);
  CHECK_FALSE(other->changes_to(0).has_value());
}

TEST_CASE("text_is_changed_in_the_file_behind_a_link") {
  host h;
  h.settings.deployment->live_files[0].live = h.link("enabled/site", "../site");
  const auto s = h.made();
  const auto all = changes(*s, 0);
  CHECK(std::get<rollback::file_change>(all.at(0)).path == h.path("site"));
  put_all(*s, all, end::after);
  CHECK(h.text("site") == of_blue);
  CHECK(fs::is_symlink(h.at / "enabled/site"));
  CHECK(s->locked_beside() == std::vector{h.path("enabled/site")});
}

TEST_CASE("text_in_several_files_names_a_slot_together_and_one_file_by_two_names_is_changed_once") {
  host h;
  h.write("upstream", "server 127.0.0.1:8001;\n");
  h.write("header", "X-Slot green;\n");
  h.settings.deployment->live_files = {{h.path("upstream"), {}}, {h.path("header"), {}}, {h.link("again", "header"), {}}};
  const auto s = h.made();
  CHECK(s->names().named() == 1);
  const auto all = changes(*s, 0);
  CHECK(all.size() == 2);
  put_all(*s, {all[0]}, end::after);
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, "together say"));
  put_all(*s, {all[1]}, end::after);
  CHECK(s->names().named() == 0);
}

TEST_CASE("text_says_how_often_each_piece_occurs") {
  const host h;
  const auto s = h.made();
  const std::string notes = together(s->notes());
  CHECK(has(notes, h.path("site") + ": green's \"server 127.0.0.1:8001;\" occurs 1 time (line 3)\n"));
  CHECK(has(notes, "green's \"green\" occurs 1 time (line 6)\n"));
  CHECK_FALSE(has(notes, "blue"));
  h.write("site", of_green + of_green);
  CHECK(has(together(s->notes()), "occurs 2 times (line 3, 10)"));
}

TEST_CASE("text_of_which_nothing_stands_in_the_file_is_in_the_way_and_the_nearest_line_is_shown") {
  host h;
  h.settings.slots[0].text = {"default blue;"};
  h.settings.slots[1].text = {"default green;"};
  h.write("site", "map $host $slot {\n  # default blue;\n  hostnames;\n  default   blue;\n}\n");
  const auto s = h.made();
  const std::string all = together(s->obstacles());
  CHECK_MESSAGE(has(all, h.path("site") + " says neither blue's \"default blue;\" nor green's \"default green;\" (line 4 of " +
                             h.path("site") + " says \"default   blue;\"): write the slots' text as it stands there"),
                all);
  h.write("site", "nothing like it");
  CHECK(has(together(s->obstacles()), "nor green's \"default green;\": write"));
  h.write("site", "map $host $slot {\n  default green;\n}\n");
  CHECK(together(s->obstacles()).empty());
}

TEST_CASE("text_with_pieces_that_can_t_tell_slots_apart_is_refused_everywhere") {
  host h;
  h.settings.slots[0].text = {"127.0.0.1:8001", "blue"};
  const auto s = h.made();
  CHECK(has(together(s->obstacles()), "occurs within"));
  CHECK(has(flipback::test::error_of(s->changes_to(0)), "occurs within"));
  CHECK(s->names().is == intent::kind::unreadable);
}

TEST_CASE("text_an_edit_after_the_changes_were_made_is_left_alone") {
  const host h;
  const auto s = h.made();
  const auto all = changes(*s, 0);
  h.write("site", of_green + "# a note\n");
  boost::asio::io_context loop(1);
  CHECK(result_of(loop, s->put(all[0], end::after)).is == rollback::put_result::kind::foreign);
  CHECK(result_of(loop, s->state_of(all[0])).is == rollback::change_state::kind::foreign);
  CHECK(h.text("site") == of_green + "# a note\n");
}
