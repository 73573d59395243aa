#include "agent/rollback/slot_switch.hpp"

#include <utility>

namespace flipback::rollback {

std::unique_ptr<slot_switch> make_file_switch(const config::configuration& configured) {
  switch (configured.deployment->switched_by) {
    case config::switch_kind::site:
      return make_site_switch(configured);
    case config::switch_kind::text:
      return make_text_switch(configured);
    case config::switch_kind::link:
      return make_link_switch(configured);
    case config::switch_kind::command:
      break;
  }
  std::unreachable();
}

}  // namespace flipback::rollback
