#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/switches/configured.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace fs = std::filesystem;
using namespace flipback;
using namespace flipback::test;
using deployment::intent;
using rollback::end;
using rollback::file_change;
using rollback::file_image;

namespace {

struct host : folder {
  explicit host(bool in_place = false) {
    write("available/blue", "blue's\n");
    write("available/green", "green's\n");
    fs::create_directories(at / "enabled");
    settings.deployment->live_files = {{path("enabled/default"), {path("available/blue"), path("available/green")}}};
    settings.deployment->in_place = in_place;
    settings.nginx.conf = path("nginx.conf");
  }
  [[nodiscard]] std::unique_ptr<rollback::slot_switch> made() const { return rollback::make_site_switch(settings); }
  config::configuration settings = two_slots(config::switch_kind::site);
};

const file_change& only(const std::vector<rollback::change>& all) {
  REQUIRE(all.size() == 1);
  return std::get<file_change>(all[0]);
}

}  // namespace

TEST_CASE("site_names_the_slot_whose_bytes_the_live_file_has") {
  const host h;
  const auto s = h.made();
  h.write("enabled/default", "green's\n");
  const auto before = std::chrono::system_clock::now();
  CHECK(s->names().named() == 1);
  CHECK(s->names().changed.value() > before - std::chrono::seconds(5));
  h.write("enabled/default", "blue's\n");
  CHECK(s->names().named() == 0);
  h.write("enabled/default", "blue's\n\n");
  CHECK(s->names().is == intent::kind::neither);
  CHECK(s->names().says == h.path("enabled/default") + " says what no slot's file says");
  fs::remove(h.path("enabled/default"));
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, "does not exist"));
}

TEST_CASE("site_says_whose_file_an_edited_one_is_nearest_to_and_what_to_type") {
  const host h;
  const auto s = h.made();
  h.write("available/blue", "upstream {\n  server 1;\n}\n");
  h.write("available/green", "upstream {\n  server 2;\n}\n");
  const std::string live = h.path("enabled/default");
  const auto nearest_with = [&](const std::string& bytes) {
    h.write("enabled/default", bytes);
    return s->names().nearest;
  };
  const auto makes_it = [&](const std::string& slot) {
    return "; `cp " + h.path("available/" + slot) + " " + live + "` makes it " + slot + "'s";
  };
  const std::string to_green = live + " is nearest to green's " + h.path("available/green") + ": ";
  CHECK(nearest_with("# mine\nupstream {\n  server 2;\n}\n") ==
        to_green + "line 1 is \"# mine\", expected \"upstream {\"" + makes_it("green"));
  CHECK(nearest_with("upstream {\n  server 2;\n}") == to_green + "only the newline at its end is missing" + makes_it("green"));
  CHECK(has(nearest_with("upstream {\n  server 1; # mine\n}\n"), makes_it("blue")));
  CHECK(nearest_with("upstream {\n  server 2;\n}\n") == "");
  // Nothing of it says whose it is, and the first slot's name is as wrong as another's.
  const std::string either = "blue's " + h.path("available/blue") + " and green's " + h.path("available/green") + makes_it("blue");
  CHECK(nearest_with("") == live + " has no line of " + either + ", " + makes_it("green").substr(2));
  CHECK(nearest_with("server 3;\n") == live + " has no line of " + either + ", " + makes_it("green").substr(2));
  CHECK(nearest_with("upstream {\n  server 3;\n}\n") == live + " is as near to each of " + either + ", " + makes_it("green").substr(2));
}

TEST_CASE("site_replaces_the_bytes_keeps_the_mode_and_gives_back_what_a_person_had_edited") {
  const host h;
  const auto s = h.made();
  h.write("enabled/default", "edited by hand\n");
  ::chmod(h.path("enabled/default").c_str(), 0600);
  const auto all = changes(*s, 0);
  CHECK(only(all).path == h.path("enabled/default"));
  CHECK(only(all).before.bytes == "edited by hand\n");
  put_all(*s, all, end::after);
  CHECK(h.text("enabled/default") == "blue's\n");
  CHECK((looked_at(h.path("enabled/default")).st_mode & 0777U) == 0600);
  CHECK(s->names().named() == 0);
  CHECK(changes(*s, 0).empty());
  put_all(*s, all, end::before);
  CHECK(h.text("enabled/default") == "edited by hand\n");
  s->sweep();
  CHECK(h.names("enabled") == std::set<std::string>{"default"});
  CHECK(s->needs_reload());
}

