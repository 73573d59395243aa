#include "agent/notify/targets/access.hpp"
#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/body_template.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/with_text.hpp"
#include "probes/net/api.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::notify {

namespace {

namespace json = boost::json;

struct terms {
  net::api_access access;
  body_template body;  ///< empty: the letter as it is
};

class webhook_target final : public target {
 public:
  webhook_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string&, run& r) override {
    const json::object values = with_text(what);
    std::string body = terms_.body.empty() ? json::serialize(values) : terms_.body.filled(values);
    std::vector<std::pair<std::string, std::string>> headers;
    headers.emplace_back("Idempotency-Key", what.id());
    if (!has_header(terms_.access, "Content-Type")) headers.emplace_back("Content-Type", "application/json");
    net::api_session session(through_, terms_.access, r);
    const auto answer = co_await session.ask("POST", "", std::move(body), std::move(headers));
    co_return attempt_of(answer, terms_.access);
  }

 private:
  net::network& through_;
  terms terms_;
};

/// "line 2, column 14" of a text, as an editor counts them.
std::string place_in(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const std::size_t line_begins = before.rfind('\n') + 1;  // 0 where there is none before
  const auto is_a_character = [](unsigned char c) { return (c & 0xC0U) != 0x80U; };
  return fmt::format("line {}, column {}", std::ranges::count(before, '\n') + 1,
                     std::ranges::count_if(before.substr(line_begins), is_a_character) + 1);
}

body_template read_body(settings::section& from) {
  const auto written = from.text("body");
  if (!written) return {};
  auto read = body_template::of(*written, with_text(letter{.matter = "20261127T090411.791Z"}));
  if (!read) from.report("body", fmt::format("in its {}: {}", place_in(*written, read.error().at), read.error().says));
  return read.value_or(body_template());
}

}  // namespace

std::unique_ptr<target> make_webhook_target(settings::section& from, net::network& through) {
  terms t;
  t.access = read_hidden_address(from, "url", "https://hooks.example.com/flipback");
  net::read_credentials(from, t.access);
  net::read_headers(from, t.access);
  if (has_header(t.access, "Idempotency-Key")) from.report("headers", "has an Idempotency-Key, which is each letter's id and can't be set");
  t.body = read_body(from);
  from.finish();
  return std::make_unique<webhook_target>(through, std::move(t));
}

}  // namespace flipback::notify
