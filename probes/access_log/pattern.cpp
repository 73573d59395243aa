#include "probes/access_log/pattern.hpp"

#include "probes/access_log/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::access_log {

namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A character that nginx writes as \xHH, \" or \u00HH where it stands in a value.
bool is_escaped(char c) {
  return c == '"' || (c >= '\0' && c < ' ');
}

std::size_t first_escaped(std::string_view literal) {
  return static_cast<std::size_t>(std::ranges::find_if(literal, is_escaped) - literal.begin());
}

bool begins_as_separator(std::string_view literal) {
  return literal.starts_with(", ") || literal.starts_with(" : ");
}

/// Whether the value can't contain the literal that stands on this side of it.
bool ends_before(shape s, std::string_view literal) {
  if (s == shape::local_time || s == shape::iso_time) return true;
  return !literal.empty() && !may_contain(s, literal.front()) && (s != shape::attempts || !begins_as_separator(literal));
}
bool begins_after(shape s, std::string_view literal) {
  if (s == shape::local_time || s == shape::iso_time) return true;
  return !literal.empty() && !may_contain(s, literal.back()) && s != shape::attempts;
}

/// Whether what follows a list of attempts may look like one attempt more: a client's ": 500".
bool may_go_on(shape s, std::string_view literal, const variable& next) {
  if (s != shape::attempts || (literal != " " && literal != " :" && literal != ",")) return false;
  const bool is_path = next.gives == field::path && next.name.ends_with("uri");  // begins with a slash or a scheme
  return !is_path && (next.takes == shape::anything || next.takes == shape::spaceless);
}

std::size_t fixed_size(shape s) {
  return s == shape::local_time ? local_time_size : s == shape::iso_time ? iso_time_size : 0;
}

/// How many characters at the front are a value of this shape.
std::size_t size_at_front(shape s, std::string_view text) {
  if (const std::size_t fixed = fixed_size(s); fixed > 0) return std::min(fixed, text.size());
  std::size_t size = 0;
  for (;;) {
    while (size < text.size() && may_contain(s, text[size])) ++size;
    if (s != shape::attempts) return size;
    const std::string_view rest = text.substr(size);
    if (rest.starts_with(", "))
      size += 2;
    else if (rest.starts_with(" : "))
      size += 3;
    else
      return size;
  }
}

std::size_t size_at_back(shape s, std::string_view text) {
  if (const std::size_t fixed = fixed_size(s); fixed > 0) return std::min(fixed, text.size());
  std::size_t size = 0;
  while (size < text.size() && may_contain(s, text[text.size() - size - 1])) ++size;
  return size;
}

