#include "probes/postgres/clear_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flipback::postgres;
using namespace std::string_literals;
using kind = greeting::kind;

TEST_CASE("a_request_for_a_password_as_it_stands_is_seen_wherever_it_comes") {
  const std::string in_clear = "R\0\0\0\x08\0\0\0\x03"s;
  const std::string md5 = "R\0\0\0\x0c\0\0\0\x05salt"s;
  const std::string sasl = "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"s;
  const std::string let_in = "R\0\0\0\x08\0\0\0\0"s;
  const std::string version = "v\0\0\0\x0c\0\0\0\0\0\0\0\0"s;
  struct row {
    std::string bytes;
    kind is;
    std::size_t needed = 0;
  };
  const row rows[] = {
      {"", kind::harmless},
      {in_clear, kind::asks_in_clear},
      {md5, kind::harmless},
      {sasl, kind::harmless},
      {let_in, kind::harmless},
      {"E\0\0\0\x08zzzz"s, kind::harmless},
      {sasl + in_clear, kind::asks_in_clear},
      {version + in_clear, kind::asks_in_clear},
      {"N\0\0\0\x08zzzz"s + in_clear, kind::asks_in_clear},
      {let_in + in_clear, kind::harmless},  // libpq takes that for a mistake
      {let_in + "S\0"s, kind::harmless},
      {sasl + "R"s, kind::incomplete, sasl.size() + 9},
      {sasl.substr(0, 12), kind::incomplete, sasl.size()},
      {"R\0\0\0\x04"s, kind::odd},
      {"R\x7f\0\0\x08\0\0\0\x05"s, kind::odd},
      {"HTTP/1.1 400"s, kind::odd},
  };
  for (const row& r : rows) {
    CAPTURE(r.bytes);
    const greeting found = look_at(r.bytes);
    CHECK(found.is == r.is);
    CHECK(found.needed == r.needed);
  }
}
