#include "flipback/one_line.hpp"

#include "agent/serve/api.hpp"
#include "agent/serve/key_twice.hpp"
#include "agent/serve/routes.hpp"
#include "agent/serve/verbs.hpp"
#include "tests/agent/agent_at_rest.hpp"
#include "tests/fuzz/spoken.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

// An input is a request: whether it comes from this host or from another one, a line with method and target, headers, an empty line, a
// body. Whatever it is: what changes something was asked with the token, by a name of ours, by no other site's page, and with the route's
// own keys, each once; a refusal is JSON that says why, and nothing in any answer could act on a terminal.

using namespace flipback;
using fuzz::hold;
using serve::answer;
using serve::request;
namespace json = boost::json;

namespace {

constexpr std::string_view token = "0123456789abcdef0123";
constexpr std::string_view reached = "192.0.2.7";

std::string in_small(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return made;
}

std::string_view line_of(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

request request_in(std::string_view bytes) {
  request made;
  made.from = asio::ip::make_address(line_of(bytes) == "here" ? "127.0.0.1" : "198.51.100.1");
  made.to = asio::ip::make_address(reached);
  const std::string_view first = line_of(bytes);
  const std::size_t blank = std::min(first.find(' '), first.size());
  made.method = first.substr(0, blank);
  const std::string_view target = first.substr(std::min(blank + 1, first.size()));
  const std::size_t mark = std::min(target.find('?'), target.size());
  made.path = target.substr(0, mark);
  made.query = target.substr(std::min(mark + 1, target.size()));
  for (std::string_view line = line_of(bytes); !line.empty(); line = line_of(bytes)) {
    const std::size_t colon = std::min(line.find(": "), line.size());
    made.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
  }
  made.body = bytes;
  return made;
}

/// Read by itself, as a person would: what each header says, of all that are of this name.
std::vector<std::string> said(const request& what, std::string_view name) {
  std::vector<std::string> all;
  for (const auto& [its, value] : what.headers) {
    if (in_small(its) == name) all.push_back(value);
  }
  return all;
}

bool has_the_token(const request& what) {
  const auto all = said(what, "authorization");
  return all.size() == 1 && in_small(all.front().substr(0, 7)) == "bearer " && all.front().substr(7) == token;
}

bool is_by_a_name_of_ours(const request& what) {
  const auto all = said(what, "host");
  if (all.size() != 1) return false;
  std::string host = in_small(all.front());
  if (const std::size_t colon = host.rfind(':');
      colon != std::string::npos && host.find_first_not_of("0123456789:", colon) == std::string::npos)
    host.resize(colon);
  constexpr std::array names{"localhost", "127.0.0.1", "[::1]", "flipback.example.com"};
  if (std::ranges::find(names, host) != names.end()) return true;
  std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
  return host == reached || host == "::ffff:192.0.2.7" || host == "::ffff:c000:207";
}

bool is_of_another_site(const request& what) {
  const auto sites = said(what, "sec-fetch-site");
  if (!sites.empty() && sites != std::vector<std::string>{"none"} && sites != std::vector<std::string>{"same-origin"}) return true;
  const auto origins = said(what, "origin");
  const auto hosts = said(what, "host");
  return !origins.empty() &&
         (origins.size() > 1 || hosts.size() != 1 || !in_small(origins.front()).ends_with("://" + in_small(hosts.front())));
}

/// The agent, and the request that it is asked for just now.
struct asked_agent {
  test::agent_at_rest at{"[agent]\ntoken = \"" + std::string(token) + "\"\nhosts = [\"flipback.example.com\"]\n"};
  const request* now = nullptr;
  incident::traces seen;
  serve::api api{at.loop,
                 {[this]() -> generation& { return *at.of; }, [this](serve::demand what) { return ask(std::move(what)); },
                  [] { return serve::on_record{}; }, [] { return std::string("# nothing is measured\n"); },
                  [this]() -> const incident::traces& { return seen; }, [](std::string text) { return text; }}};

  asio::awaitable<serve::reply> ask(serve::demand what) {
    const auto found = serve::route_of(*now);
    hold(found && found->is->verb == what.verb && is_by_a_name_of_ours(*now) && !is_of_another_site(*now));
    if (found->is->needs == serve::asks_for::changing)
      is_well_asked(what, *found->is);
    else
      hold(now->method != "POST" && what.by.empty() && (has_the_token(*now) || now->from.is_loopback()));
    co_return co_await serve::answer_to(*at.of, {}, std::move(what));
  }

 private:
  void is_well_asked(const serve::demand& what, const serve::api::route& by) const {
    hold(now->method == "POST" && has_the_token(*now));
    hold(what.by.contains("HTTP API, from " + now->from.to_string()) && one_line(what.by) == what.by && what.by.size() < 300);
    hold(now->body.empty() || !serve::key_twice(now->body));
    for (const auto& [key, value] : what.values) {
      const auto known = std::ranges::find(by.keys, key, &serve::api::key::name);
      hold(known != by.keys.end() && (!known->is_flag || value == "yes"));
      hold(value.size() <= serve::longest_value || serve::wrong_with(what));
    }
  }
};

void is_fit(const request& what, const answer& made) {
  hold(made.status == 200 || made.status == 304 || (made.status >= 400 && made.status < 500));
  for (const auto& [name, value] : made.headers) hold(one_line(name + value) == name + value);
  if (made.status >= 400) {
    hold(made.type == "application/problem+json" && whole_lines(made.body) == made.body);
    boost::system::error_code error;
    const json::value read = json::parse(made.body, error);
    hold(!error && read.at("status").as_int64() == made.status && !read.at("detail").as_string().empty());
  } else if (made.type == "application/json" && what.path != "/api/v1/openapi.json") {
    boost::system::error_code error;
    (void)json::parse(made.body, error);
    hold(!error && whole_lines(made.body) == made.body);
  }
  if (made.status == 200) {
    const bool is_told_to_anybody = what.path == "/healthz" || what.path == "/metrics" || what.path == "/";
    hold(is_told_to_anybody || is_by_a_name_of_ours(what));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static asked_agent agent;
  const request what = request_in({reinterpret_cast<const char*>(data), size});
  agent.now = &what;
  is_fit(what, agent.at.now(agent.api.answer_to(what)));
  return 0;
}
