#include "agent/rollback/helper_words.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback::rollback;

namespace {

const std::string hash = hash_of({.is = file_image::kind::regular, .bytes = "one\n", .target = {}});
const std::string other = hash_of({.is = file_image::kind::link, .bytes = {}, .target = "../blue"});

}  // namespace

TEST_CASE("an_order_reads_back_as_it_was_written") {
  for (const order& o :
       {order{.is = order::verb::test}, order{.is = order::verb::restore}, order{.is = order::verb::reload},
        order{.is = order::verb::install, .slot = "green"}, order{.is = order::verb::could, .slot = "green", .changes = {{hash, other}}},
        order{.is = order::verb::install, .slot = "b_1-A", .changes = {{hash, other}, {"absent", hash}}}}) {
    CAPTURE(to_text(o));
    const auto read = order_in(to_text(o));
    REQUIRE(read.has_value());
    CHECK(*read == o);
  }
}

TEST_CASE("what_is_no_order_is_refused_and_not_repeated") {
  const std::string upper = "E" + hash.substr(1);
  for (const std::string& line : {std::string(),
                                  std::string("TEST"),
                                  std::string("test "),
                                  std::string(" test"),
                                  std::string("test it"),
                                  std::string("restore /etc/x"),
                                  std::string("reload\r"),
                                  std::string("install"),
                                  std::string("install "),
                                  std::string("install ../green"),
                                  std::string("install gr een x"),
                                  "install green " + hash,
                                  "install green " + hash + " " + hash.substr(1),
                                  "install green " + hash + " " + hash + "0",
                                  "install green " + hash + " " + upper,
                                  "install green  " + hash + " " + hash,
                                  "install green " + hash + " " + hash + " ",
                                  "install " + std::string(65, 'g'),
                                  std::string("install green\0 x", 16),
                                  std::string(longest_order, 't')}) {
    CAPTURE(line);
    const auto read = order_in(line);
    REQUIRE(!read.has_value());
    CHECK(!read.error().contains("etc"));
    CHECK(!read.error().contains("green"));
  }
}

TEST_CASE("an_answer_reads_back_and_everything_else_is_none") {
  for (const done& d : {done{answer::yes, {}}, done{answer::no, "nginx -t exited 1"}, done{answer::cant_tell, "it hung"}}) {
    const auto read = done_in(to_text(d));
    REQUIRE(read.has_value());
    CHECK(read->is == d.is);
    CHECK(read->says == d.says);
  }
  for (const char* line : {"", "yes ", "yes: so", "no", "no:", "maybe", "can't tell", " yes", "YES"}) CHECK(!done_in(line).has_value());
}

TEST_CASE("an_answer_is_one_line_however_long_and_strange_its_sentence") {
  CHECK(to_text(done{answer::no, "one\ntwo\x1b[2J"}) == "no: one\\ntwo\\x1b[2J");
  CHECK(to_text(done{answer::no, std::string(100'000, '\x01')}).size() < longest_answer);
  CHECK(done_in(to_text(done{answer::cant_tell, std::string(100'000, 'x')})).has_value());
}

TEST_CASE("a_hash_is_of_what_nginx_reads") {
  CHECK(hash_of({.is = file_image::kind::regular, .bytes = "", .target = {}}) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of({}) == "absent");
  CHECK(hash != other);
  const std::vector<change> changes{
      file_change{.path = "/live", .before = {}, .after = {.is = file_image::kind::link, .bytes = {}, .target = "../blue"}},
      command_change{"blue", "green"}};
  CHECK(hashed(changes) == std::vector<hashed_change>{{"absent", other}});
}
