#include "flipback/descriptor.hpp"

#include "agent/privileged/serve.hpp"
#include "agent/rollback/helper_words.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// An input is what somebody says to the helper that has root's rights, in at most two parts, and hangs up. Whatever it is: it is answered
// in one line, nothing is read past its end, an order that is taken reads back the same, and so does an answer.

using namespace flipback;
using namespace flipback::rollback;

namespace {

void hold(bool condition) {
  if (!condition) std::abort();
}

void over_a_socket(std::string_view bytes) {
  std::array<int, 2> ends{};
  hold(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const descriptor ours(ends[0]);
  for (const std::string_view part : {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)})
    static_cast<void>(::send(ours.get(), part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  ::shutdown(ours.get(), SHUT_WR);
  static std::FILE* const log = std::fopen("/dev/null", "w");
  // There are no settings: nothing is ever carried out.
  privileged::serve(descriptor(ends[1]),
                    {.settings = "/nowhere/helper.toml", .state = "/nowhere", .patience = std::chrono::seconds(1), .log = log});
  std::array<char, longest_answer + 1> answer{};
  const ssize_t size = ::recv(ours.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  hold(size > 1 && static_cast<std::size_t>(size) <= longest_answer);
  const std::string_view line(answer.data(), static_cast<std::size_t>(size));
  hold(line.find('\n') == line.size() - 1);
  hold(done_in(line.substr(0, line.size() - 1)).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto read = order_in(bytes)) {
    hold(to_text(*read) == bytes);
    hold(read->slot.find_first_of("/. \n") == std::string::npos);
  } else {
    hold(!read.error().empty());
  }
  if (const auto answered = done_in(bytes)) {
    const std::string text = to_text(*answered);
    hold(text.size() < longest_answer && text.find('\n') == std::string::npos && done_in(text).has_value());
  }
  over_a_socket(bytes);
  return 0;
}
