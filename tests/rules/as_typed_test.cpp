#include "flipback/as_typed.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace flipback;

TEST_CASE("what_a_shell_would_take_apart_stands_in_quotes") {
  CHECK(as_typed(std::vector<std::string>{"nginx", "-t", "-c", "/etc/nginx/nginx.conf"}) == "nginx -t -c /etc/nginx/nginx.conf");
  CHECK(as_typed(std::vector<std::string>{"cp", "my site", "it's", "", "$HOME", "a;b"}) == R"(cp 'my site' 'it'\''s' '' '$HOME' 'a;b')");
  CHECK(as_typed({}).empty());
}
