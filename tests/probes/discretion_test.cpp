#include "flipback/discretion.hpp"

#include "flipback/base64.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace flipback;

TEST_CASE("a_secret_is_taken_out_however_it_is_written") {
  discretion hides;
  hides.keep(secret("pa/ss \"wörd\"&x!"));
  for (const char* text :
       {"said pa/ss \"wörd\"&x!.", "said pa%2Fss%20%22w%C3%B6rd%22%26x%21.", "said pa%2fss%20%22w%c3%b6rd%22%26x!.",
        "said pa/ss+%22w%C3%B6rd%22%26x%21.", "said pa%252Fss%2520%2522w%25C3%25B6rd%2522%2526x%2521.", "said pa/ss \\\"wörd\\\"&x!.",
        "said pa\\/ss \\u0022w\\u00f6rd\\u0022\\u0026x!.", "said pa/ss &quot;wörd&quot;&amp;x!.", "said pa&#x2F;ss &#34;wörd&#34;&amp;x!.",
        "said pa=2Fss=20=22w=C3=B6rd=22&x!.", "said pa\\x2fss \\042w\\xc3\\xb6rd\\x22&x!.",
        "said p\u200da/\u200bss \"w\u00adörd\ufeff\"&x!.", "said 70612f7373202277c3b6726422267821.",
        "said 70612F7373202277C3B6726422267821."}) {
    CAPTURE(text);
    CHECK(hides.without(text) == "said ***.");
  }
}

TEST_CASE("a_secret_is_taken_out_of_base64_wherever_in_it_it_stands") {
  discretion hides;
  hides.keep(secret("something-secret"));
  for (const char* before : {"", "a", "ab", "abc", "reader:"}) {
    CAPTURE(before);
    const std::string text = to_base64(std::string(before) + "something-secret" + "!");
    const std::string left = hides.without("Basic " + text + ".");
    CHECK(left.contains("***"));
    CHECK(left.size() < std::string("Basic ").size() + 22);  // at most what stands before it, and some digits at each end
  }
}

TEST_CASE("a_secret_that_looks_encoded_itself_is_taken_out_of_what_was_encoded") {
  const std::array all{secret("Zk3+pQ9/aLm2Xw=="), secret("50%41ff/x"), secret("you&amp;/me")};
  const discretion hides(all);
  for (const char* text :
       {"is Zk3+pQ9/aLm2Xw==.", "is Zk3+pQ9\\/aLm2Xw==.", "is \\u005ak3+pQ9/aLm2Xw==.", "is Zk3%2BpQ9%2FaLm2Xw%3D%3D.", "is 50%41ff/x.",
        "is 50%41ff\\/x.", "is 50%2541ff%2Fx.", "is you&amp;/me.", "is you&amp;amp;/me.", "is you&amp;\\/me."}) {
    CAPTURE(text);
    CHECK(hides.without(text) == "is ***.");
  }
}

TEST_CASE("a_secret_in_base64_of_base64_is_taken_out") {
  discretion hides;
  hides.keep(secret("something-secret"));
  for (const char* before : {"", "a", "ab"}) {
    for (const char* around : {"", "x", "yz"}) {
      const std::string text = to_base64(around + to_base64(std::string(before) + "something-secret" + "!") + "?");
      CAPTURE(text);
      CHECK(hides.without(text).contains("***"));
    }
  }
}

TEST_CASE("secrets_that_overlap_leave_nothing_of_each_other") {
  const std::array both{secret("hunter2"), secret("hunter2-and-more"), secret("more-of-it")};
  CHECK(discretion(both).without("hunter2-and-more, hunter2") == "***, ***");
  CHECK(discretion(both).without("say hunter2-and-more-of-it.") == "say ***.");
}

TEST_CASE("what_is_left_of_a_secret_where_a_text_was_cut_is_taken_out_too") {
  const std::array one{secret("something-secret")};
  const discretion hides(one);
  CHECK(hides.without("it said somethin…, and more") == "it said ***…, and more");
  CHECK(hides.without("it said so…") == "it said so…");  // as much of it as any word
  CHECK(hides.without("some…, some…") == "***…, ***…");
  const std::string ways[] = {"%73%6f%6d%65%74%68%69", "\\u0073\\u006f\\u006d\\u0065\\u0074", "&#115;&#111;&#109;&#101;&#116;",
                              "%2573%256f%256d%2565%2574"};
  for (const std::string& way : ways) {
    for (std::size_t size = way.size(); size > way.size() - 6; --size) {
      CAPTURE(way.substr(0, size));
      CHECK(hides.without("is " + way.substr(0, size) + "…") == "is ***…");
    }
  }
}

TEST_CASE("what_is_too_short_to_be_a_secret_mangles_no_sentence") {
  discretion hides;
  hides.keep(secret("a"));
  hides.keep(secret(""));
  CHECK(hides.empty());
  CHECK(hides.without("a banana 100% \\u12 &#; &# %2") == "a banana 100% \\u12 &#; &# %2");
}
