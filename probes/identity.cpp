#include "probes/identity.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace flipback {

identity_source read_identity(settings::section& from, std::string_view key) {
  const auto text = from.text(key);
  if (!text) return {};
  if (text->starts_with("header:") && text->size() > 7) return {text->substr(7), {}};
  if (text->starts_with('/') && text->size() > 1) return {{}, *text};
  from.report(
      key, fmt::format(R"(found {}, expected a JSON pointer such as "/version" or a header such as "header:X-Release")", from.shown(key)));
  return {};
}

std::optional<std::string> identity_of(const identity_source& source, const net::http_answer& answer) {
  if (!source.header.empty()) {
    const std::string* found = answer.header(source.header);
    return found == nullptr || found->empty() ? std::nullopt : std::optional(*found);
  }
  if (source.pointer.empty()) return std::nullopt;
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(answer.body, error);
  if (error) return std::nullopt;
  const boost::json::value* found = document.find_pointer(source.pointer, error);
  if (found == nullptr || found->is_null()) return std::nullopt;
  return found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
}

}  // namespace flipback
