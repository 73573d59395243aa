#include "probes/s3/xml.hpp"

#include "probes/net/gzip.hpp"

#include <fmt/format.h>

#include <expat.h>

#include <algorithm>
#include <memory>

namespace flipback::s3 {

namespace {

constexpr std::size_t deepest = 16;
constexpr std::size_t longest_tag = 4096;      ///< bytes; S3's have one attribute at most
constexpr std::size_t most_elements = 20'000;  ///< a page of a listing has at most 1,000 objects, of a dozen elements each

/// What is read as expat tells it. The path holds the open elements: each is moved into its parent when it ends.
struct reading {
  XML_Parser by;
  std::vector<element> path;
  element root;
  std::size_t elements = 0;
  std::string_view refused;

  void refuse(std::string_view why) {
    refused = why;
    XML_StopParser(by, XML_FALSE);
  }
};

/// Whether a tag is longer than this, its attributes counted in. Expat holds each attribute against all others.
bool has_tag_beyond(std::string_view text, std::size_t most) {
  for (std::size_t at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("<!--") || rest.starts_with("<![CDATA[")) {
      at = text.find(rest[2] == '-' ? "-->" : "]]>", at);
      continue;
    }
    char quote = 0;
    for (const std::size_t begun = at; at < text.size() && (quote != 0 || text[at] != '>'); ++at) {
      if (at - begun > most) return true;
      const char c = text[at];
      if (quote == 0 && (c == '"' || c == '\''))
        quote = c;
      else if (c == quote)
        quote = 0;
    }
  }
  return false;
}

void XMLCALL begin(void* to, const XML_Char* name, const XML_Char** /*attributes*/) {
  auto& r = *static_cast<reading*>(to);
  if (r.path.size() >= deepest) return r.refuse("is nested too deep");
  if (++r.elements > most_elements) return r.refuse("has more than 20,000 elements");
  r.path.push_back({name, {}, {}});
}

void XMLCALL end(void* to, const XML_Char* /*name*/) {
  auto& r = *static_cast<reading*>(to);
  if (r.path.empty()) return;  // refused in this very element
  element done = std::move(r.path.back());
  r.path.pop_back();
  if (r.path.empty())
    r.root = std::move(done);
  else
    r.path.back().children.push_back(std::move(done));
}

void XMLCALL characters(void* to, const XML_Char* text, int size) {
  auto& r = *static_cast<reading*>(to);
  if (!r.path.empty()) r.path.back().text.append(text, static_cast<std::size_t>(size));
}

void XMLCALL document_type(void* to, const XML_Char* /*name*/, const XML_Char* /*system*/, const XML_Char* /*id*/, int /*internal*/) {
  static_cast<reading*>(to)->refuse("has a document type");
}

}  // namespace

const element* element::child(std::string_view named) const {
  const auto found = std::ranges::find(children, named, &element::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view element::text_of(std::string_view named) const {
  const element* found = child(named);
  return found == nullptr ? std::string_view() : found->text;
}

net::result<element> parse_xml(std::string_view body) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) throw std::bad_alloc();
  reading r{parser.get(), {}, {}, 0, {}};
  XML_SetUserData(parser.get(), &r);
  XML_SetElementHandler(parser.get(), begin, end);
  XML_SetCharacterDataHandler(parser.get(), characters);
  XML_SetStartDoctypeDeclHandler(parser.get(), document_type);
  if (body.empty()) return std::unexpected(net::failure{reason::bad_answer, "the body is empty, expected XML"});
  if (net::is_gzip(body)) return std::unexpected(net::failure{reason::bad_answer, fmt::format("{}; expected XML", net::says_gzip)});
  if (has_tag_beyond(body, longest_tag))
    return std::unexpected(net::failure{reason::bad_answer, "the XML in the body has a tag of more than 4KiB"});
  if (XML_Parse(parser.get(), body.data(), static_cast<int>(body.size()), XML_TRUE) == XML_STATUS_OK) return std::move(r.root);
  if (!r.refused.empty()) return std::unexpected(net::failure{reason::bad_answer, fmt::format("the XML in the body {}", r.refused)});
  return std::unexpected(
      net::failure{reason::bad_answer, fmt::format("the body is not XML: {}", XML_ErrorString(XML_GetErrorCode(parser.get())))});
}

}  // namespace flipback::s3
