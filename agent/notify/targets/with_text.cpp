#include "agent/notify/targets/with_text.hpp"

#include "flipback/utf8.hpp"

namespace flipback::notify {

boost::json::object with_text(const letter& what) {
  boost::json::object made = as_object(what);
  made["text"] = well_formed(as_text(what));
  return made;
}

}  // namespace flipback::notify
