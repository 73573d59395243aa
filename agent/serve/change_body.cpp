#include "agent/serve/change_body.hpp"

#include "flipback/quoted.hpp"
#include "flipback/settings.hpp"

#include "agent/serve/key_twice.hpp"
#include "agent/serve/problem.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace flipback::serve {

namespace json = boost::json;

namespace {

constexpr api::key by{"by"};

std::vector<std::string> names_of(std::span<const api::key> keys) {
  std::vector<std::string> names;
  for (const api::key& k : keys) names.emplace_back(k.name);
  names.emplace_back(by.name);
  return names;
}

/// An empty body asks nothing more.
std::expected<json::object, answer> object_in(const std::string& body) {
  if (body.empty()) return json::object();
  boost::system::error_code error;
  json::value read = json::parse(body, error);
  if (error || !read.is_object())
    return std::unexpected(problem(400, fmt::format("found a body that is {}, expected a JSON object such as {{\"reason\": \"…\"}}",
                                                    error ? "no JSON (" + error.message() + ")" : "no object")));
  if (const auto twice = key_twice(body))
    return std::unexpected(problem(422, fmt::format("found the key {} twice, expected it once", in_quotes(*twice))));
  return std::move(read.get_object());
}

answer unknown(std::string_view name, std::span<const api::key> keys) {
  const std::vector<std::string> known = names_of(keys);
  const std::string meant = settings::nearest(name, known);
  return problem(422, fmt::format("found the key {}, expected {}{}", in_quotes(name), fmt::join(known, ", "),
                                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

/// Takes one key over into the demand; the answer says what is wrong with it.
std::expected<void, answer> take(std::string_view name, const json::value& is, std::span<const api::key> keys, demand& into) {
  const auto found = std::ranges::find(keys, name, &api::key::name);
  if (found == keys.end() && name != by.name) return std::unexpected(unknown(name, keys));
  const bool is_flag = found != keys.end() && found->is_flag;
  if (is_flag ? !is.is_bool() : !is.is_string())
    return std::unexpected(problem(
        422, fmt::format("{}: found {}, expected {}", name, in_quotes(json::serialize(is)), is_flag ? "true or false" : "a string")));
  if (is_flag && is.get_bool())
    into.values[std::string(name)] = "yes";
  else if (!is_flag)
    (name == by.name ? into.by : into.values[std::string(name)]) = is.get_string();
  return {};
}

/// The peer's address is the kernel's word, the name the client's own.
std::string who(const std::string& name, const request& asked) {
  const std::string from = fmt::format("HTTP API, from {}", asked.from.to_string());
  const std::string shown = flipback::quoted(name);
  return shown.empty() ? from : fmt::format("{} ({})", shown, from);
}

}  // namespace

std::expected<demand, answer> demand_of(const api::asked& what) {
  const auto object = object_in(what.of.body);
  if (!object) return std::unexpected(object.error());
  demand made{std::string(what.by.verb), {}, {}};
  for (const auto& [name, is] : *object) {
    if (auto taken = take(name, is, what.by.keys, made); !taken) return std::unexpected(std::move(taken.error()));
  }
  made.by = who(made.by, what.of);
  return made;
}

}  // namespace flipback::serve
