#include "probes/net/redirects.hpp"

#include "flipback/quoted.hpp"

#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::net {

namespace {

failure refused_to(reason why, std::string_view location, std::string_view says) {
  return {why, fmt::format("redirects to {}, {}", flipback::quoted(location.substr(0, location.find_first_of("?#"))), says)};
}

/// A path without "." and ".." (RFC 3986, 5.2.4).
std::string without_dots(std::string_view path) {
  std::string made;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/', 1));  // with the slash before it
    const bool last = segment.size() == path.size();
    if (segment == "/..") made.resize(made.rfind('/') == std::string::npos ? 0 : made.rfind('/'));
    if (segment != "/." && segment != "/..")
      made += segment;
    else if (last)
      made += '/';
    path.remove_prefix(segment.size());
  }
  return made.empty() ? "/" : made;
}

/// The target of a reference without scheme and host.
std::string target_from(std::string_view base, std::string_view reference) {
  const std::string_view path = base.substr(0, base.find('?'));
  if (reference.empty()) return std::string(base);
  if (reference.starts_with('?')) return fmt::format("{}{}", path, reference);
  const std::size_t query = std::min(reference.find('?'), reference.size());
  const std::string_view directory = reference.starts_with('/') ? std::string_view() : path.substr(0, path.rfind('/') + 1);
  return without_dots(fmt::format("{}{}", directory, reference.substr(0, query))) + std::string(reference.substr(query));
}

bool has_scheme(std::string_view reference) {
  const std::size_t colon = reference.find(':');
  return colon != std::string_view::npos && colon < reference.find_first_of("/?#");
}

bool leads_on(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// The request that follows a redirect (RFC 9110, 15.4): after 303 it is a GET, and so it is, as everyone does it, where a POST got a 301
/// or 302.
http_request following(const http_request& before, url to, unsigned status) {
  http_request next = before;
  const bool becomes_get = status == 303 ? before.method != "HEAD" : before.method == "POST" && status <= 302;
  if (becomes_get) {
    next.method = "GET";
    next.body.clear();
  }
  if (!same_place(before.to, to)) {
    std::erase_if(next.headers, [](const auto& header) { return !is_public_header(header.first); });
    next.host.clear();
    next.body.clear();
    next.tls.server_name.clear();
    next.tls.client_certificate.clear();
    next.tls.client_key.clear();
  }
  next.to = std::move(to);
  return next;
}

void add_times(http_times& sum, const http_times& more) {
  sum.connecting.resolve += more.connecting.resolve;
  sum.connecting.connect += more.connecting.connect;
  sum.connecting.tls += more.connecting.tls;
  sum.first_byte += more.first_byte;
  sum.transfer += more.transfer;
  sum.total += more.total;
}

}  // namespace

result<url> redirected(const url& from, std::string_view location) {
  std::string reference(location.substr(0, location.find('#')));
  if (std::ranges::any_of(reference, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return std::unexpected(refused_to(reason::bad_answer, location, "which has a space or a control character in it"));
  if (reference.starts_with("//")) reference.insert(0, from.tls ? "https:" : "http:");
  if (!has_scheme(reference)) {
    url next = from;
    next.target = target_from(from.target, reference);
    return next;
  }
  std::transform(reference.begin(), reference.begin() + static_cast<std::ptrdiff_t>(reference.find(':')), reference.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::span followed = std::span(http_schemes).first(2);  // never into a Unix socket of ours
  auto next = parse_url(reference, followed);
  if (!next) return std::unexpected(refused_to(reason::bad_answer, location, fmt::format("which {}", flipback::quoted(next.error()))));
  if (from.tls && !next->tls) return std::unexpected(refused_to(reason::bad_status, location, "and from https to http it is not followed"));
  return std::move(*next);
}

asio::awaitable<result<http_answer>> exchange_following(network& through, http_client& client, const http_request& ask, unsigned most,
                                                        run& r) {
  auto answer = co_await client.exchange(ask, r);
  http_request next = ask;
  for (unsigned followed = 0; answer && leads_on(answer->status); ++followed) {
    const std::string* location = answer->header("Location");
    if (location == nullptr) break;
    auto to = redirected(next.to, *location);
    if (!to) co_return std::unexpected(std::move(to.error()));
    if (followed == most) {
      const std::string limit = fmt::format("after {} of them, and more are not followed (redirects)", most);
      co_return std::unexpected(refused_to(reason::bad_status, *location, limit));
    }
    const bool keeps_body = !next.body.empty();
    next = following(next, std::move(*to), answer->status);
    if (keeps_body && next.body.empty() && next.method != "GET")
      co_return std::unexpected(refused_to(reason::bad_status, *location, "where the request's body is not sent"));
    const http_times before = answer->times;
    const auto days = answer->certificate_days;
    if (same_place(ask.to, next.to)) {
      answer = co_await client.exchange(next, r);
    } else {
      http_client elsewhere(through, false);
      answer = co_await elsewhere.exchange(next, r);
    }
    if (!answer) break;
    add_times(answer->times, before);
    if (days) answer->certificate_days = std::min(*days, answer->certificate_days.value_or(*days));
  }
  co_return answer;
}

}  // namespace flipback::net
