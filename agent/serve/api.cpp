#include "agent/serve/api.hpp"

#include "flipback/one_line.hpp"
#include "flipback/quoted.hpp"

#include "agent/event_lines.hpp"
#include "agent/serve/change_body.hpp"
#include "agent/serve/embedded.hpp"
#include "agent/serve/metrics.hpp"
#include "agent/serve/page.hpp"
#include "agent/serve/probe_list.hpp"
#include "agent/serve/problem.hpp"
#include "agent/serve/routes.hpp"
#include "agent/serve/rule_list.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::serve {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view in_json = "application/json";

std::string line(const json::object& page) {
  return escaped_json(json::serialize(page)) + "\n";
}

answer as_json(std::string text) {
  return {200, std::string(in_json), std::move(text)};
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// How a page that several can be had as is asked for: "?format=markdown"; "" where nothing is said.
std::string format_in(const std::string& query) {
  constexpr std::string_view key = "format=";
  for (std::string_view rest = query; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    if (one.starts_with(key)) return std::string(one.substr(key.size()));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return {};
}

/// What an answer calls by an option of the command line is called by its key; commands stay as they are typed.
std::string by_keys(const std::string& says, std::span<const api::key> keys) {
  std::string made;
  bool is_a_command = false;
  for (std::size_t at = 0; at < says.size();) {
    const std::string_view rest = std::string_view(says).substr(at);
    const auto named = std::ranges::find_if(keys, [&](const api::key& k) {
      return rest.starts_with("--") && rest.substr(2).starts_with(k.name) && !rest.substr(2 + k.name.size()).starts_with('-');
    });
    is_a_command = is_a_command != rest.starts_with('`');
    if (is_a_command || named == keys.end()) {
      made += says[at++];
      continue;
    }
    made += fmt::format("\"{}\"{}", named->name, named->is_flag ? ": true" : "");
    at += 2 + named->name.size();
  }
  return made;
}

/// No answer of the API is kept anywhere, nor taken for anything else than it says.
void add_headers(const request& what, answer& to) {
  if (!what.path.starts_with("/api/")) return;
  to.headers.emplace_back("Cache-Control", "no-store");
  to.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

}  // namespace

api::api(asio::io_context& loop, agent of)
    : of_(std::move(of)),
      streams_(loop, {[this] { return status_as_object(of_.now(), of_.known()); }, [this] { return rules_as_object(of_.now()); },
                      [this](const json::object& page) { return of_.typed(line(page)); }}) {}

asio::awaitable<answer> api::answer_to(const request& what) {
  answer made;
  if (auto route = route_of(what); !route) {
    made = std::move(route.error());
  } else if (auto refused = refusal(route->is->needs, what, configured())) {
    made = *std::move(refused);
  } else {
    const asked may{what, *route->is, std::move(route->part)};
    made = co_await (this->*may.by.answers)(may);
  }
  add_headers(what, made);
  co_return made;
}

void api::happened(const event& e, wall_time at) {
  if (e.severity >= severity::info && streams_.is_heard()) streams_.happened(json_line(e, at));
}

// The pages of old, and the page for people.

asio::awaitable<answer> api::front(const asked& what) {
  if (!wants_a_page(what.of)) co_return co_await health(what);
  if (auto refused = refusal(asks_for::our_name, what.of, configured())) co_return *std::move(refused);
  answer made = page_file("index.html", what.of);
  made.headers.emplace_back("Vary", "Accept");
  co_return made;
}

asio::awaitable<answer> api::health(const asked& /*what*/) {
  co_return as_json(of_.typed(health_text(of_.now(), of_.known())));
}

asio::awaitable<answer> api::metrics(const asked& /*what*/) {
  co_return answer{200, "text/plain; version=0.0.4; charset=utf-8", of_.metrics()};
}

asio::awaitable<answer> api::page(const asked& what) {
  co_return page_file(what.part, what.of);
}

// What the API tells.

asio::awaitable<answer> api::document(const asked& /*what*/) {
  co_return as_json(std::string(embedded("openapi.json")->bytes));
}

asio::awaitable<answer> api::session(const asked& what) {
  co_return as_json(line({{"may_read", true},
                          {"may_change", has_token(what.of, configured())},
                          {"token_is_configured", !configured().token.empty()},
                          {"version", FLIPBACK_VERSION}}));
}

/// As the command line's verb tells it. What can't be meant is a part of the path that names nothing.
asio::awaitable<answer> api::told_by(demand what) {
  reply told = co_await of_.ask(std::move(what));
  if (!told.done) co_return problem(told.wrong ? 404 : 409, without_line_end(std::move(told.text)));
  co_return as_json(std::move(told.text));
}

asio::awaitable<answer> api::tell(const asked& what) {
  demand verb{std::string(what.by.verb), {{"json", "yes"}}, {}};
  co_return co_await told_by(std::move(verb));
}

asio::awaitable<answer> api::rule(const asked& what) {
  demand verb{std::string(what.by.verb), {{"json", "yes"}, {"rule", what.part}}, {}};
  co_return co_await told_by(std::move(verb));
}

asio::awaitable<answer> api::incident(const asked& what) {
  struct format {
    std::string_view name;
    std::string_view type;
  };
  constexpr std::array<format, 4> formats{
      {{"json", in_json}, {"markdown", "text/markdown; charset=utf-8"}, {"svg", "image/svg+xml"}, {"text", "text/plain; charset=utf-8"}}};
  const std::string asked = format_in(what.of.query);
  const auto as = std::ranges::find(formats, asked.empty() ? "json" : std::string_view(asked), &format::name);
  if (as == formats.end()) co_return problem(400, fmt::format("format: found {}, expected json, markdown, svg or text", in_quotes(asked)));
  demand verb{std::string(what.by.verb), {{"incident", what.part}, {std::string(as->name), "yes"}}, {}};
  answer made = co_await told_by(std::move(verb));
  if (made.status == 200) made.type = as->type;
  co_return made;
}

asio::awaitable<answer> api::probes(const asked& /*what*/) {
  co_return as_json(of_.typed(line(probes_as_object(of_.now().probes()))));
}

asio::awaitable<answer> api::traced(const asked& /*what*/) {
  co_return as_json(line(of_.traces().as_object()));
}

asio::awaitable<answer> api::events(const asked& what) {
  if (what.of.method == "HEAD") co_return answer{200, "text/event-stream", ""};
  auto told = streams_.open();
  if (told) co_return answer{200, "text/event-stream", "", {}, std::move(told)};
  answer made = problem(429, fmt::format("found {} who listen to events already, expected fewer; close one, and ask again", streams::most));
  made.headers.emplace_back("Retry-After", "15");
  co_return made;
}

// What the API does.

asio::awaitable<answer> api::change(const asked& what) {
  auto verb = demand_of(what);
  if (!verb) co_return std::move(verb.error());
  const reply came = co_await of_.ask(*std::move(verb));
  const std::string says = without_line_end(came.text);
  if (!came.done) co_return problem(came.wrong ? 422 : 409, by_keys(says, what.by.keys));
  co_return as_json(line({{"done", true}, {"says", says}}));
}

}  // namespace flipback::serve
