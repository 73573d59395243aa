#include "probes/net/tls_settings.hpp"

namespace flipback::net {

tls_options read_tls_options(settings::section& from) {
  tls_options read;
  read.verify = from.boolean("verify", true);
  read.ca_file = from.text("ca_file", "");
  read.server_name = from.text("server_name", "");
  if (!read.verify && !read.ca_file.empty())
    from.report("ca_file", "says whom to trust, but verify = false trusts everyone: expected one of them");
  return read;
}

}  // namespace flipback::net
