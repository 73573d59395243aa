#include "agent/deployment/fact_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace json = boost::json;

namespace {

constexpr std::size_t deepest = 16;
// Bounds within which any two times can be subtracted, and the difference added to a time of now, without leaving the clocks' range.
constexpr std::int64_t earliest = -(std::int64_t{1} << 61);       // the year 1896, or 73 years before the boot
constexpr std::int64_t latest_wall = std::int64_t{1} << 62;       // the year 2116
constexpr std::int64_t latest_monotonic = std::int64_t{1} << 61;  // 73 years after the boot

std::string_view kind_of(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a yes or no";
    case json::kind::int64:
    case json::kind::uint64:
      return "a whole number";
    case json::kind::double_:
      return "a number with a fraction";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

template <typename Time>
Time time_of(std::int64_t nanoseconds) {
  return Time(std::chrono::duration_cast<typename Time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace

struct fact_reader::document {
  std::string what;
  json::value root;
  std::string problem;
};

fact_reader::fact_reader(std::string_view text, std::string what) : read_(std::make_shared<document>()) {
  read_->what = std::move(what);
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = deepest;
  read_->root = json::parse(text, error, {}, options);
  if (error) {
    read_->problem = fmt::format("{} is no JSON: {}", read_->what, error.message());
  } else if (!read_->root.is_object()) {
    read_->problem = fmt::format("{} is {}, expected a JSON object", read_->what, kind_of(read_->root));
  } else {
    at_ = &read_->root.get_object();
  }
}

fact_reader::fact_reader(std::shared_ptr<document> read, const json::object* at, std::string path)
    : read_(std::move(read)), at_(at), path_(std::move(path)) {}

bool fact_reader::good() const {
  return read_->problem.empty();
}

std::string fact_reader::problem() const {
  return read_->problem;
}

void fact_reader::refuse(std::string_view key, std::string why) {
  if (good()) read_->problem = fmt::format("{}: {}{}: {}", read_->what, path_, key, why);
}

void fact_reader::expected(std::string_view key, const json::value& found, std::string_view what) {
  refuse(key, fmt::format("found {}, expected {}", kind_of(found), what));
}

bool fact_reader::has(std::string_view key) const {
  return at_ != nullptr && at_->contains(key);
}

const json::value* fact_reader::find(std::string_view key) {
  if (at_ == nullptr) return nullptr;
  const json::value* const found = at_->if_contains(key);
  if (found == nullptr) refuse(key, "is missing");
  return found;
}

std::string fact_reader::text(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return {};
  if (found->is_string()) return std::string(found->get_string());
  if (!found->is_object()) {
    expected(key, *found, "a text");
    return {};
  }
  return object(key).bytes("base64");
}

std::string fact_reader::bytes(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    expected(key, *found, "base64");
    return {};
  }
  auto decoded = bytes_of_fact(found->get_string());
  if (!decoded) refuse(key, "is no base64");
  return std::move(decoded).value_or(std::string());
}

bool fact_reader::yes_or_no(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return false;
  if (!found->is_bool()) expected(key, *found, "a yes or no");
  return found->is_bool() && found->get_bool();
}

std::int64_t fact_reader::whole(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return 0;
  if (found->is_int64()) return found->get_int64();
  if (found->is_uint64()) {
    refuse(key, fmt::format("{} is larger than any number that is written there", found->get_uint64()));
  } else {
    expected(key, *found, "a whole number");
  }
  return 0;
}

std::uint64_t fact_reader::count(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return 0;
  if (found->is_uint64()) return found->get_uint64();
  if (found->is_int64() && found->get_int64() >= 0) return static_cast<std::uint64_t>(found->get_int64());
  expected(key, *found, "a whole number that is not negative");
  return 0;
}

std::int64_t fact_reader::whole_between(std::string_view key, std::int64_t least, std::int64_t most) {
  const std::int64_t found = whole(key);
  if (found >= least && found <= most) return found;
  refuse(key, fmt::format("{} is no time that a clock has shown, expected nanoseconds between {} and {}", found, least, most));
  return 0;
}

wall_time fact_reader::wall(std::string_view key) {
  return time_of<wall_time>(whole_between(key, earliest, latest_wall));
}

instant fact_reader::monotonic(std::string_view key) {
  return time_of<instant>(whole_between(key, earliest, latest_monotonic));
}

deployment::stamp fact_reader::stamp(std::string_view key) {
  fact_reader from = object(key);
  deployment::stamp made;
  made.boot_id = from.text("boot");
  made.monotonic = from.monotonic("monotonic");
  made.wall = from.wall("wall");
  return made;
}

std::size_t fact_reader::one_of(std::string_view key, std::span<const std::string_view> words) {
  const json::value* const found = find(key);
  if (found == nullptr) return 0;
  if (!found->is_string()) {
    expected(key, *found, "a word");
    return 0;
  }
  const auto at = std::ranges::find(words, std::string_view(found->get_string()));
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  // Serialized, since the word may be anyone's: quoted, and on one line.
  refuse(key, fmt::format("{} is none of the words that this version knows", json::serialize(*found)));
  return 0;
}

fact_reader fact_reader::object(std::string_view key) {
  const json::value* const found = find(key);
  if (found != nullptr && !found->is_object()) expected(key, *found, "an object");
  return {read_, found != nullptr && found->is_object() ? &found->get_object() : nullptr, fmt::format("{}{}.", path_, key)};
}

std::vector<fact_reader> fact_reader::objects(std::string_view key) {
  const json::value* const found = find(key);
  if (found == nullptr) return {};
  if (!found->is_array()) {
    expected(key, *found, "a list");
    return {};
  }
  std::vector<fact_reader> made;
  for (const json::value& entry : found->get_array()) {
    const std::string name = fmt::format("{}[{}]", key, made.size());
    if (!entry.is_object()) {
      expected(name, entry, "an object");
      return {};
    }
    made.push_back(fact_reader(read_, &entry.get_object(), fmt::format("{}{}.", path_, name)));
  }
  return made;
}

}  // namespace flipback::deployment
