#include "agent/config/configuration.hpp"
#include "agent/config/read_deployment.hpp"
#include "agent/config/read_probes.hpp"
#include "agent/config/read_rules.hpp"
#include "agent/config/runbook.hpp"
#include "agent/config/toml.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

void read_agent(settings::section& root, agent& into) {
  auto from = root.inner("agent");
  if (!from) return;
  into.listen = from->text("listen", into.listen);
  const std::size_t colon = into.listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : into.listen.substr(colon + 1);
  const bool number = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos && std::stoul(port) <= 65535;
  if (!into.listen.empty() && !number) {
    from->report("listen", fmt::format("found \"{}\", expected host:port such as \"127.0.0.1:9187\", or \"\" for none", into.listen));
  }
  into.state = from->text("state", into.state);
  into.log_format = from->choice("log_format", into.log_format, {"text", "json"});
  into.log_level = from->choice("log_level", into.log_level, {"debug", "info", "warning", "critical"});
  into.name_servers = from->texts("name_servers");
  into.spread = from->span("spread", into.spread, milliseconds(0), hours(1));
  from->finish();
}

void read_root(settings::section& root, configuration& into) {
  read_agent(root, into.agent);
  read_nginx(root, into.nginx);
  read_slots(root, into.slots);
  read_deployment(root, into);
  read_probes(root, into.probes);
  read_rules(root, into);
  root.know("env_files");
  root.finish();
}

}  // namespace

configuration load(const std::filesystem::path& file, const environment& from, settings::diagnostics& into) {
  configuration made;
  made.file = file.string();
  environment variables = from;
  if (file.empty()) {
    add_runbook_probes(variables, made, into);
    return made;
  }
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) {
    into.add({made.file, 0, 0}, "can't read the configuration file");
    return made;
  }
  settings::node document = parse_toml(text, made.file, into);
  if (!into.clean()) return made;
  settings::section before(document, "", into);
  read_env_files(before.texts("env_files"), before.where("env_files"), variables, into);
  interpolate(document, variables, into);
  settings::section root(document, "", into);
  read_root(root, made);
  return made;
}

}  // namespace flipback::config
