#include "flipback/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace flipback::settings {

namespace {

const table& members_of(const node& n) {
  static const table none;
  const auto* members = std::get_if<table>(&n.value);
  return members == nullptr ? none : *members;
}

/// A dotted key as TOML writes it: slots."light blue".
std::string below(const std::string& path, std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  return fmt::format("{}{}{}", path, path.empty() ? "" : ".", bare ? std::string(key) : fmt::format("\"{}\"", key));
}

bool from_environment(const node& n) {
  return !n.written.empty();
}

/// The environment gives only text, so where it gave the value "5432" is the number and "true" the boolean.
template <typename T>
std::optional<T> scalar(const node& n) {
  if (const auto* value = std::get_if<T>(&n.value)) return *value;
  const auto* text = std::get_if<std::string>(&n.value);
  if (text == nullptr || !from_environment(n)) return std::nullopt;
  if constexpr (std::is_same_v<T, bool>) {
    if (*text == "true" || *text == "false") return *text == "true";
  } else {
    T value{};
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc{} && end == text->data() + text->size() && !text->empty()) return value;
  }
  return std::nullopt;
}

/// "found 5 (an integer)", so that 5 and "5" are told apart.
std::string described(const node& n) {
  const bool nested = std::holds_alternative<array>(n.value) || std::holds_alternative<table>(n.value);
  return nested ? std::string(kind_of(n)) : fmt::format("{} ({})", shown(n), kind_of(n));
}

}  // namespace

section::section(const node& from, std::string path, diagnostics& into) : from_(&from), path_(std::move(path)), into_(&into) {}

const node* section::find(std::string_view key) {
  known_.emplace(key);
  const table& members = members_of(*from_);
  const auto at = members.find(key);
  return at == members.end() ? nullptr : &at->second.value.front();
}

bool section::has(std::string_view key) {
  return find(key) != nullptr;
}
const node* section::raw(std::string_view key) {
  return find(key);
}
void section::know(std::string_view key) {
  known_.emplace(key);
}

position section::where(std::string_view key) const {
  const table& members = members_of(*from_);
  const auto at = members.find(key);
  return at == members.end() ? from_->at : at->second.value.front().at;
}

std::string section::shown(std::string_view key) const {
  const table& members = members_of(*from_);
  const auto at = members.find(key);
  return at == members.end() ? "nothing" : settings::shown(at->second.value.front());
}

void section::report(std::string_view key, std::string says) {
  into_->add(where(key), fmt::format("{}: {}", below(path_, key), says));
}

void section::report_here(std::string says) {
  into_->add(from_->at, path_.empty() ? std::move(says) : fmt::format("{}: {}", path_, says));
}

void section::mismatch(std::string_view key, const node& found, std::string_view expected) {
  report(key, fmt::format("found {}, expected {}", described(found), expected));
}

std::optional<std::string> section::text(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&found->value)) return *text;
  mismatch(key, *found, "a string");
  return std::nullopt;
}

std::string section::text(std::string_view key, std::string fallback) {
  return text(key).value_or(std::move(fallback));
}

std::string section::required_text(std::string_view key, std::string_view example) {
  const node* found = find(key);
  if (found == nullptr) {
    report(key, fmt::format("is missing, expected a string such as \"{}\"", example));
    return {};
  }
  const auto* text = std::get_if<std::string>(&found->value);
  if (text != nullptr && !text->empty()) return *text;
  const bool unset = text != nullptr && from_environment(*found);
  report(key, fmt::format("found {}{} expected a string such as \"{}\"", text != nullptr ? settings::shown(*found) : described(*found),
                          unset ? ", which is empty;" : ",", example));
  return {};
}

std::optional<std::int64_t> section::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto value = scalar<std::int64_t>(*found);
  if (value && *value >= low && *value <= high) return value;
  const std::string expected =
      high == INT64_MAX ? fmt::format("an integer of at least {}", low) : fmt::format("an integer from {} to {}", low, high);
  if (value)
    report(key, fmt::format("found {}, expected {}", settings::shown(*found), expected));
  else
    mismatch(key, *found, expected);
  return std::nullopt;
}

