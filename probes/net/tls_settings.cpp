#include "probes/net/tls_settings.hpp"

#include "probes/net/host.hpp"

namespace flipback::net {

tls_options read_tls_options(settings::section& from) {
  tls_options read;
  read.verify = from.boolean("verify", true);
  read.ca_file = from.text("ca_file", "");
  read.server_name = from.text("server_name", "");
  if (report_not_a_host(from, "server_name", read.server_name)) read.server_name.clear();
  read.client_certificate = from.text("client_certificate", "");
  read.client_key = from.text("client_key", "");
  read.newest_only = from.choice("min_version", "1.2", {"1.2", "1.3"}) == "1.3";
  if (read.client_certificate.empty() != read.client_key.empty())
    from.report(read.client_key.empty() ? "client_certificate" : "client_key",
                "stands alone: expected client_certificate and client_key, both in PEM");
  if (!read.verify && !read.ca_file.empty())
    from.report("ca_file", "says whom to trust, but verify = false trusts everyone: expected one of them");
  return read;
}

}  // namespace flipback::net
