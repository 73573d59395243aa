#include "probes/access_log/traffic.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

using namespace flipback;
using namespace flipback::access_log;

namespace {

struct logged {
  int status = 200;
  const char* path = "/api";
  const char* agent = "curl/8";
  const char* request_time = "0.010";
  const char* upstream = "127.0.0.1:8000";
  const char* upstream_status = "200";
  const char* header_time = "0.009";
  const char* response_time = "0.010";
};

std::string text_of(const logged& l) {
  return fmt::format(
      R"({{"time":"1795491858.123","status":"{}","host":"h","method":"GET","path":"{}","agent":"{}","client":"::1","request_time":"{}",)"
      R"("upstream":"{}","upstream_status":"{}","header_time":"{}","response_time":"{}","pid":"7"}})",
      l.status, l.path, l.agent, l.request_time, l.upstream, l.upstream_status, l.header_time, l.response_time);
}

traffic watched(filter f = {}) {
  return {recommended_keys(), std::move(f), 1.0, {{"blue", {"127.0.0.1:8000"}}, {"green", {"127.0.0.1:8001", "api_green"}}}};
}

pool pooled_from(std::initializer_list<logged> lines, filter f = {}) {
  traffic t = watched(std::move(f));
  for (const logged& l : lines) t.add(text_of(l));
  return t.take();
}

}  // namespace

TEST_CASE("final_answers_are_told_apart_by_status") {
  const pool p = pooled_from({{200}, {301}, {404}, {429}, {500}, {503}, {599}});
  CHECK(p.all.requests == 7);
  CHECK(p.all.errors == 3);
  CHECK(p.all.client_errors == 1);
  CHECK(p.all.limited == 1);
  CHECK(p.all.successes == 2);
  CHECK(p.malformed == 0);
}

TEST_CASE("what_nginx_answered_itself_is_no_traffic") {
  const pool p = pooled_from({{.status = 429, .upstream = "", .upstream_status = "", .header_time = "", .response_time = ""},
                              {.status = 301, .upstream = "-", .upstream_status = "-", .header_time = "-", .response_time = "-"},
                              {.status = 200, .upstream = "", .upstream_status = "", .header_time = "", .response_time = ""}});
  CHECK(p.all.requests == 0);
  CHECK(p.local_errors == 2);
}

TEST_CASE("our_own_requests_health_paths_and_what_is_excluded_are_no_traffic") {
  filter f;
  f.paths = {"/static"};
  f.agents = {"Pingdom"};
  const pool p = pooled_from(
      {{.agent = "flipback/0.1.0"}, {.path = "/health"}, {.path = "/static/a.css"}, {.agent = "Pingdom.com_bot"}, {.path = "/healthy"}}, f);
  CHECK(p.all.requests == 1);
}

TEST_CASE("a_client_that_hung_up_on_a_silent_release_counts_as_an_error") {
  const logged impatient{.status = 499, .request_time = "0.500", .upstream_status = "-", .header_time = "-", .response_time = "0.500"};
  const logged hung{.status = 499, .request_time = "5.000", .upstream_status = "-", .header_time = "-", .response_time = "5.000"};
  const logged answered{.status = 499, .request_time = "5.000", .upstream_status = "200", .header_time = "0.010", .response_time = "5.000"};
  const pool p = pooled_from({impatient, hung, answered});
  CHECK(p.all.requests == 3);
  CHECK(p.all.aborted == 3);
  CHECK(p.all.errors == 1);
  CHECK(p.all.client_errors == 0);
  CHECK(*p.all.latencies.quantile(1) == doctest::Approx(5).epsilon(0.011));
  CHECK(p.slots[0].errors == 1);
}

TEST_CASE("a_retried_error_hides_behind_a_final_200_but_not_from_its_slot") {
  const pool p = pooled_from({{.status = 200,
                               .upstream = "127.0.0.1:8001, 127.0.0.1:8000",
                               .upstream_status = "502, 200",
                               .header_time = "0.200, 0.100",
                               .response_time = "0.200, 0.110"}});
  CHECK(p.all.errors == 0);
  CHECK(p.slots[1].errors == 1);
  CHECK(p.slots[1].requests == 1);
  CHECK(p.slots[0].errors == 0);
  CHECK(p.slots[0].requests == 1);
  CHECK(*p.all.latencies.quantile(0.5) == doctest::Approx(0.3).epsilon(0.011));
}

