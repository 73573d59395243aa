#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::notify {

/// JSON with places in it, `{{title}}`, for what a letter says. A place that stands for itself becomes a whole JSON value, its quotes
/// included; one inside of a string becomes text in that string, and may then be none of the lists.
class body_template {
 public:
  struct problem {
    std::size_t at = 0;  ///< the byte of the template
    std::string says;
  };
  body_template() = default;
  /// `values` are all places that there are, each with a value of the kind that it always has. What can't become JSON with them is a
  /// problem.
  static std::expected<body_template, problem> of(std::string_view written, const boost::json::object& values);
  /// The JSON, with these values in the places.
  [[nodiscard]] std::string filled(const boost::json::object& values) const;
  [[nodiscard]] bool empty() const { return parts_.empty(); }

 private:
  struct part {
    std::string text;  ///< as it is sent, or the place's name
    bool is_place = false;
    bool in_string = false;
    std::size_t at = 0;  ///< the byte of the template where it begins
  };
  void append(std::string_view text, std::size_t at);
  [[nodiscard]] static std::string written_as(const part& p, const boost::json::value& value);

  std::vector<part> parts_;
};

}  // namespace flipback::notify
