#include "flipback/discretion.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace flipback;

TEST_CASE("a_secret_is_taken_out_in_each_form_in_which_it_may_be_repeated") {
  discretion hides;
  hides.keep(secret("pa/ss \"wörd\""));
  for (const char* text : {"said pa/ss \"wörd\".", "said pa%2Fss%20%22w%C3%B6rd%22.", "said pa%2fss%20%22w%c3%b6rd%22.",
                           "said pa/ss \\\"wörd\\\"."}) {
    CAPTURE(text);
    CHECK(hides.without(text) == "said ***.");
  }
  CHECK_FALSE(hides.without("Basic cGEvc3MgIndvZXJkIg").contains("cGEvc3Mg\"") );
  discretion other;
  other.keep(secret("something-secret"));
  CHECK(other.without("Authorization: c29tZXRoaW5nLXNlY3JldA==") == "Authorization: ***dA==");
}

TEST_CASE("the_longest_secret_is_taken_out_first") {
  const std::array both{secret("hunter2"), secret("hunter2-and-more")};
  CHECK(discretion(both).without("hunter2-and-more, hunter2") == "***, ***");
}

TEST_CASE("what_is_left_of_a_secret_where_a_text_was_cut_is_taken_out_too") {
  const std::array one{secret("something-secret")};
  const discretion hides(one);
  CHECK(hides.without("it said somethin…, and more") == "it said ***…, and more");
  CHECK(hides.without("it said so…") == "it said so…");  // as much of it as any word
  CHECK(hides.without("some…, some…") == "***…, ***…");
}

TEST_CASE("what_is_too_short_to_be_a_secret_mangles_no_sentence") {
  discretion hides;
  hides.keep(secret("a"));
  hides.keep(secret(""));
  CHECK(hides.empty());
  CHECK(hides.without("a banana") == "a banana");
}
