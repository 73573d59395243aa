#include "flipback/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <tuple>

namespace flipback::settings {

namespace {

constexpr std::string_view example_duration = R"(a duration such as "5s" or "1m30s")";
constexpr std::string_view example_size = R"(a size such as "64KiB" or "1MiB")";
constexpr std::string_view example_ratio = R"(a ratio such as "5%" or 0.05)";

std::string joined(std::initializer_list<std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) {
    if (!all.empty()) all += ", ";
    all += word;
  }
  return all;
}

}  // namespace

std::string to_string(const problem& p) { return fmt::format("{}:{}:{}: {}", p.at.file, p.at.line, p.at.column, p.says); }

void diagnostics::add(position at, std::string says) { problems_.push_back({std::move(at), std::move(says)}); }

std::vector<problem> diagnostics::sorted() const {
  std::vector<problem> all = problems_;
  std::ranges::sort(all, [](const problem& a, const problem& b) {
    return std::tie(a.at.file, a.at.line, a.at.column, a.says) < std::tie(b.at.file, b.at.line, b.at.column, b.says);
  });
  return all;
}

std::string_view kind_of(const node& n) {
  constexpr std::array<std::string_view, 6> kinds{"a string", "an integer", "a number", "a boolean", "an array", "a table"};
  return kinds.at(n.value.index());
}

std::string shown(const node& n) {
  constexpr std::size_t most = 60;
  if (const auto* text = std::get_if<std::string>(&n.value)) return fmt::format("\"{}\"", text->size() > most ? text->substr(0, most) + "…" : *text);
  if (const auto* whole = std::get_if<std::int64_t>(&n.value)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&n.value)) return fmt::format("{}", *number);
  if (const auto* yes = std::get_if<bool>(&n.value)) return *yes ? "true" : "false";
  return std::string(kind_of(n));
}

section::section(const node& from, std::string path, diagnostics& into) : from_(&from), path_(std::move(path)), into_(&into) {}

const node* section::find(std::string_view key) {
  known_.emplace(key);
  const auto& members = std::get<table>(from_->value);
  const auto at = members.find(key);
  return at == members.end() ? nullptr : &at->second.value.front();
}

bool section::has(std::string_view key) { return find(key) != nullptr; }
const node* section::raw(std::string_view key) { return find(key); }
void section::know(std::string_view key) { known_.emplace(key); }

position section::where(std::string_view key) const {
  const auto& members = std::get<table>(from_->value);
  const auto at = members.find(key);
  return at == members.end() ? from_->at : at->second.value.front().at;
}

void section::report(std::string_view key, std::string says) {
  into_->add(where(key), path_.empty() ? fmt::format("{}: {}", key, says) : fmt::format("{}.{}: {}", path_, key, says));
}

void section::report_here(std::string says) { into_->add(from_->at, path_.empty() ? std::move(says) : fmt::format("{}: {}", path_, says)); }

void section::mismatch(std::string_view key, const node& found, std::string_view expected) {
  report(key, fmt::format("found {}, expected {}", shown(found), expected));
}

std::optional<std::string> section::text(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&found->value)) return *text;
  mismatch(key, *found, "a string");
  return std::nullopt;
}

std::string section::text(std::string_view key, std::string fallback) { return text(key).value_or(std::move(fallback)); }

std::string section::required_text(std::string_view key, std::string_view example) {
  const node* found = find(key);
  if (found == nullptr) {
    report_here(fmt::format("has no {}, expected one such as \"{}\"", key, example));
    return {};
  }
  auto text_found = text(key);
  if (text_found && text_found->empty()) report(key, fmt::format("is empty, expected something such as \"{}\"", example));
  return text_found.value_or("");
}

std::optional<std::int64_t> section::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto* whole = std::get_if<std::int64_t>(&found->value);
  if (whole != nullptr && *whole >= low && *whole <= high) return *whole;
  mismatch(key, *found, fmt::format("a whole number from {} to {}", low, high));
  return std::nullopt;
}

std::int64_t section::integer(std::string_view key, std::int64_t fallback, std::int64_t low, std::int64_t high) {
  return integer(key, low, high).value_or(fallback);
}

std::optional<double> section::number(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(&found->value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&found->value)) return static_cast<double>(*whole);
  mismatch(key, *found, "a number");
  return std::nullopt;
}

std::optional<bool> section::boolean(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* yes = std::get_if<bool>(&found->value)) return *yes;
  mismatch(key, *found, "true or false");
  return std::nullopt;
}

bool section::boolean(std::string_view key, bool fallback) { return boolean(key).value_or(fallback); }

std::optional<duration> section::span(std::string_view key, duration low, duration high) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto* text_found = std::get_if<std::string>(&found->value);
  if (text_found == nullptr) {
    mismatch(key, *found, example_duration);
    return std::nullopt;
  }
  const auto parsed = parse_duration(*text_found);
  if (!parsed) {
    report(key, fmt::format("found {}, which {}; expected {}", shown(*found), parsed.error(), example_duration));
    return std::nullopt;
  }
  if (*parsed < low || *parsed > high) {
    mismatch(key, *found, fmt::format("a duration from {} to {}", format_duration(low), format_duration(high)));
    return std::nullopt;
  }
  return *parsed;
}

duration section::span(std::string_view key, duration fallback, duration low, duration high) { return span(key, low, high).value_or(fallback); }

