#include "probes/nginx/dump.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

using namespace flipback;

namespace {

/// "0 http / 1 include up / 1 server": each directive with its depth.
std::string told(std::string_view dump) {
  std::string all;
  for (const nginx::directive& d : nginx::parse_dump(dump))
    all += fmt::format("{}{} {}", all.empty() ? "" : " / ", d.depth, fmt::join(d.words, " "));
  return all;
}

}  // namespace

TEST_CASE("what_is_included_in_a_block_stands_in_it") {
  CHECK(told("# configuration file /etc/nginx/nginx.conf:\n"
             "http { include conf.d/*.conf; upstream api { include live/api; } user x; }\n"
             "# configuration file /etc/nginx/conf.d/b.conf:\n"
             "server { listen 81; }\n"
             "# configuration file /etc/nginx/conf.d/a.conf:\n"
             "server { listen 80; }\n"
             "# configuration file /etc/nginx/live/api:\n"
             "server 127.0.0.1:8000;\n") ==
        "0 http / 1 include conf.d/*.conf / 1 server / 2 listen 80 / 1 server / 2 listen 81 / 1 upstream api / 2 include live/api / "
        "2 server 127.0.0.1:8000 / 1 user x");
}

TEST_CASE("a_file_that_is_included_twice_is_read_twice_and_one_for_which_no_include_is_found_once") {
  CHECK(told("# configuration file /n/nginx.conf:\n"
             "a { include /n/x; } b { include x; }\n"
             "# configuration file /n/x:\n"
             "say x;\n"
             "# configuration file /n/lost:\n"
             "say lost;\n") == "0 a / 1 include /n/x / 1 say x / 0 b / 1 include x / 1 say x / 0 say lost");
}

TEST_CASE("a_file_that_includes_itself_ends") {
  CHECK_FALSE(told("# configuration file /n/nginx.conf:\ninclude nginx.conf; include nginx.conf;\n").empty());
}

TEST_CASE("files_that_include_each_other_in_many_places_are_bounded") {
  std::string dump = "# configuration file /n/nginx.conf:\n";
  for (int i = 0; i < 40; ++i) dump += "include *;\n";
  CHECK(nginx::parse_dump(dump).size() <= 200'000);
}

TEST_CASE("a_text_without_heads_of_files_is_one_file") {
  CHECK(told("server { listen 80; }") == "0 server / 1 listen 80");
}
