#include "agent/cli/command_line.hpp"
#include "packaging/pages/pages.hpp"

#include <fmt/format.h>

#include <string_view>

/// flipback_pages man|bash: prints the page.
int main(int argc, char** argv) {
  const flipback::cli::command_line typed;
  const std::string_view which = argc == 2 ? argv[1] : "";
  if (which != "man" && which != "bash") {
    fmt::print(stderr, "flipback_pages: expected man or bash\n");
    return 2;
  }
  fmt::print("{}", which == "man" ? flipback::pages::man(typed.app) : flipback::pages::bash(typed.app));
}
