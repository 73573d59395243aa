#include "agent/deployment/blame.hpp"

#include "agent/deployment/ask.hpp"
#include "agent/task_group.hpp"
#include "probes/quoted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr std::size_t most_asked = 3;
constexpr double most_of_all = 0.8;  ///< a client or a request with this share of the errors is named
constexpr double half_of_requests = 0.5;
constexpr double one_address_for_all = 0.9;
constexpr std::size_t longest_name = 80;

struct question {
  std::string method;
  std::string path;
};

/// "GET /api/search": a request that may be repeated, since it changes nothing (RFC 9110, 9.2.1).
std::optional<question> question_in(const std::string& request) {
  const std::size_t space = request.find(' ');
  if (space == std::string::npos || request.size() <= space + 1 || request[space + 1] != '/') return std::nullopt;
  question made{request.substr(0, space), request.substr(space + 1)};
  const bool harmless = made.method == "GET" || made.method == "HEAD";
  const bool sendable = std::ranges::all_of(made.path, [](unsigned char c) { return c > ' ' && c != 0x7f; });
  return harmless && sendable ? std::optional(std::move(made)) : std::nullopt;
}

struct reply {
  std::string of;
  bool well = false;
  std::string says;
};

asio::awaitable<void> put(question what, const config::slot& stable, const std::string& host, net::network& through, duration limit,
                          reply& into) {
  into.of = fmt::format("{} {}", what.method, quoted(what.path, {}, longest_name));
  net::http_request request;
  request.method = what.method;
  const auto to = net::parse_url(stable.url);
  if (!to) co_return;
  request.to = *to;
  request.to.target = std::move(what.path);
  request.host = host;
  const auto got = co_await ask(through, std::move(request), limit);
  into.well = got ? got->status < 500 : got.error().why == reason::too_large;
  into.says = got ? fmt::format("{}", got->status) : got.error().says;
}

/// "one client (10.0.0.7) makes 91% of the errors"; empty where they have nothing in common.
std::string in_common(const error_shares& errors) {
  if (!errors.clients.empty() && errors.clients.front().share >= most_of_all)
    return fmt::format("one client ({}) makes {} of the errors", quoted(errors.clients.front().of, {}, longest_name),
                       format_ratio(errors.clients.front().share));
  if (!errors.requests.empty() && errors.requests.front().share >= most_of_all)
    return fmt::format("{} of the errors are {}", format_ratio(errors.requests.front().share),
                       quoted(errors.requests.front().of, {}, longest_name));
  return {};
}

std::string joined(std::vector<std::string> parts) {
  std::erase(parts, std::string());
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

std::string one_client_makes(const error_shares& errors) {
  if (errors.clients.empty() || errors.requesters.empty()) return {};
  const error_share& client = errors.clients.front();
  const auto asks = std::ranges::find(errors.requesters, client.of, &error_share::of);
  const double of_requests = asks == errors.requesters.end() ? 0 : asks->share;
  if (client.share < most_of_all || of_requests >= half_of_requests || errors.requesters.front().share >= one_address_for_all) return {};
  return fmt::format("one client ({}) makes {} of the errors, and {} of the requests", quoted(client.of, {}, longest_name),
                     format_ratio(client.share), of_requests > 0 ? format_ratio(of_requests) : "few");
}

asio::awaitable<blame> whom_to_blame(asio::io_context& loop, net::network& through, const config::slot& stable, const std::string& host,
                                     error_shares errors, const ailing& shared, duration limit) {
  std::vector<question> questions;
  for (const error_share& r : errors.requests) {
    auto one = question_in(r.of);
    if (one && questions.size() < most_asked) questions.push_back(std::move(*one));
  }
  std::vector<reply> replies(questions.size());
  {
    task_group asked(loop, [](const std::string&) {});
    for (std::size_t i = 0; i < questions.size(); ++i) asked.spawn(put(std::move(questions[i]), stable, host, through, limit, replies[i]));
    co_await asked.join();
  }
  const std::string ill = shared.empty() ? "" : fmt::format("{} {} ill", fmt::join(shared, ", "), shared.size() == 1 ? "is" : "are");
  const std::string common = in_common(errors);
  if (replies.empty()) {
    const std::string why = errors.errors == 0 ? "no log tells who has the errors" : "no failing request may be repeated";
    co_return blame{false, joined({fmt::format("can't tell who is to blame: {}", why), common, ill})};
  }
  const auto well = std::ranges::find(replies, true, &reply::well);
  if (well != replies.end())
    co_return blame{false,
                    joined({fmt::format("{} is well where users get errors ({}: {})", stable.name, well->of, well->says), common, ill})};
  std::vector<std::string> failed;
  for (const reply& r : replies) failed.push_back(fmt::format("{}: {}", r.of, r.says));
  co_return blame{true, joined({fmt::format("{} fails the same ({})", stable.name, fmt::join(failed, ", ")), common, ill})};
}

}  // namespace flipback::deployment
