#include "agent/config/validate.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/config/make_probes.hpp"
#include "probes/net/network.hpp"
#include "rules/built_in.hpp"
#include "rules/compile.hpp"

#include <boost/asio/io_context.hpp>

namespace flipback::config {

configuration validate(const std::filesystem::path& file, const environment& from, settings::diagnostics& problems) {
  configuration read = load(file, from, problems);
  asio::io_context loop;
  net::network network(loop.get_executor());
  const auto probes = make_probes(read, {loop.get_executor(), network, upstreams_of(read)}, problems);
  const rules::catalogue signals = signals_of(read, probes);
  rules::compile(rules::with_built_ins(read.rules, signals, read.deployment.has_value()).on, signals, problems);
  return read;
}

}  // namespace flipback::config
