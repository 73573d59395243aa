#include "agent/cli/init.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/one_line.hpp"

#include "agent/init/look.hpp"
#include "agent/init/output_file.hpp"
#include "agent/init/settle.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

namespace flipback::cli {

namespace {

constexpr int can_not_write = 2;

int complain(const std::string& why) {
  fmt::print(stderr, "flipback: {}\n", one_line(why));
  return can_not_write;
}

std::string says_written(const std::string& output) {
  return fmt::format("{} is written; type `{}`, then `{}`", output, as_typed(std::array<std::string, 3>{"flipback", "validate", output}),
                     as_typed(std::array<std::string, 4>{"flipback", "--check", "--config", output}));
}

}  // namespace

int init(const std::string& output) {
  // First, so that nobody looks for nothing. It is made last: a look that is broken off leaves nothing behind.
  if (const std::string why = output.empty() ? "" : init::obstacle_to_write(output); !why.empty()) return complain(why);
  init::draft made = init::drafted(init::look(init::usual_places()));
  init::settle(made);
  const std::string text = init::text_of(made);
  const std::string why = output.empty() ? init::write_to_standard_output(text) : init::write_new_file(output, text);
  if (!why.empty()) return complain(why);
  for (const std::string& what : made.untold) fmt::print(stderr, "not told: {}\n", one_line(what));
  if (!output.empty()) fmt::print(stderr, "{}\n", one_line(says_written(output)));
  return 0;
}

}  // namespace flipback::cli
