#pragma once

#include "probes/net/http_client.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace flipback::net {

namespace json = boost::json;

/// The JSON document that an answer's body is, or why it is none (`bad_answer`): empty, HTML, cut short, nested too deep, no UTF-8.
result<json::value> parse_json(std::string_view body);

/// What is at a JSON pointer (RFC 6901), where it is of that kind. A field that is not there or is null is nothing.
const json::value* value_at(const json::value& in, std::string_view pointer);
const json::array* array_at(const json::value& in, std::string_view pointer);
std::optional<std::string> text_at(const json::value& in, std::string_view pointer);
std::optional<double> number_at(const json::value& in, std::string_view pointer);
std::optional<bool> boolean_at(const json::value& in, std::string_view pointer);

}  // namespace flipback::net
