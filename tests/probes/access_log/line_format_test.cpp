#include "probes/access_log/line_format.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

using namespace flipback::access_log;

namespace {

line_format format(std::string_view text) {
  auto made = line_format::from_text(text);
  REQUIRE_MESSAGE(made, (made ? "" : made.error()));
  return *made;
}

/// What the fields are in a line, by name; "no" where the line does not have the format.
std::string read(std::string_view of, std::string_view text) {
  line_format f = format(of);
  line l;
  if (!f.read(text, l)) return "no";
  std::string all;
  for (std::size_t i = 0; i < field_count; ++i) {
    if (!l.values[i].empty()) all += fmt::format("{}={};", name_of(static_cast<field>(i)), l.values[i]);
  }
  return all;
}

std::string refused(std::string_view of) {
  const auto made = line_format::from_text(of);
  return made ? "taken" : made.error();
}

}  // namespace

TEST_CASE("combined_gives_time_status_method_path_agent_and_client") {
  CHECK(read("combined", R"(10.0.0.9 - - [26/Nov/2026:20:53:43 +0000] "GET /a/b?c=d HTTP/1.1" 200 17 "-" "curl/8 x; y")") ==
        "time=26/Nov/2026:20:53:43 +0000;status=200;method=GET;path=/a/b;agent=curl/8 x; y;client=10.0.0.9;");
  CHECK(read("combined", R"(::1 - ada [26/Nov/2026:20:53:43 +0000] "POST http://h/x HTTP/1.1" 502 0 "http://r/" "-")") ==
        "time=26/Nov/2026:20:53:43 +0000;status=502;method=POST;path=/x;client=::1;");
}

TEST_CASE("request_lines_that_are_none_give_no_method_and_no_path") {
  for (const char* request : {R"(\x16\x03\x01\x02)", "", "-", "get /x HTTP/1.1", "PRI"}) {
    const std::string text = fmt::format(R"(10.0.0.9 - - [26/Nov/2026:20:53:43 +0000] "{}" 400 150 "-" "-")", request);
    CHECK(read("combined", text) == "time=26/Nov/2026:20:53:43 +0000;status=400;client=10.0.0.9;");
  }
}

TEST_CASE("what_a_client_writes_never_passes_for_what_nginx_writes") {
  // The name of a user with spaces, brackets and what looks like a whole line; nginx escapes its quotes.
  CHECK(
      read(
          "combined",
          R"(10.0.0.9 - x [26/Nov/2020:00:00:00 +0000] \x22GET / HTTP/1.1\x22 500 1 [26/Nov/2026:20:53:43 +0000] "GET / HTTP/1.1" 401 17 "-" "-")") ==
      "time=26/Nov/2026:20:53:43 +0000;status=401;method=GET;path=/;client=10.0.0.9;");
  // One value without quotes is what is left between the others.
  CHECK(read("$remote_addr $http_user_agent $status $request_time", "::1 evil 500 9.000 200 0.001") ==
        "status=200;agent=evil 500 9.000;client=::1;request_time=0.001;");
  CHECK(read(R"({"ua":"$http_user_agent","s":$status})", R"({"ua":"x\",\"s\":500,\"y\":\"","s":200})") ==
        R"(status=200;agent=x\",\"s\":500,\"y\":\";)");
}

TEST_CASE("lists_of_attempts_are_read_whole_though_they_have_spaces") {
  const char* const text = "$upstream_addr $upstream_status $upstream_header_time $upstream_response_time $status";
  CHECK(read(text, "127.0.0.1:8001, [::1]:8000 : unix:/run/api.sock 502, 200 : 200 -, 0.1 : 0.2 0.0, 0.1 : 0.3 200") ==
        "status=200;upstream=127.0.0.1:8001, [::1]:8000 : unix:/run/api.sock;upstream_status=502, 200 : 200;header_time=-, 0.1 : 0.2;"
        "response_time=0.0, 0.1 : 0.3;");
  CHECK(read(text, "- - - - 301") == "status=301;");
  CHECK(read("[$upstream_addr] $status", "[127.0.0.1:1, 127.0.0.1:2] 200") == "status=200;upstream=127.0.0.1:1, 127.0.0.1:2;");
  CHECK(read("$upstream_status,$status", "502, 200,200") == "status=200;upstream_status=502, 200;");
}

TEST_CASE("of_several_variables_for_one_field_the_best_is_taken") {
  CHECK(read("$time_local $msec $time_iso8601 $status", "26/Nov/2026:20:53:43 +0000 1795726423.123 2026-11-26T20:53:43+00:00 200") ==
        "time=1795726423.123;status=200;");
  CHECK(read(R"("$request" "$uri" "$request_uri" $status)", R"("GET /a%20b?c HTTP/1.1" "/a b" "/a%20b?c" 200)") ==
        "status=200;method=GET;path=/a%20b;");
  CHECK(read(R"("$uri" "$request" $status)", R"("/50x.html" "GET /a%20b?c HTTP/1.1" 200)") == "status=200;method=GET;path=/a%20b;");
  CHECK(read(R"("$uri" $status)", R"("/a b" 200)") == "status=200;path=/a b;");
  CHECK(read(R"("$http_host" "$host" $status)", R"("A:80" "a" 200)") == "status=200;host=a;");
}

