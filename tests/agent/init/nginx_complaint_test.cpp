#include "agent/init/nginx_complaint.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using init::complaint_in;

TEST_CASE("what_nginx_repeats_of_its_configuration_is_not_passed_on") {
  const std::string place = " in /etc/nginx/sites-enabled/api:12";
  for (const char* word : {"hunter2", "password=hunter2", "http://user:hunter2@x", "hunter2\" directive \"x", "x\"hunter2", "/hunter2",
                           "/nowhere-at-all/hunter2", ";\"hunter2"}) {
    CAPTURE(word);
    CHECK(complaint_in("nginx: [emerg] unknown directive \"" + std::string(word) + "\"" + place + "\n", {}) ==
          "[emerg] unknown directive \"…\"" + place);
  }
  CHECK(complaint_in("nginx: [emerg] invalid value \"first line\nhunter2\" in x:1", {}) == "[emerg] invalid value \"…\"");
}

TEST_CASE("what_nginx_says_of_itself_and_of_files_stays") {
  for (const char* said : {"[emerg] \"proxy_pass\" directive is not allowed here in /etc/nginx/nginx.conf:3",
                           "[emerg] unexpected end of file, expecting \";\" or \"}\" in /etc/nginx/nginx.conf:3",
                           "[emerg] open() \"/etc/passwd-\" failed (13: Permission denied)"}) {
    CHECK(complaint_in("nginx: [warn] \"hunter2\"\nnginx: " + std::string(said) + "\nnginx: configuration file … test failed\n", {}) ==
          said);
  }
  CHECK(complaint_in("", {}).empty());
}

TEST_CASE("what_an_nginx_of_somebodys_says_is_bounded_and_without_secrets") {
  const std::vector<secret> hidden{secret("hunter2")};
  CHECK_FALSE(complaint_in("login hunter2 failed\x1b[2J\n", hidden).contains("hunter2"));
  CHECK_FALSE(complaint_in("a\x1b[2J\n", hidden).contains('\x1b'));
  CHECK(complaint_in(std::string(100'000, 'x'), hidden).size() < 210);
}
