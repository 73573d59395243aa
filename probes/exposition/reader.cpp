#include "probes/exposition/reader.hpp"

#include "flipback/quoted.hpp"
#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace flipback::exposition {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::string unescaped(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '\\' || next == '"' || next == 'n') {
      made += next == 'n' ? '\n' : next;
      ++i;
    } else {
      made += text[i];
    }
  }
  return made;
}

std::optional<double> number_in(std::string_view text) {
  const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  if (error == std::errc{}) return value;
  if (error != std::errc::result_out_of_range) return std::nullopt;
  // Too small for a double is 0, as Go reads it; too large is an error, as it is there.
  value = std::strtod(std::string(digits).c_str(), nullptr);
  return value > -1 && value < 1 ? std::optional(value) : std::nullopt;
}

std::string to_string(const malformed& m) {
  return fmt::format("line {}, column {}: {}", m.line, m.column, m.says);
}

std::expected<bool, malformed> reader::next() {
  if (text_.size() > most_.bytes) return std::unexpected(malformed{1, 1, fmt::format("it is longer than {} bytes", most_.bytes)});
  while (begin_line()) {
    if (ended_) return std::unexpected(at(line_.begin(), "something stands after # EOF"));
    if (const std::size_t bad = first_malformed(line_); bad < line_.size())
      return std::unexpected(at(line_.data() + bad, "a byte that is no UTF-8"));
    at_ = line_.data();
    skip_space();
    bool is_item = false;
    if (at_ < line_end() && *at_ == '#') {
      is_item = comment();
    } else if (at_ < line_end()) {
      if (auto read = sample(); !read) return std::unexpected(std::move(read.error()));
      is_item = true;
    }
    if (!terminated_ && !ended_) return std::unexpected(at(line_end(), "the text is cut short: its last line has no end"));
    if (is_item) return true;
  }
  if (format_ == format::openmetrics && !ended_) return std::unexpected(malformed{lines_ + 1, 1, "the text is cut short: it has no # EOF"});
  return false;
}

bool reader::begin_line() {
  if (next_line_ >= text_.size()) return false;
  const std::string_view rest = text_.substr(next_line_);
  const std::size_t end = rest.find('\n');
  terminated_ = end != std::string_view::npos;
  line_ = rest.substr(0, end);
  next_line_ += line_.size() + 1;
  ++lines_;
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  return true;
}

/// True for `# TYPE name type`; others say nothing that is needed.
bool reader::comment() {
  ++at_;
  skip_space();
  const std::string_view keyword = word();
  if (format_ == format::openmetrics && keyword == "EOF") ended_ = true;
  if (keyword != "TYPE") return false;
  current_ = {};
  current_.is_type = true;
  current_.name = word();
  if (current_.name.starts_with('"') && current_.name.ends_with('"') && current_.name.size() > 2)
    current_.name = current_.name.substr(1, current_.name.size() - 2);
  current_.type = word();
  return !current_.name.empty();
}

std::expected<void, malformed> reader::sample() {
  if (++samples_ > most_.samples) return std::unexpected(at(at_, fmt::format("more than {} samples", most_.samples)));
  const char* const begin = at_;
  current_ = {};
  current_.name = identifier(true);
  if (current_.name.empty() && *at_ != '{') return std::unexpected(unexpected("a metric's name"));
  labels_.clear();
  skip_space();
  if (skip('{')) {
    if (auto read = labels(labels_, current_.name.empty()); !read) return read;
    if (current_.name.empty() && !take_name()) return std::unexpected(at(at_ - 1, "labels of a metric without a name"));
  }
  current_.labels = labels_;
  current_.written = {begin, static_cast<std::size_t>(at_ - begin)};
  const auto value = number("a value");
  if (!value) return std::unexpected(value.error());
  current_.value = *value;
  return after_value();
}

/// The name that stands among the labels, where it does (`promtool tsdb dump` writes it so).
bool reader::take_name() {
  const auto named = std::ranges::find(labels_, "__name__", &label::name);
  if (named == labels_.end() || named->value.empty()) return false;
  current_.name = named->value;
  labels_.erase(named);
  return true;
}