TEST_CASE("a_directive_is_taken_as_it_stands_in_nginx") {
  const char* const directive = "log_format main escape=json '{\"t\":\"$msec\",'\n   '\"s\":\"${status}\"}';";
  CHECK(read(directive, R"({"t":"1.5","s":"204"})") == "time=1.5;status=204;");
  CHECK_FALSE(format(directive).can_be_forged());
  CHECK(read(R"(log_format x "status:$status\turi:$uri\t\"q\"\.";)", "status:204\turi:/a\t\"q\"\\.") == "status=204;path=/a;");
  CHECK(format("log_format x escape=none '$status $uri';").can_be_forged());
  CHECK(read("log_format x escape=none '$status \"$uri\"';", R"(200 "/a"b")") == R"(status=200;path=/a"b;)");
}

TEST_CASE("lines_that_do_not_have_the_format_are_told") {
  const std::string good = R"(10.0.0.9 - - [26/Nov/2026:20:53:43 +0000] "GET / HTTP/1.1" 200 17 "-" "curl")";
  REQUIRE(read("combined", good) != "no");
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(read("combined", good.substr(0, size)) == "no");
  CHECK(read("combined", good + "x") == "no");
  std::mt19937 random(7);  // NOLINT: the same lines each time
  line_format f = format("combined");
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (int k = 0; k < 1 + i % 5; ++k) text[random() % text.size()] = static_cast<char>(random());
    line l;
    f.read(text, l);
    for (const std::string_view v : l.values)
      CHECK((v.empty() || (v.data() >= text.data() && v.data() + v.size() <= text.data() + text.size())));
  }
}

TEST_CASE("texts_whose_status_can_not_be_read_for_certain_are_refused") {
  CHECK(refused("jsn") == "has no variable, expected \"json\", \"combined\" or a log_format's text such as '$remote_addr [$time_local] …'");
  CHECK(refused("$remote_addr $request_time") == "has no $status");
  CHECK(refused("$status$host") == "has $status and $host side by side: nothing tells where one ends");
  CHECK(refused("$ $status") == "has a $ without a variable's name");
  CHECK(refused("${status $host") == "has a $ without a variable's name");
  CHECK(refused("$uri $status $http_user_agent") ==
        "has $uri and $http_user_agent, of which nothing tells where they end, expected quotes around them");
  // A host may hold "|500|10.0.0.1:80|", and a list what follows.
  CHECK(refused("$host|$status|$upstream_addr") ==
        "has $host and $upstream_addr, of which nothing tells where they end, expected quotes around them");
  CHECK(refused("log_format main '$status'") == "is no whole directive, expected log_format NAME '…';");
}

TEST_CASE("values_that_can_not_be_told_apart_are_passed_over") {
  const auto unclear = [](std::string_view text, field f) {
    const line_format of = format(text);
    return of.has(f) ? "clear" : of.unclear(f);
  };
  const char* const both = "has $uri and $http_user_agent, of which nothing tells where they end, expected quotes around them";
  for (const field f : {field::path, field::agent}) CHECK(unclear("$uri $http_user_agent $status", f) == both);
  CHECK(read("$uri $http_user_agent $status", "/a curl 500 200") == "status=200;");
  CHECK(unclear("log_format x escape=none '\"$uri\" \"$http_user_agent\" $status';", field::agent) == both);
  CHECK(unclear("$http_user_agent $upstream_addr $status", field::upstream) ==
        "has $http_user_agent and $upstream_addr, of which nothing tells where they end, expected quotes around them");
  CHECK(unclear("$upstream_addr, $upstream_status $status", field::upstream_status) ==
        "has $upstream_addr and $upstream_status, of which nothing tells where they end, expected quotes around them");
  // Nobody asks for the first two; and what another variable tells is clear.
  CHECK(read(R"($http_a$http_b [$http_c] "$request" $status)", R"(x y [z] "GET / HTTP/1.1" 200)") == "status=200;method=GET;path=/;");
  CHECK(unclear(R"($uri $http_a "$request" $status)", field::path) == "clear");
  CHECK(unclear("$request_uri $http_a \"$status\"", field::method).empty());
}

TEST_CASE("a_client_can_not_go_on_with_a_list_of_attempts") {
  // As a user agent, ": 500" would make an attempt more of what follows a list.
  CHECK(read("$status $upstream_status $http_user_agent", "200 200 : 500") == "status=200;");
  CHECK(read("$status $upstream_status $host $request_time", "200 200 : 0.1") == "status=200;host=:;request_time=0.1;upstream_status=200;");
  CHECK(read("$status $upstream_addr $request_uri", "200 127.0.0.1:80, 127.0.0.1:81 /a?b") ==
        "status=200;path=/a;upstream=127.0.0.1:80, 127.0.0.1:81;");
  CHECK(read("$status $upstream_status \"$http_user_agent\"", "200 200 \": 500\"") == "status=200;agent=: 500;upstream_status=200;");
}
