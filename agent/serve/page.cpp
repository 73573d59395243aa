#include "agent/serve/page.hpp"

#include "flipback/quoted.hpp"

#include "agent/serve/embedded.hpp"
#include "agent/serve/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::serve {

namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action "
    "'none'; "
    "frame-ancestors 'none'";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{{{".html", "text/html; charset=utf-8"},
                                                                              {".css", "text/css; charset=utf-8"},
                                                                              {".js", "text/javascript; charset=utf-8"},
                                                                              {".svg", "image/svg+xml"},
                                                                              {".png", "image/png"}}};

std::string type_of(std::string_view name) {
  const auto found = std::ranges::find_if(types, [&](const auto& t) { return name.ends_with(t.first); });
  return std::string(found == types.end() ? "text/plain; charset=utf-8" : found->second);
}

}  // namespace

bool wants_a_page(const request& what) {
  return what.header("Accept").value_or("").find("text/html") != std::string_view::npos;
}

answer page_file(const std::string& name, const request& what) {
  const embedded_file* const file = embedded("page/" + name);
  if (file == nullptr) return problem(404, fmt::format("found the file {}, expected one of the page's own", in_quotes(name)));
  const std::string tag = fmt::format("\"{}\"", file->tag);
  answer made{200,
              type_of(name),
              std::string(file->bytes),
              {{"ETag", tag},
               {"Cache-Control", "no-cache"},
               {"Content-Security-Policy", std::string(policy)},
               {"Referrer-Policy", "no-referrer"},
               {"X-Content-Type-Options", "nosniff"}}};
  if (what.header("If-None-Match").value_or("").find(tag) == std::string_view::npos) return made;
  made.status = 304;
  made.body.clear();
  return made;
}

}  // namespace flipback::serve
