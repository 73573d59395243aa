#pragma once

#include "agent/init/compose.hpp"
#include "agent/init/draft.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Tables of probes: for what compose files run, and for what the runbook's variables name.
namespace flipback::init {

/// A [probes.NAME] that can be written: keys with their values as they stand in TOML.
struct probe_table {
  std::string name;
  std::string type;
  std::map<std::string, std::string> address;      ///< keys that say where the service is
  std::map<std::string, std::string> credentials;  ///< all others: who asks, with what secret, for what
  std::string host;                                ///< to which the address leads, as it was seen; empty: not told
  std::string says;                                ///< where it was found
  std::string why_off;                             ///< see passage
  bool is_of_variables = false;                    ///< named by the application's variables, which say which one it uses
};

/// What the runbook's variables name. No value of a variable is written: a key has `${NAME}` in its place, and one that can't be written so
/// is left out and said. `notes` takes what was left out.
std::vector<probe_table> probes_of_variables(const config::variables& known, std::vector<std::string>& notes);

/// What a compose file's services are, by their images, at the ports that they publish. `notes` takes those that can't be reached.
std::vector<probe_table> probes_of_services(const std::string& file, const std::vector<compose_service>& services,
                                            std::vector<std::string>& notes);

/// "registry:5000/owner/name:tag@digest" → "name".
std::string_view name_of_image(std::string_view image);

/// The name of a probe of a service beside another of its kind: "redis-sessions".
std::string name_beside(const probe_table& of);

/// Probes for what listens on ports that are well known, switched off: a port is no proof.
std::vector<probe_table> probes_of_ports(const std::set<std::uint16_t>& listening, const std::vector<probe_table>& but_not);

passage passage_of(const probe_table& table);

}  // namespace flipback::init
