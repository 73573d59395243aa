#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace flipback::neo4j {

namespace json = boost::json;

/// A Bolt message: a structure with a tag that says what it is.
struct message {
  std::uint8_t tag = 0;
  json::array fields;
};

/// PackStream, version 1 (the Bolt protocol's encoding), with JSON's values for its own: all that we say and all that we need to
/// understand. Bytes and structures inside of a message (dates, nodes) are read over and become null.
std::string packed(const message& m);
/// A whole message, or what is wrong with it ("ends in the middle of a string").
std::expected<message, std::string> unpacked(std::string_view bytes);

}  // namespace flipback::neo4j