TEST_CASE("internal_redirects_and_a_group_that_is_down_are_attempts_too") {
  const pool p = pooled_from({{.status = 502,
                               .upstream = "127.0.0.1:8000 : api_green",
                               .upstream_status = "200 : 502",
                               .header_time = "0.1 : -",
                               .response_time = "0.1 : 0.0"}});
  CHECK(p.slots[0].requests == 1);
  CHECK(p.slots[1].errors == 1);
  CHECK(p.all.errors == 1);
}

TEST_CASE("an_error_of_what_nginx_asked_after_the_slot_is_not_the_slots") {
  const auto errors_of = [](int status, const char* upstream, const char* statuses) {
    return pooled_from(
               {{.status = status, .upstream = upstream, .upstream_status = statuses, .header_time = "-", .response_time = "0.1 : 0.1"}})
        .all.errors;
  };
  CHECK(errors_of(500, "127.0.0.1:8000 : 127.0.0.1:9000", "200 : 500") == 0);
  CHECK(errors_of(502, "127.0.0.1:8000 : 127.0.0.1:9000", "404 : 502") == 0);
  CHECK(errors_of(500, "127.0.0.1:8000 : 127.0.0.1:9000", "500 : 500") == 1);
  CHECK(errors_of(502, "127.0.0.1:8000 : 127.0.0.1:9000", "- : 502") == 1);
  CHECK(errors_of(502, "127.0.0.1:8000 : 127.0.0.1:8001", "200 : 502") == 1);
  CHECK(errors_of(500, "127.0.0.1:9000 : 127.0.0.1:8000", "200 : 500") == 1);
  CHECK(errors_of(200, "127.0.0.1:8000 : 127.0.0.1:9000", "502 : 200") == 0);  // the user saw none
}

TEST_CASE("latency_is_the_time_to_the_header_or_else_to_the_end_and_not_of_upgrades_and_streams") {
  filter f;
  f.slow_paths = {"/events"};
  const pool p = pooled_from({{.header_time = "0.050", .response_time = "9.0"},
                              {.header_time = "-", .response_time = "0.050"},
                              {.status = 101, .header_time = "0.01", .response_time = "100"},
                              {.path = "/events/1", .header_time = "0.01", .response_time = "300"}},
                             f);
  CHECK(p.all.requests == 4);
  CHECK(p.all.latencies.count() == 2);
  CHECK(*p.all.latencies.quantile(1) == doctest::Approx(0.05).epsilon(0.011));
}

TEST_CASE("a_request_that_ended_without_a_status_is_one_whose_client_was_gone") {
  traffic t = watched();
  t.add(R"({"status":"000","path":"/a","upstream":"127.0.0.1:8000","request_time":"0.100","header_time":"-"})");
  t.add(R"({"status":"000","path":"/a","upstream":"127.0.0.1:8000","request_time":"5.000","header_time":"-"})");
  t.add(R"({"status":"009","path":"/a","upstream":"127.0.0.1:8000"})");
  t.add(R"({"status":"010","path":"/a","upstream":"127.0.0.1:8000"})");
  const pool p = t.take();
  CHECK(p.all.requests == 3);
  CHECK(p.all.aborted == 2);
  CHECK(p.all.errors == 1);  // waited for, as with 499
  CHECK(p.malformed == 1);
}

TEST_CASE("garbage_is_counted_and_harms_nothing") {
  traffic t = watched();
  for (const char* bad : {"", "{", "}", "not json", R"({"status":)", R"({"status":"200")", R"({"status":"abc","upstream":"x"})",
                          R"({"a":{"b":1}})", "{\"status\":\"200\",\"path\":\"\\\"}"})
    t.add(bad);
  CHECK(t.take().malformed == 9);
  std::mt19937_64 random(3);
  const std::string good = text_of({});
  for (int i = 0; i < 20'000; ++i) {
    std::string line = good;
    for (int k = 0; k < 1 + i % 5; ++k) line[random() % line.size()] = static_cast<char>(random());
    if (i % 3 == 0) line.resize(random() % line.size());
    t.add(line);
  }
  const pool p = t.take();
  CHECK(p.all.requests + p.malformed + p.local_errors <= 20'000);
}

TEST_CASE("keys_may_be_others_and_in_any_order_and_values_need_no_quotes") {
  field_keys keys;
  keys[static_cast<std::size_t>(field::status)] = "s";
  keys[static_cast<std::size_t>(field::upstream)] = "ua";
  traffic t(keys, {}, 1.0, {});
  t.add(R"({ "x" : "a\"b\\", "ua":"1.2.3.4:80" , "s":500, "y": null })");
  const pool p = t.take();
  CHECK(p.all.errors == 1);
  CHECK(p.malformed == 0);
  CHECK(std::ranges::count(t.missing(), field::agent) == 1);
}

