#include "agent/privileged/settings.hpp"

#include "tests/agent/privileged/roots_folder.hpp"

using namespace flipback;
using namespace flipback::test;
using privileged::read_settings;

namespace {

std::string refusal(const host& h, const std::string& text) {
  h.configure(text);
  const auto read = read_settings(h.path("helper.toml"));
  return read ? "" : read.error();
}

std::string replaced(std::string text, const std::string& was, const std::string& becomes) {
  return text.replace(text.find(was), was.size(), becomes);
}

}  // namespace

TEST_CASE("settings_say_whom_which_nginx_and_which_files") {
  const host h;
  const auto read = read_settings(h.path("helper.toml"));
  REQUIRE_MESSAGE(read.has_value(), read.error());
  CHECK(read->serves == 65534);
  CHECK(read->of.nginx.pid == h.path("nginx.pid"));
  CHECK(read->of.deployment->live_files.size() == 2);
  CHECK(read->of.slots[1].name == "green");
}

TEST_CASE("settings_with_commands_or_with_nothing_to_switch_are_refused") {
  const host h;
  for (const char* of_nginx : {"reload = \"systemd\"", "reload = \"command\"\nreload_command = [\"/bin/true\"]",
                               "test_command = [\"/bin/true\"]", "helper = \"/run/other.sock\""})
    CHECK(refusal(h, h.settings("", of_nginx)).contains("expected binary, conf, prefix, pid and command_timeout alone"));
  const std::string by_command =
      "user = \"nobody\"\n[deployment]\nactive = [\"a\"]\n[slots.blue]\nswitch = [\"b\"]\n[slots.green]\nswitch = [\"c\"]\n";
  CHECK(refusal(h, by_command).contains("names no file or link that is switched"));
  CHECK(refusal(h, "user = \"nobody\"\n[deployment]\nintent = \"effect\"\n[slots.blue]\n[slots.green]\n") != "");
  CHECK(refusal(h, "user = \"nobody\"\n").contains("slots.blue"));
  CHECK(refusal(h, "user = \"no-such-user\"\n" + h.settings().substr(h.settings().find('\n'))).contains("no user of this host"));
  CHECK(refusal(h, h.settings().substr(h.settings().find('\n'))).contains("user"));
  CHECK(refusal(h, h.settings("path = \"/etc/passwd\"")).contains("is unknown here"));
  CHECK(refusal(h, "is no TOML").contains("TOML"));
}

TEST_CASE("settings_that_are_not_roots_own_or_name_what_is_not_are_refused") {
  const host h;
  for (const char* name : {"helper.toml", "one", "one-green", "two-blue", "nginx.pid", "nginx.conf"}) {
    CAPTURE(name);
    REQUIRE(::chown(h.path(name).c_str(), 65534, 0) == 0);
    const auto read = read_settings(h.path("helper.toml"));
    CHECK((!read && read.error().contains("belongs to user 65534")));
    REQUIRE(::chown(h.path(name).c_str(), 0, 0) == 0);
  }
  h.write("nginx", "");
  REQUIRE(::chmod(h.path("nginx").c_str(), 0777) == 0);
  CHECK(refusal(h, h.settings("", "binary = \"" + h.path("nginx") + "\"")).contains("may be written by others"));
  CHECK(refusal(h, h.settings("", "prefix = \"" + h.path("nginx") + "\"")).contains("may be written by others"));
  CHECK(refusal(h, replaced(h.settings(), h.path("one-blue"), "one-blue")).contains("no whole path"));
  const std::string by_link = fmt::format(
      "user = \"nobody\"\n[deployment]\nlive_link = \"{0}/link\"\n[slots.blue]\ntarget = \"one-blue\"\n[slots.green]\ntarget = \"nginx\"\n",
      h.at.string());
  CHECK(refusal(h, by_link).contains("/nginx may be written by others"));
}
