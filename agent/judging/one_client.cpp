#include "agent/judging/one_client.hpp"

#include "flipback/quoted.hpp"
#include "flipback/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

constexpr double most_of_the_errors = 0.8;
constexpr double half_of_the_requests = 0.5;
constexpr double one_address_for_all = 0.9;
constexpr std::size_t longest_name = 80;

}  // namespace

std::string one_client_of(const error_shares& errors) {
  if (errors.clients.empty() || errors.requesters.empty()) return {};
  const error_share& client = errors.clients.front();
  const auto asks = std::ranges::find(errors.requesters, client.of, &error_share::of);
  const double of_requests = asks == errors.requesters.end() ? 0 : asks->share;
  const bool alone = client.share >= most_of_the_errors && of_requests < half_of_the_requests;
  if (!alone || errors.requesters.front().share >= one_address_for_all) return {};
  return fmt::format("one client ({}) makes {} of the errors, and {} of the requests", flipback::quoted(client.of, {}, longest_name),
                     format_ratio(client.share), of_requests > 0 ? format_ratio(of_requests) : "few");
}

}  // namespace flipback
