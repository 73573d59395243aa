#include "probes/access_log/line_format.hpp"

#include "probes/nginx/directives.hpp"

namespace flipback::access_log {

line_format::line_format(field_keys keys) : keys_(keys), json_(std::move(keys)) {}

std::expected<line_format, std::string> line_format::from_text(std::string_view text) {
  line_format made(recommended_keys());
  if (text == "json") return made;
  nginx::log_format written{.name = {}, .text = std::string(text), .escape = "default"};
  if (text == "combined") {
    written.text = nginx::combined;
  } else if (text.starts_with("log_format")) {
    const auto directives = nginx::parse_directives(text);
    const auto read = directives.size() == 1 ? nginx::log_format_in(directives.front()) : std::nullopt;
    if (!read) return std::unexpected("is no whole directive, expected log_format NAME '…';");
    written = *read;
  } else if (!text.contains('$')) {
    return std::unexpected(
        "has no variable, expected \"json\", \"combined\" or a log_format's text such as '$remote_addr [$time_local] …'");
  }
  made.escaped_ = written.escape != "none";
  auto compiled = pattern::compile(written.text, made.escaped_);
  if (!compiled) return std::unexpected(compiled.error());
  made.pattern_ = std::move(*compiled);
  return made;
}

bool line_format::has(field f) const {
  return pattern_ ? pattern_->has(f) : !keys_[static_cast<std::size_t>(f)].empty();
}

std::string line_format::written_as(field f) const {
  return pattern_ ? "$" + std::string(best_variable_for(f)) : std::string(name_of(f));
}

}  // namespace flipback::access_log
