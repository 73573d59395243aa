#include "probes/net/json.hpp"

#include "probes/net/gzip.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace flipback::net {

namespace {

constexpr std::size_t deepest = 32;

failure no_json(std::string_view body, const boost::system::error_code& error) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {reason::bad_answer, "the body is empty, expected JSON"};
  if (is_gzip(body)) return {reason::bad_answer, fmt::format("{}; expected JSON", says_gzip)};
  if (body[first] == '<') return {reason::bad_answer, "the body is HTML or XML, expected JSON"};
  if (error == json::error::incomplete) return {reason::bad_answer, "the JSON in the body is cut short"};
  if (error == json::error::too_deep) return {reason::bad_answer, fmt::format("the JSON in the body is nested deeper than {}", deepest)};
  return {reason::bad_answer, fmt::format("the body is not JSON: {}", error.message())};
}

}  // namespace

result<json::value> parse_json(std::string_view body) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (body.starts_with(byte_order_mark)) body.remove_prefix(byte_order_mark.size());  // which a reader may pass over (RFC 8259, 8.1)
  boost::system::error_code error;
  json::parse_options how;
  how.max_depth = deepest;
  json::value document = json::parse(body, error, {}, how);
  if (error) return std::unexpected(no_json(body, error));
  return document;
}

const json::value* value_at(const json::value& in, std::string_view pointer) {
  boost::system::error_code missing;
  const json::value* found = in.find_pointer(pointer, missing);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const json::array* array_at(const json::value& in, std::string_view pointer) {
  const json::value* found = value_at(in, pointer);
  return found == nullptr ? nullptr : found->if_array();
}

std::optional<std::string> text_at(const json::value& in, std::string_view pointer) {
  const json::value* found = value_at(in, pointer);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

std::optional<double> number_at(const json::value& in, std::string_view pointer) {
  const json::value* found = value_at(in, pointer);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::optional<bool> boolean_at(const json::value& in, std::string_view pointer) {
  const json::value* found = value_at(in, pointer);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

}  // namespace flipback::net
