#include "tests/agent/config/text_file.hpp"

using namespace flipback;
using namespace flipback::config;
using namespace std::chrono_literals;

namespace {

struct keys {
  std::string deployment;
  std::string blue;
  std::string green;
};

std::string text_of(const keys& k) {
  return "[deployment]\nfront_door = { url = \"http://127.0.0.1/health\", identity = \"/version\" }\n" + k.deployment +
         "\n[slots.blue]\nurl = \"http://127.0.0.1:8000\"\n" + k.blue + "\n[slots.green]\nurl = \"http://127.0.0.1:8001\"\n" + k.green +
         "\n";
}

const keys by_site{R"(live_site = "/live")", R"(site = "/blue")", R"(site = "/green")"};
const keys by_command{R"(active = ["which"])", R"(switch = ["to", "blue"])", R"(switch = ["to", "green"])"};

}  // namespace

TEST_CASE("a_live_site_and_a_site_in_each_slot_are_the_switch_site") {
  const configuration read = good(text_of(by_site));
  CHECK(read.deployment->switched_by == switch_kind::site);
  REQUIRE(read.deployment->live_files.size() == 1);
  CHECK(read.deployment->live_files[0] == live_file{"/live", {"/blue", "/green"}});
  CHECK(!read.deployment->in_place);
}

TEST_CASE("one_live_site_may_stand_in_a_list") {
  const configuration read = good(text_of({R"(live_sites = ["/live"])", by_site.blue, by_site.green}));
  CHECK(read.deployment->live_files == std::vector<live_file>{{"/live", {"/blue", "/green"}}});
}

TEST_CASE("several_live_sites_have_the_slots_files_in_the_slots_order") {
  const configuration read = good(text_of(
      {R"(live_sites = [{ green = "/a-green", live = "/a", blue = "/a-blue" }, { live = "/b", blue = "/b-blue", green = "/b-green" }])", "",
       ""}));
  CHECK(read.deployment->switched_by == switch_kind::site);
  CHECK(read.deployment->live_files == std::vector<live_file>{{"/a", {"/a-blue", "/a-green"}}, {"/b", {"/b-blue", "/b-green"}}});
}

TEST_CASE("text_in_each_slot_is_the_switch_text") {
  const configuration read = good(text_of(
      {"live_site = \"/live\"\nwrite = \"in_place\"", R"(text = "server 127.0.0.1:8000;")", R"(text = ["server 127.0.0.1:8001;"])"}));
  CHECK(read.deployment->switched_by == switch_kind::text);
  CHECK(read.deployment->live_files == std::vector<live_file>{{"/live", {}}});
  CHECK(read.deployment->in_place);
  CHECK(read.slots[0].text == std::vector<std::string>{"server 127.0.0.1:8000;"});
  CHECK(read.slots[1].text == std::vector<std::string>{"server 127.0.0.1:8001;"});
}

TEST_CASE("a_target_in_each_slot_is_the_switch_link") {
  const configuration read = good(text_of({R"(live_link = "/live")", R"(target = "../blue")", R"(target = "../green")"}));
  CHECK(read.deployment->switched_by == switch_kind::link);
  CHECK(read.deployment->live_link == "/live");
  CHECK(read.slots[1].target == "../green");
}

TEST_CASE("a_command_in_each_slot_is_the_switch_command") {
  const configuration read =
      good(text_of({by_command.deployment + "\nswitch_timeout = \"5m\"\nsettle_within = \"1m\"", by_command.blue, by_command.green}));
  CHECK(read.deployment->switched_by == switch_kind::command);
  CHECK(read.deployment->active == std::vector<std::string>{"which"});
  CHECK(read.deployment->switch_timeout == 5min);
  CHECK(read.deployment->settle_within == 1min);
  CHECK(read.slots[0].switched_by == std::vector<std::string>{"to", "blue"});
}

TEST_CASE("where_no_switch_can_be_read_the_effect_may_stand_for_the_intent") {
  const std::string effect = "intent = \"effect\"\n";
  const configuration watched = good(text_of({effect, "", ""}));
  CHECK(watched.deployment->effect_is_intent);
  CHECK(watched.deployment->switched_by == switch_kind::command);
  CHECK(watched.slots[0].switched_by.empty());
  const configuration acts = good(text_of({effect + "mode = \"act\"", by_command.blue, by_command.green}));
  CHECK(acts.deployment->effect_is_intent);
  CHECK(acts.deployment->active.empty());
  CHECK(acts.slots[0].switched_by.size() == 2);
}

TEST_CASE("without_an_identity_a_note_says_what_tells_slots_apart") {
  CHECK(good(text_of(by_site)).notes.empty());
  std::string text = text_of(by_site);
  text.erase(text.find(", identity"), std::string_view(", identity = \"/version\"").size());
  const configuration read = good(text);
  CHECK(!read.deployment->front_door.identity);
  CHECK(read.notes == std::vector<std::string>{
                          "deployment.front_door names no identity: only nginx's access log, or its new workers, tell which slot answers"});
}

TEST_CASE("releases_may_be_told_by_something_else_than_slots") {
  std::string text = text_of(by_site);
  text.replace(text.find("identity = "), std::string_view("identity = \"/version\"").size(),
               R"(identity = "header:X-Slot", release = "/version", timeout = "3s")");
  const front_door read = good(text).deployment->front_door;
  CHECK(read.identity == identity_source{"X-Slot", {}});
  CHECK(read.release == identity_source{{}, "/version"});
  CHECK(read.timeout == 3s);
  CHECK(!good(text_of(by_site)).deployment->front_door.release);
}
