#include "probes/net/network.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <doctest/doctest.h>

using namespace flipback;

TEST_CASE("an_error_is_read_with_its_category") {
  const struct {
    boost::system::error_code error;
    reason why;
  } cases[] = {
      {{EPERM, boost::system::system_category()}, reason::no_prerequisite},
      {{EPERM, boost::system::generic_category()}, reason::no_prerequisite},
      {asio::ssl::error::stream_truncated, reason::closed},  // 1, as EPERM
      {{ENOENT, boost::system::system_category()}, reason::refused},
      {asio::error::eof, reason::closed},  // 2, as ENOENT
      {asio::ssl::error::unspecified_system_error, reason::bad_answer},
      {asio::error::host_not_found, reason::bad_answer},     // 1
      {asio::error::service_not_found, reason::bad_answer},  // 8
      {{ENOMEM, asio::error::get_misc_category()}, reason::bad_answer},
      {{ENOMEM, asio::error::get_ssl_category()}, reason::bad_tls},
      {asio::error::connection_refused, reason::refused},
      {asio::error::connection_reset, reason::closed},
      {asio::error::broken_pipe, reason::closed},
      {asio::error::no_descriptors, reason::own_limits},
      {asio::error::network_down, reason::own_network},
      {asio::error::host_unreachable, reason::unreachable},
  };
  for (const auto& c : cases) {
    CAPTURE(c.error.what());
    CHECK(name_of(net::failure_of(c.error, "reading the answer").why) == name_of(c.why));
  }
}
