#pragma once

#include <string>
#include <string_view>

namespace flipback {

/// Every `what` of it written as `by`.
std::string replaced(std::string text, std::string_view what, std::string_view by);

/// A text of one line, fit for an attribute and for text of an XML document alike. What XML has no place for is written as it is in
/// `one_line`; U+FFFE and U+FFFF are "?".
std::string in_xml(std::string_view says);

}  // namespace flipback
