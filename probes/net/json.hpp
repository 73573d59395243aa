#pragma once

#include "probes/net/network.hpp"

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::net {

namespace json = boost::json;

/// A document that has been read. Copies share it.
class json_document {
 public:
  explicit json_document(json::value read) : read_(std::make_shared<const json::value>(std::move(read))) {}
  operator const json::value&() const { return *read_; }
  const json::value* operator->() const { return read_.get(); }

 private:
  std::shared_ptr<const json::value> read_;
};

/// The JSON document that an answer's body is, or why it is none (`bad_answer`): empty, HTML, cut short, nested too deep, no UTF-8.
result<json_document> parse_json(std::string_view body);

/// Memory of which no more than this is given: beyond it std::bad_alloc.
class bounded_memory final : public json::memory_resource {
 public:
  explicit bounded_memory(std::size_t most) : left_(most) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* what, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }

  std::size_t left_;
};

/// Reads a document as its bytes come, some at a time. One of a mebibyte takes up to 60 ms, which would keep every other probe waiting, and
/// 16 MiB where it is made for that: of that no more than 12 MiB are given.
class json_in_parts {
 public:
  json_in_parts();

  /// What has come of the body by now: it begins with what was taken before.
  void take(std::string_view body);

  /// The same as parse_json says of the body, which is all taken.
  result<json_document> whole(std::string_view body);

 private:
  json::storage_ptr memory_;
  json::stream_parser parser_;
  boost::system::error_code error_;
  bool takes_too_much_ = false;
  std::size_t taken_ = 0;
};

/// What is at a JSON pointer (RFC 6901), where it is of that kind. A field that is not there or is null is nothing.
const json::value* value_at(const json::value& in, std::string_view pointer);
const json::array* array_at(const json::value& in, std::string_view pointer);
std::optional<std::string> text_at(const json::value& in, std::string_view pointer);
std::optional<double> number_at(const json::value& in, std::string_view pointer);
std::optional<bool> boolean_at(const json::value& in, std::string_view pointer);

}  // namespace flipback::net
