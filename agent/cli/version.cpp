#include "agent/cli/version.hpp"

#include "agent/store/database.hpp"

#include <CLI/Version.hpp>
#include <ares.h>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <toml++/toml.h>

#include <expat.h>

namespace flipback {

extern const char* const built_of;  // made with each build, by agent/commit.cmake

namespace cli {

namespace {

/// As OpenSSL says it: "OpenSSL 3.0.17 1 Jul 2025".
std::string openssl() {
  return fmt::format("OpenSSL {}", OpenSSL_version(OPENSSL_VERSION_STRING));
}

/// "expat_2.5.0"
std::string expat() {
  const std::string says = XML_ExpatVersion();
  return fmt::format("Expat {}", says.substr(says.find('_') + 1));
}

}  // namespace

std::string version_text() {
  const int pq = PQlibVersion();
  return fmt::format("flipback {}, commit {}\n", FLIPBACK_VERSION, built_of) +
         fmt::format("Boost {}.{}.{}, c-ares {}, CLI11 {}, {}, ", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100,
                     ares_version(nullptr), CLI11_VERSION, expat()) +
         fmt::format("fmt {}.{}.{}, hiredis {}.{}.{}, libpq {}.{}, {}, ", FMT_VERSION / 10'000, FMT_VERSION / 100 % 100, FMT_VERSION % 100,
                     HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH, pq / 10'000, pq % 10'000, openssl()) +
         fmt::format("prometheus-cpp {}, SQLite {}, toml++ {}.{}.{}, yaml-cpp {}\n", FLIPBACK_PROMETHEUS_CPP, sqlite3_libversion(),
                     TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH, FLIPBACK_YAML_CPP) +
         fmt::format("state: form {}", database::newest_form);  // read by the package, before it lets an earlier version take its place
}

}  // namespace cli

}  // namespace flipback
