#pragma once

#include "agent/deployment/fact_text.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::deployment {

/// Reads one JSON object, key by key and strictly. What is missing or of another type than was asked for is remembered (the first of it, by
/// its name: "put.change: found a string, expected a whole number"), and an empty value is given in its place; `finish` then gives the
/// problem instead of the fact. Keys that nobody asks for are no problem.
class fact_reader {
 public:
  /// `what` is what the object is called in messages: "the hold". A text that is no JSON object is a problem, too.
  fact_reader(std::string_view text, std::string what);

  std::string text(std::string_view key);
  std::string bytes(std::string_view key);
  bool yes_or_no(std::string_view key);
  std::int64_t whole(std::string_view key);
  std::uint64_t count(std::string_view key);  ///< a whole number that is not negative
  wall_time wall(std::string_view key);       ///< a time that no clock can have shown is a problem
  instant monotonic(std::string_view key);
  deployment::stamp stamp(std::string_view key);
  /// The place of the key's text among these words.
  std::size_t one_of(std::string_view key, std::span<const std::string_view> words);
  fact_reader object(std::string_view key);
  std::vector<fact_reader> objects(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const;

  /// Adds a problem of the caller's own: what the key's value must be and is not.
  void refuse(std::string_view key, std::string why);
  /// Of this object, and of all that were read out of it or that it was read out of.
  [[nodiscard]] bool good() const;
  template <typename T>
  std::expected<T, std::string> finish(T fact) const {
    if (!good()) return std::unexpected(problem());
    return fact;
  }

 private:
  struct document;
  fact_reader(std::shared_ptr<document> read, const boost::json::object* at, std::string path);
  const boost::json::value* find(std::string_view key);
  std::int64_t whole_between(std::string_view key, std::int64_t least, std::int64_t most);
  void expected(std::string_view key, const boost::json::value& found, std::string_view what);
  [[nodiscard]] std::string problem() const;

  std::shared_ptr<document> read_;
  const boost::json::object* at_ = nullptr;
  std::string path_;  ///< "" or "begun.from."
};

}  // namespace flipback::deployment
