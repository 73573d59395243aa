#include "probes/prometheus/api.hpp"

#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::prometheus {

namespace {

constexpr std::size_t answer_limit = 16 * 1024 * 1024;

/// The bare text with which Prometheus answers everything until it has read its log (web/web.go, testReady).
bool is_not_ready(const net::http_answer& from) {
  return from.status == 503 && from.body.starts_with("Service Unavailable");
}

net::failure not_ready() {
  return {reason::starting, "it is not ready: starting up or shutting down (503 Service Unavailable)"};
}

net::failure refusal(const net::http_answer& from, std::string_view asked, const json::value& said, std::span<const secret> hidden) {
  const std::string type = flipback::quoted(net::text_at(said, "/errorType").value_or(""), hidden, 40);
  const std::string error = flipback::quoted(net::text_at(said, "/error").value_or("nothing more"), hidden);
  if (type == "timeout") return {reason::timed_out, fmt::format("{}: Prometheus gave up: {}", asked, error)};
  if (type == "unavailable") return {reason::starting, fmt::format("{}: {}", asked, error)};
  return {net::reason_of_status(from.status), fmt::format("{} was refused ({} {}): {}", asked, from.status, type, error)};
}

/// Between 2.48 and 2.53 remarks on a query's style stand among the warnings (util/annotations); they say nothing of the data.
bool is_remark(std::string_view warning) {
  return warning.starts_with("PromQL info:");
}

}  // namespace

net::result<reply> read_reply(const net::http_answer& from, std::string_view asked, std::span<const secret> hidden) {
  if (is_not_ready(from)) return std::unexpected(not_ready());
  auto said = from.json();
  if (!said && from.status != 200) return std::unexpected(net::unexpected(from, asked));
  if (!said) return std::unexpected(net::failure{said.error().why, fmt::format("{}: {}", asked, said.error().says)});
  const auto status = net::text_at(*said, "/status");
  if (status == "error") return std::unexpected(refusal(from, asked, *said, hidden));
  if (from.status != 200) return std::unexpected(net::unexpected(from, asked));
  const json::value* data = net::value_at(*said, "/data");
  if (status != "success" || data == nullptr)
    return std::unexpected(
        net::failure{reason::bad_answer, fmt::format("{} answered JSON without status and data: it is no Prometheus", asked)});
  reply made;
  if (const json::array* warnings = net::array_at(*said, "/warnings")) {
    for (const json::value& one : *warnings) {
      const std::string_view text = one.is_string() ? std::string_view(one.get_string()) : std::string_view("unreadable");
      if (!is_remark(text)) made.warnings.push_back(flipback::quoted(text, hidden));
    }
  }
  if (net::boolean_at(*said, "/isPartial") == true) made.warnings.emplace_back("the answer is partial");  // VictoriaMetrics' word for it
  made.data = *data;
  return made;
}

bool is_of_one_question(reason why) {
  return why == reason::bad_status || why == reason::forbidden || why == reason::bad_answer || why == reason::too_large ||
         why == reason::timed_out;
}

asio::awaitable<net::result<std::optional<bool>>> api::ready() {
  const auto answer = co_await session_.get("/-/ready");
  if (!answer) co_return std::unexpected(answer.error());
  if (is_not_ready(*answer)) co_return std::unexpected(not_ready());
  if (answer->status == 403 || answer->status == 404) co_return std::optional<bool>();
  if (answer->status != 200) co_return std::unexpected(net::unexpected(*answer, "GET /-/ready"));
  co_return std::optional(true);
}

asio::awaitable<net::result<reply>> api::get(std::string path) {
  const std::string asked = fmt::format("GET {}", path.substr(0, path.find('?')));
  const auto answer = co_await session_.get(std::move(path));
  if (!answer) co_return std::unexpected(answer.error());
  co_return read_reply(*answer, asked, hidden_);
}

asio::awaitable<net::result<reply>> api::query(std::string_view promql, bool last) {
  const double left = to_seconds(run_->deadline - std::chrono::steady_clock::now());
  const double given = std::max(left * (last ? 0.9 : 0.5), 0.001);
  std::string form = fmt::format("query={}&timeout={:.3f}", percent_encoded(promql), given);  // 2.42 takes "1.500", and "1.5s" not
  const auto answer = co_await session_.post("/api/v1/query", std::move(form), "application/x-www-form-urlencoded");
  if (!answer) co_return std::unexpected(answer.error());
  co_return read_reply(*answer, "the query", hidden_);
}

net::api_access read_access(settings::section& from) {
  net::api_access access = net::read_api_access(from, "http://127.0.0.1:9090");
  access.ask.answer_limit = answer_limit;
  net::read_credentials(from, access);
  return access;
}

}  // namespace flipback::prometheus
