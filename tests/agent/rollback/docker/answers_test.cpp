#include "agent/rollback/docker/answers.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::rollback;

namespace {

net::http_answer answer_of(std::string body, unsigned status = 200) {
  net::http_answer made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

std::string frame(char stream, const std::string& text) {
  std::string head(8, '\0');
  head[0] = stream;
  head[6] = static_cast<char>(text.size() >> 8U);
  head[7] = static_cast<char>(text.size());
  return head + text;
}

// As Engine 20.10 gave it.
constexpr const char* top = R"({"Processes":[
["root","16176","16157","0","02:37","?","00:00:00","nginx: master process /usr/sbin/nginx -g daemon off;"],
["www-data","16205","16176","0","02:37","?","00:00:00","nginx: worker process"],
["www-data","16206","16176","0","02:37","?","00:00:00","nginx: worker process is shutting down"],
["www-data","16207","16176","0","02:37","?","00:00:00","nginx: cache manager process"],
["root","16300","16280","0","02:38","?","00:00:00","nginx: worker process"]],
"Titles":["UID","PID","PPID","C","STIME","TTY","TIME","CMD"]})";

}  // namespace

TEST_CASE("the_lower_version_of_the_api_is_spoken") {
  struct row {
    const char* theirs;
    const char* spoken;
  };
  for (const row& r : {row{"1.41", "1.41"}, {"1.24", "1.24"}, {"1.9", "1.9"}, {"1.44", "1.44"}, {"1.52", "1.44"}}) {
    net::http_answer ping = answer_of("OK");
    ping.headers.emplace_back("api-version", r.theirs);
    CHECK(docker::version_for_both(ping) == r.spoken);
  }
}

TEST_CASE("what_is_no_docker_engine_is_said") {
  CHECK(docker::version_for_both(answer_of("OK")).error().contains("no Docker Engine"));
  CHECK(docker::version_for_both(answer_of("no", 403)).error() == "answered 403");
  net::http_answer ping = answer_of("OK");
  ping.headers.emplace_back("Api-Version", "2.0");
  CHECK(docker::version_for_both(ping).error().contains("2.0"));
}

TEST_CASE("workers_are_the_masters_children_that_call_themselves_so") {
  const auto all = docker::processes_in(answer_of(top));
  REQUIRE(all);
  const auto seen = docker::workers_among(*all, 16176);
  REQUIRE(seen);
  CHECK(seen->accepting == std::set<pid_t>{16205});
  CHECK(seen->leaving == std::set<pid_t>{16206});
  CHECK_FALSE(docker::workers_among(*all, 16205));
  CHECK_FALSE(docker::workers_among(*all, 1));
}

TEST_CASE("processes_that_can_not_be_read_are_an_error") {
  for (const char* body :
       {"", "[]", "{}", R"({"Titles":["PID"],"Processes":[]})", R"({"Titles":["PID","PPID","CMD"],"Processes":[["1","2"]]})",
        R"({"Titles":["PID","PPID","CMD"],"Processes":[["1x","2","nginx"]]})", R"({"Titles":["PID","PPID","CMD"],"Processes":[[1,2,3]]})",
        R"({"Titles":["PID","PPID","CMD"],"Processes":[7]})"}) {
    CAPTURE(body);
    CHECK_FALSE(docker::processes_in(answer_of(body)));
  }
  CHECK(docker::processes_in(answer_of(R"({"message":"no ps here"})", 500)).error() == "answered 500: no ps here");
}

TEST_CASE("a_container_is_known_by_an_id_that_fits_into_a_path") {
  const auto good = docker::container_in(answer_of(
      R"({"Id":"ab12","Name":"/web","State":{"Status":"running","Pid":7},"Config":{"Labels":{"com.docker.compose.project":"p","com.docker.compose.service":"s"}}})"));
  REQUIRE(good);
  CHECK(good->id == "ab12");
  CHECK(good->name == "web");
  CHECK(good->pid == 7);
  CHECK(good->project == "p");
  CHECK(good->service == "s");
  CHECK_FALSE(docker::container_in(answer_of(R"({"Id":"ab/../..","Name":"/web"})")));
  CHECK_FALSE(docker::container_in(answer_of(R"({"Name":"/web"})")));
  CHECK(docker::container_in(answer_of(R"({"Id":"ab","State":{"Pid":1e300}})"))->pid == 0);
}

TEST_CASE("output_is_taken_out_of_its_frames") {
  CHECK(docker::output_in(frame(1, "one\n") + frame(2, "") + frame(2, std::string(700, 'x'))) == "one\n" + std::string(700, 'x'));
  CHECK(docker::output_in("") == "");
}

TEST_CASE("frames_that_are_none_or_cut_short_are_an_error") {
  const std::string whole = frame(1, "nginx: ok");
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) CHECK_FALSE(docker::output_in(whole.substr(0, bytes)));
  CHECK_FALSE(docker::output_in("nginx: the configuration file is ok"));
  CHECK_FALSE(docker::output_in(frame(3, "x")));
  CHECK_FALSE(docker::output_in(std::string("\1\0\0\0\xff\xff\xff\xff", 8)));
}

TEST_CASE("a_status_is_known_once_the_command_has_ended") {
  const auto status = [](const char* body) { return docker::status_in(answer_of(body)).value(); };
  CHECK(status(R"({"Running":false,"ExitCode":1})") == 1);
  CHECK_FALSE(status(R"({"Running":true,"ExitCode":null})"));
  CHECK_FALSE(status(R"({"Running":true,"ExitCode":0})"));
  CHECK_FALSE(status(R"({"Running":false,"ExitCode":null})"));
  CHECK_FALSE(docker::status_in(answer_of(R"({"ExitCode":0})")));
  for (const char* lost : {"-1", "0.4", "256", "1e300"})
    CHECK_FALSE(docker::status_in(answer_of(fmt::format(R"({{"Running":false,"ExitCode":{}}})", lost))));
}

TEST_CASE("the_containers_of_a_service_are_those_that_serve") {
  const auto names = docker::names_in(answer_of(R"([{"Names":["/shop_nginx_1"],"Labels":{"com.docker.compose.oneoff":"False"}},
    {"Names":["/shop_nginx_run_2"],"Labels":{"com.docker.compose.oneoff":"True"}},{"Names":[""]},{"Names":[]}])"));
  CHECK(names.value() == std::vector<std::string>{"shop_nginx_1", "", "?"});
}
