#include "probes/jwks/refusal.hpp"

#include "flipback/quoted.hpp"

#include "probes/net/api.hpp"

#include <fmt/format.h>

namespace flipback::jwks {

namespace {

reason reason_of(unsigned status, std::string_view error) {
  if (status == 404) return reason::absent;
  if (status == 400 && error == "invalid_client") return reason::unauthorised;
  if (status == 400 && error == "unauthorized_client") return reason::forbidden;
  return net::reason_of_status(status);
}

}  // namespace

net::failure refusal(const net::http_answer& answer, const std::string& asked, std::span<const secret> hidden) {
  net::failure what = net::unexpected(answer, asked);
  const auto body = answer.json();
  const auto error = body ? net::text_at(*body, "/error") : std::nullopt;
  what.why = reason_of(answer.status, error.value_or(""));
  if (!error) return what;
  what.says = fmt::format("{} answered {}: {}", asked, answer.status, flipback::quoted(*error, hidden, 80));
  if (const auto more = net::text_at(*body, "/error_description")) what.says += fmt::format(", \"{}\"", flipback::quoted(*more, hidden));
  return what;
}

}  // namespace flipback::jwks