/// The labels from behind the brace to behind its end. A quoted name in the place of the first label is the metric's own (the syntax for
/// names of any characters).
std::expected<void, malformed> reader::labels(std::vector<label>& into, bool name_inside) {
  for (skip_space(); !skip('}'); skip_space()) {
    if (into.size() == most_labels) return std::unexpected(at(at_, fmt::format("more than {} labels", most_labels)));
    label read;
    const bool in_quotes = at_ < line_end() && *at_ == '"';
    if (in_quotes) {
      const auto name = quoted();
      if (!name) return std::unexpected(name.error());
      read.name = *name;
    } else {
      read.name = identifier(false);
      if (read.name.empty()) return std::unexpected(unexpected("a label's name"));
    }
    skip_space();
    if (skip('=')) {
      skip_space();
      const auto value = quoted();
      if (!value) return std::unexpected(value.error());
      read.value = *value;
      into.push_back(read);
    } else if (in_quotes && name_inside && current_.name.empty() && into.empty()) {
      current_.name = read.name;
    } else {
      return std::unexpected(unexpected("="));
    }
    skip_space();
    if (!skip(',') && (at_ == line_end() || *at_ != '}')) return std::unexpected(unexpected(", or }"));
  }
  return {};
}

std::expected<std::string_view, malformed> reader::quoted() {
  if (!skip('"')) return std::unexpected(unexpected("\""));
  const char* const begin = at_;
  while (at_ < line_end()) {
    if (*at_ == '"') return std::string_view(begin, static_cast<std::size_t>(at_++ - begin));
    at_ += *at_ == '\\' && at_ + 1 < line_end() ? 2 : 1;
  }
  return std::unexpected(at(line_end(), "the line ends inside a text in quotes"));
}

std::expected<double, malformed> reader::number(std::string_view what) {
  skip_space();
  const char* const begin = at_;
  const std::string_view text = word();
  if (text.empty()) return std::unexpected(unexpected(what));
  if (const auto value = number_in(text)) return *value;
  return std::unexpected(at(begin, fmt::format("found {}, expected {}", flipback::quoted(text, {}, 40), what)));
}

std::expected<void, malformed> reader::after_value() {
  const bool exemplars = format_ == format::openmetrics;
  skip_space();
  if (at_ < line_end() && *at_ != '#') {
    const auto time = number("a timestamp");
    if (!time) return std::unexpected(time.error());
    current_.time = format_ == format::openmetrics ? *time : *time / 1000;  // Prometheus' own text has milliseconds
    skip_space();
  }
  if (exemplars && skip('#')) {
    skip_space();
    if (!skip('{')) return std::unexpected(unexpected("an exemplar's {"));
    exemplar_.clear();
    if (auto read = labels(exemplar_, false); !read) return read;
    if (const auto value = number("an exemplar's value"); !value) return std::unexpected(value.error());
    skip_space();
    if (at_ < line_end()) {
      if (const auto time = number("a timestamp"); !time) return std::unexpected(time.error());
      skip_space();
    }
  }
  if (at_ < line_end()) return std::unexpected(unexpected("the line's end"));
  return {};
}

malformed reader::unexpected(std::string_view expected) const {
  if (at_ == line_end()) return at(at_, fmt::format("the line ends, expected {}", expected));
  const std::string_view rest(at_, static_cast<std::size_t>(line_end() - at_));
  return at(at_, fmt::format("found {}, expected {}", flipback::quoted(rest, {}, 20), expected));
}

malformed reader::at(const char* where, std::string says) const {
  return {lines_, static_cast<std::size_t>(where - line_.data()) + 1, std::move(says)};
}

std::string_view reader::word() {
  skip_space();
  const char* const begin = at_;
  while (at_ < line_end() && !is_space(*at_)) ++at_;
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

std::string_view reader::identifier(bool colons) {
  const char* const begin = at_;
  const auto fits = [&](char c) { return begins_name(c) || (colons && c == ':') || (at_ > begin && c >= '0' && c <= '9'); };
  while (at_ < line_end() && fits(*at_)) ++at_;
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

bool reader::skip(char c) {
  if (at_ == line_end() || *at_ != c) return false;
  ++at_;
  return true;
}

void reader::skip_space() {
  while (at_ < line_end() && is_space(*at_)) ++at_;
}

}  // namespace flipback::exposition
