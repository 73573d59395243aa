#pragma once

#include "probes/airflow/visit.hpp"
#include "probes/findings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace flipback::airflow {

/// A DAG that must be there, not paused, and whose last ended run must have succeeded.
struct wanted_dag {
  std::string id;
  std::optional<duration> within;  ///< how long ago a run must have succeeded; nothing: no run need have ended
  std::string_view last_success_measured_as;
};

enum class forbidden_is : std::uint8_t { a_note, unwell };

/// The time on the clock of who answered, to which times in its answer are held; ours where it doesn't say.
wall_time clock_of(const net::http_answer& answer);

asio::awaitable<void> look_at_import_errors(visit& through, forbidden_is forbidden, findings& found);
asio::awaitable<void> look_at_dag(const wanted_dag& dag, visit& through, findings& found);

}  // namespace flipback::airflow