std::uint64_t section::size(std::string_view key, std::uint64_t fallback, std::uint64_t low, std::uint64_t high) {
  const node* found = find(key);
  if (found == nullptr) return fallback;
  std::expected<std::uint64_t, std::string> parsed = std::unexpected("is no size");
  if (const auto* text_found = std::get_if<std::string>(&found->value)) parsed = parse_size(*text_found);
  if (const auto* whole = std::get_if<std::int64_t>(&found->value); whole != nullptr && *whole >= 0) parsed = static_cast<std::uint64_t>(*whole);
  if (!parsed) {
    report(key, fmt::format("found {}, which {}; expected {}", shown(*found), parsed.error(), example_size));
  } else if (*parsed < low || *parsed > high) {
    mismatch(key, *found, fmt::format("a size from {} to {}", format_size(static_cast<double>(low)), format_size(static_cast<double>(high))));
  } else {
    return *parsed;
  }
  return fallback;
}

double section::ratio(std::string_view key, double fallback) {
  const node* found = find(key);
  if (found == nullptr) return fallback;
  if (const auto* real = std::get_if<double>(&found->value); real != nullptr && *real >= 0 && *real <= 1) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&found->value); whole != nullptr && (*whole == 0 || *whole == 1)) return static_cast<double>(*whole);
  if (const auto* text_found = std::get_if<std::string>(&found->value)) {
    const auto parsed = parse_ratio(*text_found);
    if (parsed) return *parsed;
    report(key, fmt::format("found {}, which {}; expected {}", shown(*found), parsed.error(), example_ratio));
    return fallback;
  }
  mismatch(key, *found, example_ratio);
  return fallback;
}

std::vector<std::string> section::texts(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return {};
  if (const auto* one = std::get_if<std::string>(&found->value)) return {*one};
  std::vector<std::string> all;
  if (const auto* several = std::get_if<array>(&found->value)) {
    for (const node& n : *several) {
      if (const auto* text_found = std::get_if<std::string>(&n.value)) {
        all.push_back(*text_found);
      } else {
        into_->add(n.at, fmt::format("{}.{}: found {}, expected a string", path_, key, shown(n)));
      }
    }
    return all;
  }
  mismatch(key, *found, "a string or an array of strings");
  return all;
}

std::string section::choice(std::string_view key, std::string_view fallback, std::initializer_list<std::string_view> words) {
  const node* found = find(key);
  if (found == nullptr) return std::string(fallback);
  const auto* word = std::get_if<std::string>(&found->value);
  if (word != nullptr && std::ranges::find(words, *word) != words.end()) return *word;
  std::string expected = fmt::format("one of {}", joined(words));
  if (word != nullptr) {
    const std::string meant = nearest(*word, {words.begin(), words.end()});
    if (!meant.empty()) expected += fmt::format(" (did you mean {}?)", meant);
  }
  mismatch(key, *found, expected);
  return std::string(fallback);
}

std::optional<secret> section::hidden(std::string_view key) {
  const std::string file_key = fmt::format("{}_file", key);
  const node* direct = find(key);
  const auto path = text(file_key);
  if (direct != nullptr && path) {
    report(file_key, fmt::format("stands beside {}: expected one of them", key));
    return std::nullopt;
  }
  if (path) {
    std::ifstream in(*path, std::ios::binary);
    std::string contents{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) {
      report(file_key, fmt::format("can't read \"{}\"", *path));
      return std::nullopt;
    }
    if (contents.ends_with('\n')) contents.pop_back();
    if (contents.ends_with('\r')) contents.pop_back();
    return secret(std::move(contents));
  }
  if (direct == nullptr) return std::nullopt;
  if (const auto* plain = std::get_if<std::string>(&direct->value)) return secret(*plain);
  report(key, fmt::format("found {}, expected a string", kind_of(*direct)));  // never the value
  return std::nullopt;
}

std::optional<section> section::inner(std::string_view key) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (std::holds_alternative<table>(found->value)) return section(*found, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key), *into_);
  mismatch(key, *found, "a table");
  return std::nullopt;
}

std::vector<std::pair<std::string, section>> section::inners(std::string_view key) {
  std::vector<std::pair<std::string, section>> all;
  auto outer = inner(key);
  if (!outer) return all;
  std::vector<std::pair<std::string, const node*>> in_order;
  for (const auto& [name, m] : std::get<table>(outer->from_->value)) in_order.emplace_back(name, &m.value.front());
  std::ranges::sort(in_order, {}, [](const auto& entry) { return entry.second->order; });
  for (const auto& [name, value] : in_order) {
    if (auto one = outer->inner(name)) all.emplace_back(name, std::move(*one));
  }
  return all;
}

std::vector<section> section::items(std::string_view key) {
  std::vector<section> all;
  const node* found = find(key);
  if (found == nullptr) return all;
  const auto* several = std::get_if<array>(&found->value);
  if (several == nullptr) {
    mismatch(key, *found, fmt::format("an array of tables, each under [[{}]]", key));
    return all;
  }
  for (std::size_t i = 0; i < several->size(); ++i) {
    const node& n = (*several)[i];
    if (std::holds_alternative<table>(n.value)) {
      all.emplace_back(n, fmt::format("{}[{}]", key, i), *into_);
    } else {
      into_->add(n.at, fmt::format("{}[{}]: found {}, expected a table", key, i, shown(n)));
    }
  }
  return all;
}

void section::finish() {
  const std::vector<std::string> names(known_.begin(), known_.end());
  for (const auto& [key, m] : std::get<table>(from_->value)) {
    if (known_.contains(key)) continue;
    const std::string meant = nearest(key, names);
    const std::string full = path_.empty() ? key : fmt::format("{}.{}", path_, key);
    into_->add(m.at, meant.empty() ? fmt::format("{}: unknown key", full) : fmt::format("{}: unknown key, did you mean {}?", full, meant));
  }
}

}  // namespace flipback::settings
