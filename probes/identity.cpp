#include "probes/identity.hpp"

#include "flipback/quoted.hpp"

#include "probes/net/gzip.hpp"
#include "probes/net/json.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <string_view>

namespace flipback {

namespace {

/// RFC 9110, 5.6.2: what the name of a header consists of.
bool is_token(std::string_view text) {
  const auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !text.empty() &&
         std::ranges::all_of(text, [&](char c) { return letter_or_digit(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c); });
}

}  // namespace

identity_source read_identity(settings::section& from, std::string_view key) {
  const auto text = from.text(key);
  if (!text) return {};
  constexpr std::string_view of_a_header = "header:";
  if (text->starts_with(of_a_header) && is_token(std::string_view(*text).substr(of_a_header.size())))
    return {text->substr(of_a_header.size()), {}};
  if (text->starts_with('/') && text->size() > 1) return {{}, *text};
  from.report(
      key, fmt::format(R"(found {}, expected a JSON pointer such as "/version" or a header such as "header:X-Release")", from.shown(key)));
  return {};
}

namespace {

/// What stands there, however long it is.
std::optional<std::string> text_at(const identity_source& source, const net::http_answer& answer) {
  if (!source.header.empty()) {
    const std::string* found = answer.header(source.header);
    return found == nullptr || found->empty() ? std::nullopt : std::optional(*found);
  }
  if (source.pointer.empty()) return std::nullopt;
  const auto document = answer.json();
  if (!document) return std::nullopt;
  const boost::json::value* found = net::value_at(*document, source.pointer);
  if (found == nullptr) return std::nullopt;
  return found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
}

}  // namespace

std::optional<std::string> identity_of(const identity_source& source, const net::http_answer& answer) {
  auto found = text_at(source, answer);
  return found && found->size() <= longest_identity ? std::move(found) : std::nullopt;
}

std::string lacking_in(const identity_source& source, const net::http_answer& answer) {
  if (const auto found = text_at(source, answer); found && found->size() > longest_identity)
    return fmt::format("{} bytes at {}, expected at most {}", found->size(), source.header.empty() ? source.pointer : source.header,
                       longest_identity);
  if (!source.header.empty()) return fmt::format("no header {}", source.header);
  constexpr std::size_t most = 6;  // names
  const auto document = answer.json();
  if (!document) return fmt::format("no {}, since {}", source.pointer, net::is_gzip(answer.body) ? net::says_gzip : "it is no JSON");
  const auto* object = (*document)->if_object();
  if (object == nullptr || object->empty()) return fmt::format("no {}", source.pointer);
  std::string names;
  for (const auto& [name, value] : *object | std::views::take(most))
    names += fmt::format("{}/{}", names.empty() ? "" : ", ", flipback::quoted(name, {}, 40));
  return fmt::format("no {}, but {}{}", source.pointer, names, object->size() > most ? ", …" : "");
}

}  // namespace flipback
