// Debian's libraries loaded and set up, and nothing done: what a program that links them has of memory before it does anything. Flipback's
// memory is held against it, and while it runs the libraries' pages are shared, as with any other program that uses them.
//
// usage: floor    (until it is ended)

#include <ares.h>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sqlite3.h>
#include <toml++/toml.h>

#include <unistd.h>

int main() {
  ares_library_init(ARES_LIB_INIT_ALL);
  ares_channel channel = nullptr;
  if (ares_init(&channel) != ARES_SUCCESS) return 1;
  SSL_CTX* const tls = SSL_CTX_new(TLS_client_method());
  sqlite3* database = nullptr;
  if (tls == nullptr || sqlite3_open(":memory:", &database) != SQLITE_OK) return 1;
  sqlite3_exec(database, "CREATE TABLE a (b)", nullptr, nullptr, nullptr);
  redisReader* const reader = redisReaderCreate();
  prometheus::Registry registry;
  prometheus::BuildCounter().Name("a").Help("b").Register(registry).Add({}).Increment();
  const auto table = toml::parse("a = 1");
  fmt::print(stderr, "libpq {}, {}, {}\n", PQlibVersion(), boost::json::serialize(boost::json::object{{"a", table["a"].value_or(0)}}),
             prometheus::TextSerializer().Serialize(registry.Collect()));
  ::pause();
  redisReaderFree(reader);
  SSL_CTX_free(tls);
  ares_destroy(channel);
  return sqlite3_close(database);
}
