#pragma once

#include "agent/config/environment.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Writing a configuration from what a host shows: `flipback init`. What was seen goes in as plain values, a text comes out; only `look`
/// and `settle` do I/O.
namespace flipback::init {

struct text_file {
  std::string path;
  std::string text;
};

struct link {
  std::string path;
  std::string target;  ///< as it is written in the link
};

struct nginx_seen {
  std::string binary;
  std::string dump;               ///< what `nginx -T` prints
  std::vector<link> links;        ///< through which nginx reaches its files
  std::vector<text_file> beside;  ///< files that stand where those stand, and where the links lead; nginx's own included
};

/// What was seen of a host.
struct host {
  std::optional<nginx_seen> nginx;
  std::vector<text_file> compose_files;
  std::vector<std::string> env_files;  ///< that could be read, in their order
  /// What the env files set, and nothing else; a value is the environment's where that sets it too, as it will be for who reads the
  /// configuration.
  config::variables variables;
  std::set<std::uint16_t> listening;  ///< TCP ports of this host
  std::vector<std::string> untold;    ///< what could not be looked at, a sentence each
};

}  // namespace flipback::init