TEST_CASE("site_replaces_a_link_to_a_slots_file_in_its_own_manner_and_never_writes_the_slots_file") {
  struct {
    std::string name, target, after;
  } const cases[] = {
      {"relative", "../available/green", "../available/blue"},
      {"relative by a detour", "../available/../available/green", "../available/../available/blue"},
      {"absolute", "/available/green", "/available/blue"},
  };
  for (const auto& c : cases) {
    for (const bool in_place : {false, true}) {
      CAPTURE(c.name);
      const host h(in_place);
      const bool absolute = c.target.front() == '/';
      h.link("enabled/default", absolute ? h.at.string() + c.target : c.target);
      const auto s = h.made();
      CHECK(s->names().named() == 1);
      CHECK(together(s->obstacles()) == "");
      const auto all = changes(*s, 0);
      put_all(*s, all, end::after);
      CHECK(fs::read_symlink(h.at / "enabled/default") == (absolute ? h.at.string() + c.after : c.after));
      CHECK(s->names().named() == 0);
      put_all(*s, all, end::before);
      CHECK(s->names().named() == 1);
      CHECK(h.text("available/blue") == "blue's\n");
      CHECK(h.text("available/green") == "green's\n");
    }
  }
}

TEST_CASE("site_a_relative_link_in_a_folder_that_is_itself_a_link_leads_to_the_right_file") {
  const host h;
  fs::create_directories(h.at / "deep/er/real-enabled");
  fs::remove(h.at / "enabled");
  h.link("enabled", "deep/er/real-enabled");
  h.link("deep/er/real-enabled/default", "../../../available/green");
  h.write("other/blue", "blue's other\n");
  config::configuration moved = h.settings;
  moved.deployment->live_files[0].of_slots[0] = h.path("other/blue");
  const auto s = rollback::make_site_switch(moved);
  CHECK(s->names().named() == 1);
  const auto all = changes(*s, 0);
  put_all(*s, all, end::after);
  CHECK(fs::read_symlink(h.at / "enabled/default") == "../../../other/blue");
  CHECK(h.text("enabled/default") == "blue's other\n");
}

TEST_CASE("site_replaces_the_file_behind_a_link_to_what_is_no_slots") {
  const host h;
  h.write("elsewhere/site", "green's\n");
  h.link("enabled/default", "../elsewhere/site");
  const auto s = h.made();
  CHECK(s->names().named() == 1);
  const auto all = changes(*s, 0);
  CHECK(only(all).path == h.path("elsewhere/site"));
  s->stage(0);
  CHECK(h.names("elsewhere").size() == 2);
  put_all(*s, all, end::after);
  CHECK(fs::read_symlink(h.at / "enabled/default") == "../elsewhere/site");
  CHECK(h.text("elsewhere/site") == "blue's\n");
  s->sweep();
  CHECK(h.names("elsewhere") == std::set<std::string>{"site"});
}

TEST_CASE("site_a_link_that_leads_nowhere_names_nothing_and_can_be_made_to_lead_somewhere_and_back") {
  const host h;
  h.link("enabled/default", "../available/gone");
  const auto s = h.made();
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, "is a link to ../available/gone, which leads nowhere"));
  const auto all = changes(*s, 0);
  put_all(*s, all, end::after);
  CHECK(fs::read_symlink(h.at / "enabled/default") == "../available/blue");
  put_all(*s, all, end::before);
  CHECK(fs::read_symlink(h.at / "enabled/default") == "../available/gone");
}

TEST_CASE("site_a_live_file_that_did_not_exist_does_not_exist_after_an_undo") {
  const host h;
  const auto s = h.made();
  CHECK(has(together(s->notes()), "does not exist: a switch makes it"));
  const auto all = changes(*s, 1);
  CHECK(only(all).before.is == file_image::kind::absent);
  put_all(*s, all, end::after);
  CHECK(h.text("enabled/default") == "green's\n");
  put_all(*s, all, end::before);
  s->sweep();
  CHECK(h.names("enabled").empty());
}