TEST_CASE("what_nginx_passed_to_another_application_is_elsewhere_and_in_no_rate") {
  const logged admin{.status = 502, .path = "/admin/", .upstream = "127.0.0.1:9000", .upstream_status = "502", .header_time = "-"};
  const pool p = pooled_from({{200}, admin, admin, {.status = 502, .upstream = "admin", .upstream_status = "502"}});
  CHECK(p.all.requests == 1);
  CHECK(p.all.errors == 0);
  CHECK(p.elsewhere == 3);
  CHECK(p.came_in() == 4);
  CHECK(p.failing_requests.total() == 0);
  CHECK(p.errors_top.total() == 0);
}

TEST_CASE("one_attempt_at_a_slot_makes_a_request_its") {
  const pool p = pooled_from({{.status = 502, .upstream = "127.0.0.1:8000 : 127.0.0.1:9000", .upstream_status = "200 : 502"}});
  CHECK(p.all.requests == 1);
  CHECK(p.all.errors == 0);
  CHECK(p.elsewhere == 0);
}

TEST_CASE("without_slots_all_that_was_passed_on_is_traffic") {
  traffic t(recommended_keys(), {}, 1.0, {});
  t.add(text_of({.status = 502, .upstream = "127.0.0.1:9000"}));
  const pool p = t.take();
  CHECK(p.all.errors == 1);
  CHECK(p.elsewhere == 0);
}

TEST_CASE("an_upstream_that_nginx_resolves_is_the_slots_however_it_is_written") {
  traffic t(recommended_keys(), {}, 1.0, {{"blue", {"localhost:8000"}}, {"green", {"127.0.0.1:8001"}}});
  t.add(text_of({.upstream = "127.0.0.1:8000"}));
  t.add(text_of({.upstream = "[::1]:8000"}));
  t.add(text_of({.upstream = "[::1]:8000, 127.0.0.1:8000", .upstream_status = "502, 200"}));
  const pool p = t.take();
  CHECK(p.slots[0].requests == 4);
  CHECK(p.elsewhere == 0);
}

TEST_CASE("a_group_whose_servers_are_all_down_is_logged_by_its_name_and_is_its_slots_once_nginx_was_asked") {
  traffic t(recommended_keys(), {}, 1.0, {{"blue", {"127.0.0.1:8000"}}, {"green", {"127.0.0.1:8001", "127.0.0.1:8002"}}});
  const logged down{.status = 502, .upstream = "api", .upstream_status = "502", .header_time = "-", .response_time = "0.000"};
  t.add(text_of(down));
  CHECK(t.take().elsewhere == 1);
  const std::vector<slot_upstreams> slots{{"blue", {"127.0.0.1:8000"}}, {"green", {"127.0.0.1:8001", "127.0.0.1:8002"}}};
  nginx::slot_addresses known(slots);
  known.learn({{"api", {"127.0.0.1:8001", "127.0.0.1:8002"}}});
  t.goes_by(std::make_shared<const nginx::slot_addresses>(known));
  t.add(text_of(down));
  const pool p = t.take();
  CHECK(p.all.errors == 1);
  CHECK(p.slots[1].errors == 1);
}

TEST_CASE("what_nginx_answered_itself_counts_by_itself") {
  const logged own{.upstream = "", .upstream_status = "", .header_time = "", .response_time = ""};
  logged broken_login = own;
  broken_login.status = 500;
  logged moved = own;
  moved.status = 301;
  const pool p = pooled_from({{200}, broken_login, broken_login, moved});
  CHECK(p.local == 3);
  CHECK(p.local_errors == 3);
  CHECK(p.local_failures == 2);
  CHECK(p.all.requests == 1);
  CHECK(p.all.latencies.count() == 1);
}

