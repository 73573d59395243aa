#include "probes/net/json.hpp"

#include "probes/net/gzip.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <new>

namespace flipback::net {

namespace {

constexpr std::size_t deepest = 32;
constexpr std::size_t most_memory = 12 * 1024 * 1024;

json::parse_options how() {
  json::parse_options options;
  options.max_depth = deepest;
  return options;
}

/// A byte order mark, which a reader may pass over (RFC 8259, 8.1).
std::size_t mark_before(std::string_view body) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  return body.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
}

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

result<json_document> parse_json(std::string_view body) {
  body.remove_prefix(mark_before(body));
  boost::system::error_code error;
  json::value document = json::parse(body, error, {}, how());
  if (error) return std::unexpected(no_json(body, error));
  return json_document(std::move(document));
}

void* bounded_memory::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > left_) throw std::bad_alloc();
  void* const made = ::operator new(bytes, std::align_val_t(alignment));
  left_ -= bytes;
  return made;
}

void bounded_memory::do_deallocate(void* what, std::size_t bytes, std::size_t alignment) {
  ::operator delete(what, std::align_val_t(alignment));  // Boost 1.81's monotonic_resource gives back a size without its block's head
  left_ += bytes;
}

// What a document is made of is given back at once: value by value it would take as long as reading does.
json_in_parts::json_in_parts() : memory_(json::make_shared_resource<bounded_memory>(most_memory)), parser_(memory_, how()) {
  parser_.reset(json::make_shared_resource<json::monotonic_resource>(1024, memory_));
}

void json_in_parts::take(std::string_view body) {
  if (error_ || takes_too_much_) return;
  if (taken_ == 0) taken_ = mark_before(body);
  const std::string_view more = body.substr(taken_);
  taken_ = body.size();
  try {
    parser_.write(more.data(), more.size(), error_);
  } catch (const std::bad_alloc&) {
    takes_too_much_ = true;
  }
}

result<json_document> json_in_parts::whole(std::string_view body) {
  try {
    if (!error_ && !takes_too_much_) parser_.finish(error_);
  } catch (const std::bad_alloc&) {
    takes_too_much_ = true;
  }
  if (takes_too_much_) return std::unexpected(failure{reason::too_large, "the JSON in the body takes more than 12MiB of memory"});
  if (error_) return std::unexpected(no_json(body.substr(mark_before(body)), error_));
  return json_document(parser_.release());
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
