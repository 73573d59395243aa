#include "agent/init/settle.hpp"

#include "flipback/descriptor.hpp"
#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include "agent/config/validate.hpp"
#include "agent/init/service_user.hpp"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace flipback::init {

namespace {

/// What is wrong with a text, without the place of it, which the reader of the file would not find; empty: nothing.
std::string wrong_with(const std::string& text) {
  if (const std::size_t at = first_malformed(text); at < text.size()) {
    constexpr std::string_view line_ends = "\n";
    const std::size_t begin = text.find_last_of(line_ends, at) + 1;
    return fmt::format("what {} says is no UTF-8, and can stand in no configuration: give it another name",
                       one_line(text.substr(begin, text.find_first_of(line_ends, at) - begin)));
  }
  const descriptor file(::memfd_create("flipback.toml", MFD_CLOEXEC));
  if (file.get() < 0 || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::system_error(errno, std::system_category(), "can't hold the configuration in memory");
  settings::diagnostics problems;
  config::validate(fmt::format("/proc/self/fd/{}", file.get()), {config::process_environment()}, problems);
  return problems.clean() ? std::string() : problems.sorted().front().says;
}

}  // namespace

void settle(draft& of) {
  draft settled;
  for (passage& p : of.passages) {
    settled.passages.push_back(p);
    if (!p.why_off.empty()) continue;
    p.why_off = wrong_with(text_of(settled));
    if (!p.why_off.empty()) of.untold.push_back(p.why_off);
    settled.passages.back() = p;
  }
  for (std::string& why : kept_from_service(of.reads)) of.untold.push_back(std::move(why));
}

}  // namespace flipback::init