TEST_CASE("in_a_log_without_addresses_what_was_not_passed_on_has_no_time_and_no_status_of_an_upstream") {
  traffic timed(*line_format::from_text("$status $upstream_response_time $request_time"), {}, 1.0, {{"blue", {"127.0.0.1:8000"}}});
  for (const char* text : {"503 - 0.000", "502 0.001 0.001", "499 - 3.000", "200 0.010 0.011"}) timed.add(text);
  pool p = timed.take();
  CHECK(p.local == 2);
  CHECK(p.local_failures == 1);
  CHECK(p.all.requests == 2);
  CHECK(p.all.errors == 1);
  traffic by_status(*line_format::from_text("$status $upstream_status $request_time"), {}, 1.0, {});
  for (const char* text : {"503 - 0.000", "502 502 0.001", "499 - 3.000", "200 200 0.011"}) by_status.add(text);
  p = by_status.take();
  CHECK(p.local == 1);
  CHECK(p.all.requests == 3);
}

TEST_CASE("slow_is_what_took_longer_than_the_limit_of_what_has_a_latency") {
  filter f;
  f.slow_paths = {"/events"};
  const pool p = pooled_from({{.header_time = "1.000"},
                              {.header_time = "1.001"},
                              {.status = 499, .request_time = "4.000", .upstream_status = "-", .header_time = "-", .response_time = "4.0"},
                              {.status = 101, .upstream_status = "101", .header_time = "5.0"},
                              {.path = "/events/1", .header_time = "5.0"}},
                             f);
  CHECK(p.all.slow == 2);
  CHECK(p.all.latencies.count() == 3);
  CHECK(p.slots[0].slow == 2);
  traffic patient(recommended_keys(), {}, 1.0, {}, 2.0);
  patient.add(text_of({.header_time = "1.9"}));
  CHECK(patient.take().all.slow == 0);
}

TEST_CASE("long_polls_that_their_users_leave_are_no_errors") {
  filter f;
  f.slow_paths = {"/poll"};
  const logged left{
      .status = 499, .path = "/poll/7", .request_time = "25.0", .upstream_status = "-", .header_time = "-", .response_time = "25.0"};
  const pool p = pooled_from({left, left, {.status = 502, .path = "/poll/7", .upstream_status = "502"}}, f);
  CHECK(p.all.requests == 3);
  CHECK(p.all.aborted == 2);
  CHECK(p.all.errors == 1);
  CHECK(p.slots[0].errors == 1);
  CHECK(p.hung_errors == 0);
}

TEST_CASE("a_failing_health_check_is_known_by_the_path_that_was_asked_for_whatever_an_error_page_made_of_it") {
  traffic t(*line_format::from_text("$status \"$request\" \"$uri\" $upstream_addr"), {}, 1.0, {});
  t.add(R"(502 "GET /health?deep=1 HTTP/1.1" "/50x.html" 127.0.0.1:8000)");
  CHECK(t.take().came_in() == 0);
  field_keys keys;
  keys[static_cast<std::size_t>(field::status)] = "code";
  keys[static_cast<std::size_t>(field::path)] = "asked";
  traffic in_json(keys, {}, 1.0, {});
  in_json.add(R"({"code":502,"asked":"GET /health HTTP/1.0"})");
  in_json.add(R"({"code":502,"asked":"/health?x"})");
  in_json.add(R"({"code":502,"asked":"GET /healthy HTTP/1.0"})");
  CHECK(in_json.take().all.errors == 1);
}

