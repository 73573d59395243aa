#include "agent/rollback/helper.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <utility>

namespace flipback::rollback {

std::unique_ptr<slot_switch> make_switch(asio::any_io_executor executor, const config::configuration& configured) {
  if (configured.deployment->switched_by == config::switch_kind::command) return make_command_switch(std::move(executor), configured);
  auto made = make_file_switch(configured);
  if (configured.nginx.helper.empty()) return made;
  return make_helped_switch(std::move(executor), configured, std::move(made));
}

}  // namespace flipback::rollback