std::int64_t section::integer(std::string_view key, std::int64_t fallback, std::int64_t low, std::int64_t high) {
  return integer(key, low, high).value_or(fallback);
}

std::optional<double> section::number(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto whole = scalar<std::int64_t>(*found)) return static_cast<double>(*whole);
  if (const auto value = scalar<double>(*found); value && *value - *value == 0.0) return value;
  mismatch(key, *found, "a number");
  return std::nullopt;
}

std::optional<bool> section::boolean(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto value = scalar<bool>(*found);
  if (!value) mismatch(key, *found, "true or false");
  return value;
}

bool section::boolean(std::string_view key, bool fallback) {
  return boolean(key).value_or(fallback);
}

std::vector<std::string> section::texts(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return {};
  if (const auto* text = std::get_if<std::string>(&found->value)) return {*text};
  const auto* elements = std::get_if<array>(&found->value);
  if (elements == nullptr) {
    mismatch(key, *found, "an array of strings");
    return {};
  }
  std::vector<std::string> read;
  for (const node& element : *elements) {
    if (const auto* text = std::get_if<std::string>(&element.value))
      read.push_back(*text);
    else
      into_->add(element.at, fmt::format("{}: found {}, expected a string", below(path_, key), described(element)));
  }
  return read;
}

std::optional<std::size_t> section::place_among(std::string_view key, std::span<const std::string_view> words) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&found->value);
  if (text == nullptr) {
    mismatch(key, *found, fmt::format("one of {}", fmt::join(words, ", ")));
    return std::nullopt;
  }
  const auto at = std::ranges::find(words, *text);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  const std::string meant = from_environment(*found) ? std::string{} : nearest(*text, {words.begin(), words.end()});
  const std::string proposal = meant.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", meant);
  report(key, fmt::format("found {}, expected one of {}{}", settings::shown(*found), fmt::join(words, ", "), proposal));
  return std::nullopt;
}

std::string section::choice(std::string_view key, std::string_view fallback, std::initializer_list<std::string_view> words) {
  const auto place = place_among(key, {words.begin(), words.size()});
  return std::string(place ? words.begin()[*place] : fallback);
}

std::optional<section> section::inner(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!std::holds_alternative<table>(found->value)) {
    mismatch(key, *found, "a table");
    return std::nullopt;
  }
  return section(*found, below(path_, key), *into_);
}

std::vector<std::pair<std::string, section>> section::inners(std::string_view key) {
  auto outer = inner(key);
  if (!outer) return {};
  std::vector<std::pair<std::string, section>> read;
  for (const auto& [name, member] : members_of(*outer->from_)) {
    if (auto one = outer->inner(name)) read.emplace_back(name, std::move(*one));
  }
  std::ranges::sort(read, {}, [](const auto& one) { return one.second.from_->order; });
  return read;
}

std::vector<section> section::items(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return {};
  const std::string path = below(path_, key);
  const auto* elements = std::get_if<array>(&found->value);
  if (elements == nullptr) {
    mismatch(key, *found, fmt::format("an array of tables: [[{}]]", path));
    return {};
  }
  std::vector<section> read;
  for (const node& element : *elements) {
    const std::string name = fmt::format("{}[{}]", path, &element - elements->data() + 1);
    if (std::holds_alternative<table>(element.value))
      read.emplace_back(element, name, *into_);
    else
      into_->add(element.at, fmt::format("{}: found {}, expected a table", name, described(element)));
  }
  return read;
}

void section::retired(std::string_view key, std::string_view instead) {
  const table& members = members_of(*from_);
  const auto at = members.find(key);
  if (at == members.end()) return;
  know(key);
  into_->add(at->second.at, fmt::format("{}: is unknown here; {}", below(path_, key), instead));
}

void section::finish() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& [key, member] : members_of(*from_)) {
    if (known_.contains(key)) continue;
    const std::string meant = nearest(key, known);
    const std::string hint = !meant.empty()  ? fmt::format("did you mean \"{}\"?", meant)
                             : known.empty() ? "nothing is expected here"
                                             : fmt::format("expected one of {}", fmt::join(known, ", "));
    into_->add(member.at, fmt::format("{}: is unknown here; {}", below(path_, key), hint));
  }
}

}  // namespace flipback::settings
