#include "agent/serve/typed_here.hpp"

#include <doctest/doctest.h>

using flipback::serve::typed_here;

TEST_CASE("what_is_to_be_typed_reaches_this_agent") {
  const std::string says = "held; `flipback unhold` frees it, `flipback rollback --reason TEXT` does it all the same; flipback is a word";
  CHECK(typed_here(says, "") == says);
  CHECK(typed_here(says, "/run/flipback/flipback.sock") == says);
  CHECK(typed_here(says, "/tmp/s") ==
        "held; `flipback --socket /tmp/s unhold` frees it, `flipback --socket /tmp/s rollback --reason TEXT` does it all the same; "
        "flipback is a "
        "word");
  CHECK(typed_here("`flipback status`", "/tmp/my s") == "`flipback --socket '/tmp/my s' status`");
  CHECK(typed_here("`flipback status`", "/tmp/\"s") == "`flipback status`");
}
