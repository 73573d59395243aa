#include "../a_letter.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace flipback;
using namespace flipback::notify;
using texts = std::vector<std::string>;

namespace {

attempt ran(const std::string& script) {
  return receiver({}).deliver("command", "command = [\"sh\", \"-c\", '''" + script + "''']", an_incident());
}

}  // namespace

TEST_CASE("a_command_reads_the_letter_as_json_on_its_standard_input") {
  const std::string file = std::filesystem::temp_directory_path() / ("flipback-letter-" + std::to_string(::getpid()));
  CHECK(ran("cat > " + file).is == attempt::result::delivered);
  std::stringstream read;
  read << std::ifstream(file).rdbuf();
  std::filesystem::remove(file);
  boost::json::object got = boost::json::parse(read.str()).as_object();
  CHECK(got.at("text") == boost::json::value(as_text(an_incident())));
  got.erase("text");
  CHECK(letter_in(got) == an_incident());
}

TEST_CASE("a_commands_exit_status_says_what_becomes_of_the_letter") {
  using enum attempt::result;
  CHECK(ran("exit 0").is == delivered);
  CHECK(ran("exit 75").is == not_yet);
  const attempt no = ran("echo no such team; exit 1");
  CHECK(no.is == refused);
  CHECK(no.says == "sh ended with status 1; it says \"no such team\"");
  const attempt none = receiver({}).deliver("command", "command = [\"/no/such/program\"]", an_incident());
  CHECK(none.is == not_yet);
  CHECK(none.says == "can't start /no/such/program: No such file or directory");
}

TEST_CASE("a_command_that_does_not_end_is_ended_and_may_be_run_again") {
  const attempt hung = ran("sleep 60");
  CHECK(hung.is == attempt::result::not_yet);
  CHECK(hung.says == "sh had not ended in time, and was ended");
}

TEST_CASE("a_command_is_an_array_of_words") {
  CHECK(problems("command", "") ==
        texts{R"x(1:1: notify.x.command: is missing, expected an array such as ["/usr/local/bin/page", "--team", "ops"])x"});
  CHECK(problems("command", "command = \"page\"").size() == 1);
}
