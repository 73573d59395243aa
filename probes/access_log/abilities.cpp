#include "probes/access_log/abilities.hpp"

namespace flipback::access_log {

abilities::abilities(const line_format& format)
    : slots(format.has(field::upstream)),
      local(slots || format.has(field::upstream_status) || format.has(field::response_time)),
      attempts(slots && format.has(field::upstream_status)),
      header_times(slots && format.has(field::header_time)),
      attempt_times(header_times || (slots && format.has(field::response_time))),
      latency(attempt_times || format.has(field::request_time)),
      paths(format.has(field::path)),
      time(format.has(field::time)) {}

}  // namespace flipback::access_log
