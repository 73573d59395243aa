#include "agent/config/configuration.hpp"
#include "agent/config/environment.hpp"
#include "agent/deployment/facts.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "probes/access_log/line_format.hpp"
#include "probes/jwks/key_set.hpp"
#include "probes/neo4j/packstream.hpp"
#include "probes/redis/replies.hpp"
#include "probes/s3/xml.hpp"
#include "tests/fuzz/spoken.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

// An input's first byte says who reads the rest. Whatever it holds: nothing is read past its end, what is refused is refused in words, and
// what is read can be read again.

using namespace flipback;
using fuzz::hold;

namespace {

void bolt_message(std::string_view bytes) {
  const auto read = neo4j::unpacked(bytes);
  if (!read) return hold(!read.error().empty());
  const std::string packed = neo4j::packed(*read);
  const auto again = neo4j::unpacked(packed);
  hold(again.has_value() && again->tag == read->tag && neo4j::packed(*again) == packed);  // by its bytes: NaN is not equal to itself
}

void xml_document(std::string_view bytes) {
  const auto read = s3::parse_xml(bytes);
  hold(read ? !read->name.empty() : !read.error().says.empty());
}

void key_set(std::string_view bytes) {
  const auto read = jwks::parse(net::parse_json(bytes));
  if (!read) return hold(!read.error().empty());
  hold(read->signing() <= read->keys.size());
}

/// A format in the first line, and lines that are to be in it.
void log_lines(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  auto format = access_log::line_format::from_text(bytes.substr(0, end));
  if (!format) return hold(!format.error().empty());
  access_log::line into;
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  while (!bytes.empty()) {
    const std::size_t line = std::min(bytes.find('\n'), bytes.size());
    (void)format->read(bytes.substr(0, line), into);
    (void)into.number(access_log::field::status);
    (void)into.time();
    bytes.remove_prefix(std::min(line + 1, bytes.size()));
  }
}

void nginx_configuration(std::string_view bytes) {
  const auto read = rollback::configuration_in(bytes, "/usr/share/nginx");
  for (const upstream_group& group : rollback::groups_of(read)) hold(!group.name.empty() || !group.is_block);
}

/// What is read from a file; its path.
std::string file_of(std::string_view bytes) {
  static const int fd = ::memfd_create("input", MFD_CLOEXEC);
  hold(fd >= 0 && ::ftruncate(fd, 0) == 0 && ::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return "/proc/self/fd/" + std::to_string(fd);
}

void env_file(std::string_view bytes) {
  settings::diagnostics problems;
  const config::variables read = config::read_env_files({{file_of(bytes), {}}}, {}, problems);
  hold(problems.clean());
  for (const auto& [name, value] : read.set) hold(config::is_variable_name(name) && !read.unread.contains(name));
}

void configuration(std::string_view bytes) {
  settings::diagnostics problems;
  (void)config::load(file_of(bytes), {}, problems);
  for (const settings::problem& p : problems.sorted()) hold(!p.says.empty());
}

/// The four facts, a form feed between them.
void facts(std::string_view bytes) {
  deployment::terms by;
  by.slots = {"blue", "green"};
  std::array<deployment::found_text, 4> each;
  for (deployment::found_text& one : each) {
    const std::size_t end = std::min(bytes.find('\f'), bytes.size());
    one = std::optional(std::string(bytes.substr(0, end)));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  deployment::clocks now{"a boot", {instant(std::chrono::hours(1000)), wall_time(std::chrono::hours(500000))}};
  (void)deployment::recall({each[0], each[1], each[2], each[3]}, by, now);
}

void redis_replies(std::string_view bytes) {
  asio::io_context loop(1);
  const auto hear_all = [](std::string_view all) -> asio::awaitable<void> {
    fuzz::spoken from(all, 7);
    redis::conversation with(from);
    for (auto heard = co_await with.next(); heard; heard = co_await with.next()) hold(heard->elements.size() <= 64UL * 1024);
  };
  asio::co_spawn(loop, hear_all(bytes), asio::detached);
  loop.run();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'b':
      bolt_message(rest);
      break;
    case 'e':
      env_file(rest);
      break;
    case 'f':
      facts(rest);
      break;
    case 'k':
      key_set(rest);
      break;
    case 'l':
      log_lines(rest);
      break;
    case 'n':
      nginx_configuration(rest);
      break;
    case 'r':
      redis_replies(rest);
      break;
    case 't':
      configuration(rest);
      break;
    case 'x':
      xml_document(rest);
      break;
    default:
      return -1;  // no part of the corpus
  }
  return 0;
}