TEST_CASE("a_field_without_a_value_is_no_field_that_the_log_lacks") {
  // As nginx writes a 502 of an upstream that refuses, a request line that is none, and (escape=json) any variable that has no value.
  const auto bad_gateway = line_format::from_text(
      R"($msec $status "$request" "$http_user_agent" $request_time $upstream_addr $upstream_status $upstream_header_time $upstream_response_time)");
  traffic by_pattern(*bad_gateway, {}, 1.0, {});
  by_pattern.add(R"(1796000000.000 502 "-" "-" 0.000 127.0.0.1:8000 502 - 0.000)");
  CHECK(by_pattern.missing().empty());
  for (const std::string none : {"-", ""}) {
    traffic by_keys(recommended_keys(), {}, 1.0, {});
    by_keys.add(R"({"time":"1796000000.000","status":"502","path":"/","agent":"curl","request_time":"0.000","upstream":"127.0.0.1:8000",)"
                R"("upstream_status":"502","header_time":")" +
                none + R"(","response_time":"0.000"})");
    CHECK(by_keys.missing().empty());
  }
  traffic lacks(recommended_keys(), {}, 1.0, {});
  lacks.add(R"({"time":"1796000000.000","status":"502","path":"/","agent":"curl","request_time":"0.000","upstream":"127.0.0.1:8000",)"
            R"("upstream_status":"502","response_time":"0.000"})");
  CHECK(lacks.missing() == std::vector{field::header_time});
}

TEST_CASE("without_upstreams_every_request_is_traffic_and_its_own_time_the_latency") {
  traffic t(*line_format::from_text("$status $request_time \"$http_user_agent\""), {}, 1.0, {});
  for (const char* text : {R"(200 0.100 "curl")", R"(502 0.200 "curl")", R"(499 5.000 "curl")", R"(200 9.000 "flipback/0.1.0")"})
    t.add(text);
  const pool p = t.take();
  CHECK(p.all.requests == 3);
  CHECK(p.all.errors == 1);  // nothing tells whether the 499 had had a header
  CHECK(p.all.aborted == 1);
  CHECK(p.local_errors == 0);
  CHECK(*p.all.latencies.quantile(0.5) == doctest::Approx(0.2).epsilon(0.011));
}

TEST_CASE("who_hung_up_without_a_header_is_known_by_the_status_where_the_log_has_no_header_time") {
  traffic t(*line_format::from_text("$status|$upstream_addr|$upstream_status|$request_time"), {}, 1.0, {{"blue", {"1.2.3.4:5"}}});
  for (const char* text : {"499|1.2.3.4:5|-|5.000", "499|1.2.3.4:5|200|5.000", "499|1.2.3.4:5|-|0.500"}) t.add(text);
  const pool p = t.take();
  CHECK(p.all.aborted == 3);
  CHECK(p.all.errors == 1);
  CHECK(p.slots[0].errors == 1);
  CHECK(p.slots[0].latencies.count() == 0);
}

TEST_CASE("what_a_format_lacks_can_not_be_told") {
  const abilities combined(*line_format::from_text("combined"));
  CHECK((combined.time && !combined.slots && !combined.local && !combined.latency));
  const abilities bare(*line_format::from_text("$status $upstream_addr"));
  CHECK((bare.slots && bare.local && !bare.attempts && !bare.latency && !bare.time));
  const abilities timed(*line_format::from_text("$status $upstream_response_time"));
  CHECK((!timed.slots && timed.local && !timed.attempt_times && !timed.latency));
  const abilities all(recommended_keys());
  CHECK((all.time && all.slots && all.local && all.attempts && all.header_times && all.attempt_times && all.latency));
}

TEST_CASE("a_client_is_an_address_and_in_ipv6_its_network") {
  CHECK(client_of("10.0.0.7") == "10.0.0.7");
  CHECK(client_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(client_of("2001:db8:1:2::9") == "2001:db8:1:2::/64");
  CHECK(client_of("2001:db8:1:3::9") == "2001:db8:1:3::/64");
  CHECK(client_of("::1") == "::/64");
  CHECK(client_of("::ffff:10.0.0.7") == "10.0.0.7");
  CHECK(client_of("unix:") == "unix:");
  CHECK(client_of("") == "");
}

TEST_CASE("whose_the_requests_are_is_counted_whether_they_are_errors_or_not") {
  traffic t = watched();
  for (const logged& l : {logged{200}, logged{200}, logged{500}, logged{.agent = "flipback/1"}}) t.add(text_of(l));
  const pool p = t.take();
  CHECK(p.clients.largest(2) == std::vector<std::pair<std::string, std::uint64_t>>{{"::/64", 3}});
  CHECK(p.failing_clients.largest(2) == std::vector<std::pair<std::string, std::uint64_t>>{{"::/64", 1}});
}
