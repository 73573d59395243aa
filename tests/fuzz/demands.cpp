#include "flipback/one_line.hpp"

#include "agent/serve/verbs.hpp"
#include "agent/serve/wire.hpp"
#include "tests/agent/agent_at_rest.hpp"
#include "tests/fuzz/spoken.hpp"

#include <boost/json/parse.hpp>

#include <string>

// A line on the control socket, put to an agent that has a probe and a rule and nothing to act on: no verb can change anything. Whatever it
// is: the answer is one line, which reads back the same, and nothing in it could act on a terminal.

using namespace flipback;
using fuzz::hold;

namespace {

serve::reply answer_to(const serve::demand& asked) {
  static test::agent_at_rest agent;
  return agent.now(serve::answer_to(*agent.of, {}, asked));
}

/// No terminal obeys anything in it.
bool is_fit_to_print(const std::string& text) {
  return whole_lines(text) == text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto asked = serve::demand_in(std::string(reinterpret_cast<const char*>(data), size));
  if (!asked) return 0;
  const auto again = serve::demand_in(serve::line_of(*asked));
  hold(again && again->verb == asked->verb && again->values == asked->values && again->by == asked->by);
  if (const auto mistake = serve::wrong_with(*asked)) hold(!mistake->empty());
  const auto length = serve::hold_length(*asked);
  hold(length ? *length > duration{} && *length <= std::chrono::days(7) : !length.error().empty());

  const serve::reply answer = answer_to(*asked);
  hold(is_fit_to_print(answer.text) && answer.text.ends_with('\n'));
  const bool tells_in_json = asked->verb == "status" || asked->verb == "rules" || asked->verb == "explain";
  if (answer.done && tells_in_json && asked->values.contains("json")) {
    boost::system::error_code error;
    (void)boost::json::parse(answer.text, error);
    hold(!error);
  }
  const std::string line = serve::line_of(answer);
  const auto heard = serve::reply_in(line);
  hold(line.find('\n') == line.size() - 1 && heard && heard->done == answer.done && heard->text == answer.text &&
       heard->wrong == answer.wrong);
  (void)serve::reply_in(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
