#pragma once

#include "probes/net/network.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::s3 {

/// An element of an XML document: S3's answers have no attributes that matter.
struct element {
  std::string name;
  std::string text;  ///< its own, without its children's
  std::vector<element> children;

  [[nodiscard]] const element* child(std::string_view named) const;      ///< the first of that name
  [[nodiscard]] std::string_view text_of(std::string_view named) const;  ///< of that child; empty where there is none
};

/// The root of the XML document that an answer's body is, or why it is none (`bad_answer`). At most 16 elements deep, 20,000 in
/// all, and without a document type: so there are no entities but XML's own five, and nothing that could be expanded.
net::result<element> parse_xml(std::string_view body);

}  // namespace flipback::s3
