#include "agent/serve/key_twice.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <set>
#include <utility>

namespace flipback::serve {

namespace json = boost::json;

namespace {

/// Hears what the parser reads, before any value is made of it.
struct listener {
  using error = boost::system::error_code;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  bool on_object_begin(error& /*e*/) { return enter(); }
  bool on_object_end(std::size_t /*size*/, error& /*e*/) { return leave(); }
  bool on_array_begin(error& /*e*/) { return enter(); }
  bool on_array_end(std::size_t /*size*/, error& /*e*/) { return leave(); }
  bool on_key_part(json::string_view text, std::size_t /*size*/, error& /*e*/) {
    key.append(text.data(), text.size());
    return true;
  }
  bool on_key(json::string_view text, std::size_t /*size*/, error& /*e*/) {
    key.append(text.data(), text.size());
    std::string whole = std::exchange(key, {});
    if (depth == 1 && !twice && !known.insert(whole).second) twice = std::move(whole);
    return true;
  }

  static bool on_document_begin(error& /*e*/) { return true; }
  static bool on_document_end(error& /*e*/) { return true; }
  static bool on_string_part(json::string_view /*text*/, std::size_t /*size*/, error& /*e*/) { return true; }
  static bool on_string(json::string_view /*text*/, std::size_t /*size*/, error& /*e*/) { return true; }
  static bool on_number_part(json::string_view /*text*/, error& /*e*/) { return true; }
  static bool on_int64(std::int64_t /*is*/, json::string_view /*text*/, error& /*e*/) { return true; }
  static bool on_uint64(std::uint64_t /*is*/, json::string_view /*text*/, error& /*e*/) { return true; }
  static bool on_double(double /*is*/, json::string_view /*text*/, error& /*e*/) { return true; }
  static bool on_bool(bool /*is*/, error& /*e*/) { return true; }
  static bool on_null(error& /*e*/) { return true; }
  static bool on_comment_part(json::string_view /*text*/, error& /*e*/) { return true; }
  static bool on_comment(json::string_view /*text*/, error& /*e*/) { return true; }

  bool enter() {
    ++depth;
    return true;
  }
  bool leave() {
    --depth;
    return true;
  }

  int depth = 0;
  std::string key;
  std::set<std::string> known;
  std::optional<std::string> twice;
};

}  // namespace

std::optional<std::string> key_twice(std::string_view json_object) {
  json::basic_parser<listener> parser{json::parse_options()};
  boost::system::error_code ignored;
  parser.write_some(false, json_object.data(), json_object.size(), ignored);
  return std::move(parser.handler().twice);
}

}  // namespace flipback::serve
