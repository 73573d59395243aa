#include "probes/postgres/address.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;

namespace {

std::string read(std::string_view text) {
  const auto made = postgres::parse_address(text);
  if (!made) return made.error();
  std::string all = fmt::format("{}|{}|{}|", made->user, made->password.reveal(), made->database);
  for (const postgres::server& s : made->servers) all += fmt::format("{}:{} ", s.host, s.port);
  for (const auto& [name, value] : made->parameters) all += fmt::format("{}={} ", name, value);
  return all;
}

}  // namespace

TEST_CASE("an_address_of_a_database_is_read_as_libpq_and_frameworks_write_it") {
  struct row {
    std::string_view text;
    std::string_view made;
  };
  constexpr row rows[] = {
      {"postgresql://db", "|||db:5432 "},
      {"postgres://api:hunter2@db:5433/estate", "api|hunter2|estate|db:5433 "},
      {"postgresql+asyncpg://api:h%40unter%2F2@db/estate?ssl=require", "api|h@unter/2|estate|db:5432 sslmode=require "},
      {"postgresql+psycopg://db/estate?ssl=true", "||estate|db:5432 sslmode=require "},
      {"postgis://db/", "|||db:5432 "},
      {"postgresql://a:1,b,[::1]:3/x?target_session_attrs=read-write", "||x|a:1 b:5432 ::1:3 target_session_attrs=read-write "},
      {"postgresql://%2Frun%2Fpostgresql/x", "||x|/run/postgresql:5432 "},
      {"postgresql:///x?port=5433&host=/run/postgresql", "||x|/run/postgresql:5433 "},
      {"postgresql://db/x?user=api&password=hunter2", "api|hunter2|x|db:5432 "},
      {"postgresql://db/x?schema=public&connection_limit=5&pgbouncer=true", "||x|db:5432 "},
      {"postgresql://a%3Ab:c:d@db", "a:b|c:d||db:5432 "},
      {"mysql://db", "does not begin with postgresql://, postgres:// or postgresql+DRIVER://"},
      {"db", "does not begin with postgresql://, postgres:// or postgresql+DRIVER://"},
      {"postgresql://api:hunter/2@db", "has a / ? or # in its user or password: write them as %2F, %3F and %23"},
      {"postgresql://api:hunter%2@db", "has a % in its password that two hexadecimal digits do not follow"},
      {"postgresql://db:hunter2", "has a port that is no number from 1 to 65535"},
      {"postgresql://db:0", "has a port that is no number from 1 to 65535"},
      {"postgresql:///x", "has no host"},
      {"postgresql://a,,b/x", "has no host"},
      {"postgresql://::1/x", "has an IPv6 address without [ ]"},
      {"postgresql://[::1/x", "has a [ without its ]"},
      {"postgresql://db/a b", "has a space or a control character in it"},
      {"postgresql://db/x?sslmode=on", "has a sslmode that is none of disable, allow, prefer, require, verify-ca, verify-full"},
      {"postgresql://db/x?sslmod=require",
       "has a parameter about TLS that is not known here; known are sslmode, ssl, sslrootcert, sslcert, sslkey and sslsni"},
      {"postgresql://db/x?target_session_attrs=master",
       "has a target_session_attrs that is none of any, read-write, read-only, primary, standby, prefer-standby"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    CHECK(read(r.text) == r.made);
  }
}
