#pragma once

#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

/// Files that are root's alone, as are all folders above them, and a host that is switched by them.
namespace flipback::test {

struct roots_folder : folder {
  roots_folder() : folder("/run") {}
};

/// Two live files with the slots' own, blue live, and the settings that say so.
struct host : roots_folder {
  host() {
    for (const char* slot : {"blue", "green"}) {
      write(fmt::format("one-{}", slot), fmt::format("one is {}\n", slot));
      write(fmt::format("two-{}", slot), fmt::format("two is {}\n", slot));
    }
    write("one", "one is blue\n");
    write("two", "two is blue\n");
    write("nginx.pid", "1\n");
    write("nginx.conf", "");
    fs::create_directory(at / "state");
    configure();
  }
  std::string settings(const std::string& more = "", const std::string& of_nginx = "") const {
    return fmt::format(
        "user = \"nobody\"\n{1}\n[nginx]\nconf = \"{0}/nginx.conf\"\npid = \"{0}/nginx.pid\"\n{2}\n[deployment]\nlive_sites = [\n"
        "  {{ live = \"{0}/one\", blue = \"{0}/one-blue\", green = \"{0}/one-green\" }},\n"
        "  {{ live = \"{0}/two\", blue = \"{0}/two-blue\", green = \"{0}/two-green\" }} ]\n[slots.blue]\n[slots.green]\n",
        at.string(), more, of_nginx);
  }
  void configure(const std::string& text) const { write("helper.toml", text); }
  void configure() const { configure(settings()); }
  [[nodiscard]] std::string both() const { return text("one") + text("two"); }
};

inline const std::string blue = "one is blue\ntwo is blue\n";
inline const std::string green = "one is green\ntwo is green\n";

}  // namespace flipback::test
