#include "agent/rollback/kept_files.hpp"

#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::test;
using rollback::attempt;
using rollback::change;
using rollback::command_change;
using rollback::file_change;
using rollback::kept_files;
using names = std::set<std::string>;

namespace {

constexpr wall_time night{std::chrono::seconds(1'795'762'000) + std::chrono::milliseconds(7)};
const std::string at_night = "20261127T064640.007Z";

attempt of(std::vector<change> changes, wall_time begun = night) {
  attempt made;
  made.begun = begun;
  made.changes = std::move(changes);
  return made;
}

struct kept_folder : folder {
  [[nodiscard]] kept_files made() const { return {at / "kept", rollback::make_disk()}; }
};

}  // namespace

TEST_CASE("what_files_and_links_said_is_kept_under_their_whole_paths_and_said_how_to_have_back") {
  const kept_folder f;
  const kept_files kept = f.made();
  CHECK(kept.newest().empty());
  const std::string edited("edited by hand\n\0\xff", 17);
  const attempt what = of({file_change{"/etc/nginx/a b", regular(edited), regular("blue")},
                           file_change{"/etc/nginx/live", leading_to("../it's green"), leading_to("blue")},
                           file_change{"/etc/new", {}, regular("blue")}, command_change{"green", "blue"}});
  CHECK(error_of(kept.keep(what)).empty());
  CHECK(error_of(kept.keep(what)).empty());  // cut off before the journal had forgotten it
  const std::string its = "kept/" + at_night;
  CHECK(f.names("kept") == names{at_night});
  CHECK(f.names(its + "/etc") == names{"nginx"});
  CHECK(f.text(its + "/etc/nginx/a b") == edited);
  CHECK(fs::read_symlink(f.at / its / "etc/nginx/live") == "../it's green");
  CHECK((looked_at(f.path("kept")).st_mode & 0777) == 0700);
  CHECK((looked_at(f.path(its + "/etc/nginx/a b")).st_mode & 0777) == 0600);
  CHECK(kept.newest() == fmt::format("what was there before Flipback changed it at {0} is kept under {1}; look first what differs: diff "
                                     "'{1}/etc/nginx/a b' '/etc/nginx/a b'; to have it back: cp '{1}/etc/nginx/a b' '/etc/nginx/a b' && "
                                     "ln -sfn '../it'\\''s green' /etc/nginx/live",
                                     at_night, f.path(its)));
}

TEST_CASE("what_changed_no_file_that_was_there_keeps_nothing") {
  const kept_folder f;
  CHECK(error_of(f.made().keep(of({command_change{"green", "blue"}, file_change{"/etc/new", {}, regular("blue")}}))).empty());
  CHECK(f.names().empty());
}

TEST_CASE("of_more_attempts_than_are_kept_the_oldest_goes_and_never_the_one_that_is_kept_now") {
  const kept_folder f;
  f.write("kept/notes of a person", "mine");
  const auto keep = [&](int second, const std::string& said) {
    const attempt what = of({file_change{"/live", regular(said), regular("blue")}}, night + std::chrono::seconds(second));
    REQUIRE(error_of(f.made().keep(what)).empty());
  };
  for (int i = 0; i < 33; ++i) keep(i, std::to_string(i));
  CHECK(f.names("kept").size() == kept_files::most_attempts + 1);
  CHECK_FALSE(f.names("kept").contains(at_night));
  CHECK(f.text("kept/20261127T064641.007Z/live") == "1");
  CHECK(f.text("kept/20261127T064712.007Z/live") == "32");
  keep(-60, "by a clock that was set back");
  CHECK(f.text("kept/20261127T064540.007Z/live") == "by a clock that was set back");
  CHECK_FALSE(f.names("kept").contains("20261127T064641.007Z"));
  CHECK(f.text("kept/notes of a person") == "mine");
}

TEST_CASE("what_can_not_be_kept_is_told_with_the_file_and_the_cause") {
  const kept_folder f;
  f.write("kept", "a file, where the folder was expected");
  const std::string why = error_of(f.made().keep(of({file_change{"/etc/live", regular("edited"), regular("blue")}})));
  CHECK(has(why, "what /etc/live said before it was changed can't be kept"));
  CHECK(has(why, f.path("kept")));
  CHECK(has(why, "Not a directory"));
}
