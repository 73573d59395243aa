#include "flipback/one_line.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/picture.hpp"
#include "agent/incident/report.hpp"

#include <boost/json.hpp>

#include <expat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// An input is what a damaged history holds of one incident: a line each of its events. Whatever that is: an event is written and read again
// the same, and the incident is told as text that acts on no terminal, as JSON, and as a picture that is XML, of a bounded size, in which
// nothing is drawn outside.

using namespace flipback;
using namespace flipback::incident;
namespace json = boost::json;

namespace {

void hold(bool condition) {
  if (!condition) std::abort();
}

constexpr std::size_t most_lines = 200;

/// What is drawn lies within the picture.
void on_element(void* /*user*/, const XML_Char* name, const XML_Char** attributes) {
  constexpr std::array<std::string_view, 8> coordinates{"x", "y", "x1", "x2", "y1", "y2", "width", "height"};
  for (; *attributes != nullptr; attributes += 2) {
    if (std::string_view(name) == "svg" || std::ranges::find(coordinates, attributes[0]) == coordinates.end()) continue;
    char* end = nullptr;
    const double is = std::strtod(attributes[1], &end);
    hold(*end == '\0' && std::isfinite(is) && is >= 0 && is < 100'000);
  }
}

void is_a_picture(const std::string& svg, std::size_t of_bytes) {
  hold(svg.size() < 40'000 + 40 * of_bytes);
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  XML_SetStartElementHandler(parser.get(), on_element);
  hold(XML_Parse(parser.get(), svg.data(), static_cast<int>(svg.size()), 1) == XML_STATUS_OK);
}

std::vector<happening> happened_in(std::string_view bytes) {
  std::vector<happening> all;
  wall_time at{std::chrono::seconds(1'700'000'000)};
  while (!bytes.empty() && all.size() < most_lines) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    auto read = event_in(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (!read) continue;
    const auto again = event_in(json_line(*read, at));
    hold(again && again->kind == read->kind && again->says == read->says && json_line(*again, at) == json_line(*read, at));
    const std::string line = text_line(*read, at);
    hold(one_line(line) == line);
    all.push_back({at, *std::move(read)});
    at += std::chrono::milliseconds(1700);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto all = happened_in({reinterpret_cast<const char*>(data), size});
  if (all.empty()) return 0;
  const report r = report_of(all);
  hold(r.all.size() <= all.size() && !r.outcome.empty() && !r.next.type.empty());
  const std::string text = as_text(r);
  hold(whole_lines(text) == text);
  const std::string page = as_markdown(r);
  hold(whole_lines(page) == page);
  boost::system::error_code error;
  (void)json::parse(escaped_json(json::serialize(as_object(r))), error);
  hold(!error);
  is_a_picture(as_svg(r), size);
  const std::string list = list_of(all);
  hold(whole_lines(list) == list && list_as_object(all).at("incidents").as_array().size() <= all.size());
  return 0;
}
