#include "rules/replay/record.hpp"

#include "rules/replay/player.hpp"

#include <boost/crc.hpp>

#include <cstdlib>
#include <string>

// An input is a frame's payload: its size and its checksum are put around it, or the fuzzer would never come past them. Whatever it holds:
// nothing is read past its end, what was read is written and read again the same, and the rules stay upright.

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::replay;

namespace {

void hold(bool condition) {
  if (!condition) std::abort();
}

std::string file_of(std::string_view payload) {
  byte_writer size;
  size.number(payload.size());
  boost::crc_32_type sum;
  sum.process_bytes(payload.data(), payload.size());
  std::string made = std::string(magic) + size.bytes();
  made.append(payload);
  for (unsigned shift = 0; shift < 32; shift += 8) made.push_back(static_cast<char>(sum.checksum() >> shift & 0xFFU));
  return made;
}

std::string written(const std::vector<entry>& entries) {
  record_writer made;
  for (const entry& e : entries) made.write(e);
  return made.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string file = file_of({reinterpret_cast<const char*>(data), size});
  record_reader reader(file);
  const auto entries = reader.next();
  if (!entries || entries->empty()) return 0;
  const std::string once = std::string(magic) + written(*entries);
  record_reader again(once);
  const auto same = again.next();
  hold(same.has_value() && std::string(magic) + written(*same) == once);
  settings::diagnostics problems;
  player playing({}, problems);
  for (const entry& e : *entries) playing.take(e, [](const change&) {});
  playing.end([](const change&) {});
  return 0;
}
