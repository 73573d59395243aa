#pragma once

#include "flipback/secret.hpp"

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::postgres {

/// One server of several that may be asked.
struct server {
  std::string host;  ///< a name, an address, or the /folder of a Unix socket
  std::string port = "5432";
  friend bool operator==(const server&, const server&) = default;
};

/// "postgresql://user:password@host:port,host/database?sslmode=require", taken apart.
struct address {
  std::vector<server> servers;
  std::string user;  ///< empty: it names none, as with the two that follow
  secret password;
  std::string database;
  std::map<std::string, std::string> parameters;  ///< libpq's, of what stands after the ?
};

/// The URL as libpq takes it, and as SQLAlchemy ("postgresql+asyncpg://") and Django ("postgis://") name it; what is wrong with it, without
/// anything of it that may be secret. Of the parameters only those that say where and how to connect are taken: frameworks add their own.
std::expected<address, std::string> parse_address(std::string_view text);

}  // namespace flipback::postgres