TEST_CASE("site_several_live_files_name_a_slot_only_together") {
  host h;
  h.write("available/blue-admin", "blue's admin\n");
  h.write("available/green-admin", "green's admin\n");
  h.write("available/common", "both\n");
  h.settings.deployment->live_files.push_back({h.path("enabled/admin"), {h.path("available/blue-admin"), h.path("available/green-admin")}});
  h.settings.deployment->live_files.push_back({h.path("enabled/common"), {h.path("available/common"), h.path("available/common")}});
  h.write("enabled/default", "green's\n");
  h.write("enabled/admin", "green's admin\n");
  h.write("enabled/common", "both\n");
  const auto s = h.made();
  CHECK(s->names().named() == 1);
  CHECK(s->locked_beside().size() == 3);
  h.write("enabled/admin", "blue's admin\n");
  CHECK(s->names().is == intent::kind::neither);
  CHECK(has(s->names().says, h.path("enabled/default") + " says green's; " + h.path("enabled/admin") + " says blue's; "));
  h.write("enabled/admin", "green's\n");  // of the wrong file
  CHECK(has(s->names().says, h.path("enabled/admin") + " says what no slot's file says"));
  // Of those that say it already, nothing is changed.
  h.write("enabled/admin", "blue's admin\n");
  const auto all = changes(*s, 0);
  CHECK(only(all).path == h.path("enabled/default"));
  put_all(*s, all, end::after);
  CHECK(s->names().named() == 0);
}

TEST_CASE("site_what_can_t_be_read_is_unreadable_and_not_neither") {
  const host h;
  const auto s = h.made();
  ::mkfifo(h.path("enabled/default").c_str(), 0600);
  CHECK(s->names().is == intent::kind::unreadable);
  CHECK(has(s->names().says, "named pipe"));
  fs::remove(h.at / "enabled/default");
  h.write("enabled/default", "perhaps green's\n");
  fs::remove(h.at / "available/green");
  ::mkfifo(h.path("available/green").c_str(), 0600);
  CHECK(s->names().is == intent::kind::unreadable);
  h.write("enabled/default", "blue's\n");
  CHECK(s->names().named() == 0);
}

TEST_CASE("site_says_what_stands_in_its_way_and_what_to_do") {
  struct {
    std::string name;
    std::function<void(host&)> spoil;
    std::string sentence;
  } const cases[] = {
      {"nothing", [](host&) {}, ""},
      {"missing", [](host& h) { fs::remove(h.at / "available/green"); },
       "slot green's site file {}/available/green does not exist: make it"},
      {"a link",
       [](host& h) {
         fs::rename(h.at / "available/green", h.at / "available/green.1");
         h.link("available/green", "green.1");
       },
       "slot green's site file {}/available/green is a link, which could be swapped: name what it leads to, {}/available/green.1"},
      {"a link to nowhere",
       [](host& h) {
         fs::remove(h.at / "available/green");
         h.link("available/green", "gone");
       },
       "is a link to gone, which leads nowhere"},
      {"empty", [](host& h) { h.write("available/green", ""); },
       "slot green's site file {}/available/green is empty but for blanks and comments"},
      {"comments alone", [](host& h) { h.write("available/green", " # green\n\n# server {}"); }, "nginx would serve nothing by it"},
      {"alike", [](host& h) { h.write("available/green", "blue's\n"); }, "the site files of blue and green say the same"},
      {"its own file", [](host& h) { h.settings.deployment->live_files[0].of_slots[1] = h.path("enabled/../enabled/default"); },
       "{}/enabled/default is slot green's own site file"},
      {"a pipe",
       [](host& h) {
         fs::remove(h.at / "available/green");
         ::mkfifo(h.path("available/green").c_str(), 0600);
       },
       "{}/available/green is a named pipe"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    host h;
    h.write("enabled/default", "blue's live\n");
    c.spoil(h);
    const auto s = h.made();
    std::string sentence = c.sentence;
    for (std::size_t at = 0; (at = sentence.find("{}")) != std::string::npos;) sentence.replace(at, 2, h.at.string());
    const std::string all = together(s->obstacles());
    CHECK_MESSAGE(has(all, sentence), all);
    CHECK((sentence.empty() ? all.empty() : std::ranges::count(all, '\n') == 1));
    const auto to_green = s->changes_to(1);
    CHECK(to_green.has_value() == sentence.empty());
    if (!to_green) CHECK(has(to_green.error(), sentence));
    CHECK(h.text("enabled/default") == "blue's live\n");
  }
}

TEST_CASE("site_a_hard_link_to_a_slots_file_is_never_written_through") {
  for (const bool in_place : {false, true}) {
    const host h(in_place);
    fs::create_hard_link(h.at / "available/green", h.at / "enabled/default");
    const auto s = h.made();
    CHECK(s->names().named() == 1);
    CHECK(has(together(s->notes()), "has 2 names"));
    CHECK(s->obstacles().empty() == !in_place);
    const auto all = changes(*s, 0);
    boost::asio::io_context loop(1);
    CHECK((result_of(loop, s->put(all[0], end::after)).is == rollback::put_result::kind::done) == !in_place);
    CHECK(h.text("available/green") == "green's\n");
  }
}
