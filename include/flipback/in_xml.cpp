#include "flipback/in_xml.hpp"

#include "flipback/one_line.hpp"

#include <array>
#include <utility>

namespace flipback {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

std::string in_xml(std::string_view says) {
  std::string text = one_line(says);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> written{
      {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"\xef\xbf\xbe", "?"}, {"\xef\xbf\xbf", "?"}}};
  for (const auto& [what, by] : written) text = replaced(std::move(text), what, by);
  return text;
}

}  // namespace flipback