/// Where the character stands next and is not escaped by a backslash.
std::size_t find_unescaped(std::string_view text, char c, std::size_t from) {
  for (std::size_t at = text.find(c, from); at != std::string_view::npos; at = text.find(c, at + 1)) {
    std::size_t slash = at;
    while (slash > from && text[slash - 1] == '\\') --slash;
    if ((at - slash) % 2 == 0) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::expected<std::vector<pattern::part>, std::string> pattern::parts_of(std::string_view text, std::string& head) {
  std::vector<part> parts;
  std::string* literal = &head;
  while (!text.empty()) {
    if (text.front() != '$') {
      *literal += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const bool braces = text.starts_with('{');
    if (braces) text.remove_prefix(1);
    const auto size = static_cast<std::size_t>(std::ranges::find_if_not(text, is_name) - text.begin());
    const std::string name(text.substr(0, size));
    text.remove_prefix(size);
    if (name.empty() || (braces && !text.starts_with('}'))) return std::unexpected("has a $ without a variable's name");
    if (braces) text.remove_prefix(1);
    const variable known = variable_named(name);
    parts.push_back({name, known.takes, known.gives, name == "request", {}});
    literal = &parts.back().after;
  }
  return parts;
}

std::expected<pattern, std::string> pattern::compile(std::string_view text, bool escaped) {
  pattern made;
  auto parts = parts_of(text, made.head_);
  if (!parts) return std::unexpected(parts.error());
  made.parts_ = std::move(*parts);
  while (const auto unclear = made.divide(escaped)) made.merge(*unclear);
  made.bind();
  const std::string& why = made.unclear(field::status);
  if (!made.has(field::status)) return std::unexpected(why.empty() ? "has no $status" : why);
  return made;
}

/// Makes one part of several that can't be told apart: a value that nobody asks for.
void pattern::merge(run of) {
  const bool side_by_side = of.last - of.first == 1 && parts_[of.first].after.empty();
  const std::string why = fmt::format("has ${} and ${}{}", parts_[of.first].name, parts_[of.last].name,
                                      side_by_side ? " side by side: nothing tells where one ends"
                                                   : ", of which nothing tells where they end, expected quotes around them");
  for (std::size_t i = of.first; i <= of.last; ++i) {
    if (parts_[i].gives) unclear_[static_cast<std::size_t>(*parts_[i].gives)] = why;
    if (parts_[i].is_request) unclear_[static_cast<std::size_t>(field::method)] = why;
  }
  parts_[of.first] = {.name = parts_[of.first].name, .after = parts_[of.last].after};
  parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(of.first) + 1, parts_.begin() + static_cast<std::ptrdiff_t>(of.last) + 1);
}

/// Of several variables that give the same field the best one does.
void pattern::bind() {
  std::array<part*, field_count> best{};
  for (part& p : parts_) {
    if (!p.gives) continue;
    part*& of = best.at(static_cast<std::size_t>(*p.gives));
    if (of == nullptr || variable_named(p.name).rank > variable_named(of->name).rank) {
      if (of != nullptr) of->gives.reset();
      of = &p;
    } else {
      p.gives.reset();
    }
  }
}

/// Nothing where every value's end can be told; else the first ones of which it can't.
std::optional<pattern::run> pattern::divide(bool escaped) {
  groups_.clear();
  group now;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::string& after = parts_[i].after;
    const std::size_t cut = escaped ? first_escaped(after) : after.size();
    if (cut == after.size() && i + 1 < parts_.size()) continue;
    now.last = i + 1;
    now.cut = cut < after.size() ? cut : std::string::npos;
    for (std::size_t k = now.first; k < now.last && !now.open; ++k) {
      const bool at_end = k + 1 == now.last && (now.cut == 0 || parts_[k].after.empty());
      const bool goes_on = k + 1 < now.last && may_go_on(parts_[k].takes, parts_[k].after, variable_named(parts_[k + 1].name));
      if (!at_end && (goes_on || !ends_before(parts_[k].takes, parts_[k].after))) now.open = k;
    }
    if (!now.open && now.last - now.first == 1) now.open = now.first;
    for (std::size_t k = now.last - 1; now.open && k > *now.open; --k) {
      if (!begins_after(parts_[k].takes, parts_[k - 1].after)) return run{*now.open, k};
    }
    groups_.push_back(now);
    now = {.first = i + 1, .last = i + 1, .open = {}, .cut = std::string::npos};
  }
  return std::nullopt;
}

bool pattern::has(field f) const {
  const auto gives = [&](const part& p) { return p.gives == f || (p.is_request && f == field::method); };
  return std::ranges::any_of(parts_, gives);
}

void pattern::assign(const part& p, std::string_view value, line& into) const {
  if (value == "-") value = value.substr(0, 0);  // the field is there, and has no value
  if (p.is_request) {
    into.take_request(value, p.gives.has_value());
  } else if (p.gives) {
    into.values[static_cast<std::size_t>(*p.gives)] = *p.gives == field::path ? without_query(value) : value;
  }
}

bool pattern::read_group(const group& g, std::string_view text, std::size_t& at, line& into) const {
  const std::string& after = parts_[g.last - 1].after;
  std::size_t end = text.size() - after.size();
  if (text.size() < at + after.size()) return false;
  if (g.cut != std::string::npos) {
    const std::size_t escaped = find_unescaped(text, after[g.cut], at);
    if (escaped == std::string_view::npos || escaped < at + g.cut) return false;
    end = escaped - g.cut;
  }
  if (text.compare(end, after.size(), after) != 0) return false;
  std::string_view left = text.substr(at, end - at);
  at = end + after.size();
  for (std::size_t k = g.first; k < g.open.value_or(g.last); ++k) {
    const part& p = parts_[k];
    const std::size_t size = size_at_front(p.takes, left);
    assign(p, left.substr(0, size), into);
    left.remove_prefix(size);
    if (k + 1 == g.last) return left.empty();
    if (!left.starts_with(p.after)) return false;
    left.remove_prefix(p.after.size());
  }
  for (std::size_t k = g.last - 1; k > *g.open; --k) {
    const part& p = parts_[k];
    const std::size_t size = size_at_back(p.takes, left);
    assign(p, left.substr(left.size() - size), into);
    left.remove_suffix(size);
    if (!left.ends_with(parts_[k - 1].after)) return false;
    left.remove_suffix(parts_[k - 1].after.size());
  }
  assign(parts_[*g.open], left, into);
  return true;
}

bool pattern::read(std::string_view text, line& into) const {
  into.values.fill({});
  if (!text.starts_with(head_)) return false;
  std::size_t at = head_.size();
  for (const group& g : groups_) {
    if (!read_group(g, text, at, into)) return false;
  }
  return at == text.size();
}

}  // namespace flipback::access_log
