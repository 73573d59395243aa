#include "flipback/percent.hpp"
#include "flipback/unix_milliseconds.hpp"

#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace flipback::notify {

namespace {

namespace json = boost::json;

constexpr std::size_t most_in_text = 4000;

struct terms {
  net::api_access access;
  std::string dashboard;  ///< its uid; empty: annotations of the organisation, which every dashboard can show by their tags
  std::vector<std::string> tags;
};

/// Grafana shows an annotation's text as HTML.
std::string as_html(std::string_view text) {
  std::string made = with_entities(cut(text, most_in_text));
  for (std::size_t at; (at = made.find('\n')) != std::string::npos;) made.replace(at, 1, "<br>");
  return made;
}

std::optional<std::int64_t> number_in(std::string_view kept) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(kept.data(), kept.data() + kept.size(), number);
  const bool is_whole = error == std::errc{} && end == kept.data() + kept.size() && number > 0;
  return is_whole ? std::optional(number) : std::nullopt;
}

/// What was made or changed, by the number that the next letter changes it by.
attempt keeping(attempt made, std::optional<std::int64_t> id) {
  if (made.is == attempt::result::delivered && id) made.kept = fmt::format("{}", *id);
  return made;
}

/// One annotation a matter: a line at its beginning, and once it is over the time that it lasted.
class grafana_target final : public target {
 public:
  grafana_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] bool takes(subject s) const override { return s != subject::notice; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) override {
    net::api_session session(through_, terms_.access, r);
    std::optional<std::int64_t> id = number_in(kept);
    if (!id) {
      // An answer may have been lost: the matter's own tag finds what was made then.
      const auto found = co_await session.get(fmt::format("/api/annotations?limit=1&tags={}", percent_encoded(what.matter)));
      const attempt asked = attempt_of(found, terms_.access);
      if (asked.is != attempt::result::delivered) co_return asked;
      id = whole_at(*found, "/0/id");
    }
    const std::string annotation = json::serialize(annotation_of(what));
    if (id) {
      const auto changed = co_await session.ask("PATCH", fmt::format("/api/annotations/{}", *id), annotation, as_json());
      const bool is_gone = changed && changed->status == 404;
      if (!is_gone) co_return keeping(attempt_of(changed, terms_.access), id);
    }
    const auto posted = co_await session.post("/api/annotations", annotation);
    co_return keeping(attempt_of(posted, terms_.access), posted ? whole_at(*posted, "/id") : std::nullopt);
  }

 private:
  [[nodiscard]] json::object annotation_of(const letter& what) const {
    json::array tags{"flipback", name_of(what.about), what.matter};
    for (const std::string& tag : terms_.tags) tags.emplace_back(tag);
    json::object made{{"time", unix_milliseconds(what.began)}, {"tags", std::move(tags)}, {"text", as_html(as_text(what))}};
    if (what.at == stage::ended) made["timeEnd"] = unix_milliseconds(what.written);
    if (!terms_.dashboard.empty()) made["dashboardUID"] = terms_.dashboard;
    return made;
  }

  static std::vector<std::pair<std::string, std::string>> as_json() {
    std::vector<std::pair<std::string, std::string>> made;
    made.emplace_back("Content-Type", "application/json");
    return made;
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<target> make_grafana_target(settings::section& from, net::network& through) {
  terms t;
  t.access = net::read_api_access(from, "http://127.0.0.1:3000");
  net::read_credentials(from, t.access);
  if (t.access.secrets.empty()) from.report_here("has neither a token nor a user with a password, expected one of them");
  t.dashboard = from.text("dashboard", "");
  t.tags = from.texts("tags");
  from.finish();
  return std::make_unique<grafana_target>(through, std::move(t));
}

}  // namespace flipback::notify
