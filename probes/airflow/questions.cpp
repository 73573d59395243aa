#include "probes/airflow/questions.hpp"

#include "flipback/percent.hpp"
#include "flipback/timestamp.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::airflow {

namespace json = net::json;

namespace {

constexpr std::size_t most_files = 3;  // named in a sentence

std::string ago(duration age) {
  return format_duration(std::chrono::round<std::chrono::seconds>(age)) + " ago";
}

/// The JSON of a 200, or what is wrong; `what` names it to people.
net::result<net::json_document> document(const net::http_answer& answer, const std::string& what) {
  if (answer.status == 403) return std::unexpected(net::failure{reason::forbidden, fmt::format("may not ask for {}", what)});
  if (answer.status != 200) return std::unexpected(net::unexpected(answer, what));
  auto read = answer.json();
  if (!read) return std::unexpected(net::failure{read.error().why, fmt::format("{}: {}", what, read.error().says)});
  return read;
}

struct ended_run {
  bool succeeded = false;
  duration age{};
};

/// The newest of a DAG's runs that ended in one of these states. Only ended ones: PostgreSQL sorts a run without an end before all others.
asio::awaitable<net::result<std::optional<ended_run>>> newest_run(std::string path, std::string_view states, std::string who,
                                                                  visit& through) {
  const auto answer = co_await through.get(fmt::format("{}/dagRuns?order_by=-end_date&limit=1{}", path, states));
  if (!answer) co_return std::unexpected(answer.error());
  const auto read = document(*answer, fmt::format("the runs of {}", who));
  if (!read) co_return std::unexpected(read.error());
  const json::array* const runs = net::array_at(*read, "/dag_runs");
  if (runs == nullptr) co_return std::unexpected(net::failure{reason::bad_answer, fmt::format("the runs of {} are no list", who)});
  std::optional<ended_run> newest;
  if (runs->empty()) co_return newest;
  const auto state = net::text_at(runs->front(), "/state");
  const auto ended = parse_timestamp(net::text_at(runs->front(), "/end_date").value_or(""));
  if (!state || !ended) co_return std::unexpected(net::failure{reason::bad_answer, fmt::format("a run of {} has no state or no end", who)});
  newest.emplace(ended_run{*state == "success", std::max(duration(clock_of(*answer) - *ended), duration())});
  co_return newest;
}

asio::awaitable<void> look_at_runs(const wanted_dag& dag, std::string path, std::string who, visit& through, findings& found) {
  const auto last = co_await newest_run(path, "&state=success&state=failed", who, through);
  if (!last) co_return found.unwell(last.error());
  if (!*last) {
    if (dag.within) co_return found.unwell(reason::expectation, fmt::format("no run of {} has ended yet", who));
    co_return found.note(fmt::format("no run of {} has ended yet", who));
  }
  std::optional<ended_run> success = *last;
  if (!success->succeeded) {
    found.unwell(reason::expectation, fmt::format("the last run of {} failed {}", who, ago(success->age)));
    const auto earlier = co_await newest_run(path, "&state=success", who, through);
    if (!earlier) co_return found.unwell(earlier.error());
    success = *earlier;
    if (!success) co_return;
  }
  found.measure(dag.last_success_measured_as, to_seconds(success->age));
  const bool is_late = dag.within && success->age > *dag.within;
  if (is_late)
    found.unwell(reason::expectation,
                 fmt::format("{} succeeded {}, expected within {}", who, ago(success->age), format_duration(*dag.within)));
  else
    found.well(fmt::format("{} succeeded {}", who, ago(success->age)));
}

}  // namespace

wall_time clock_of(const net::http_answer& answer) {
  const std::string* const date = answer.header("Date");
  const auto theirs = date == nullptr ? std::nullopt : parse_http_date(*date);
  return theirs.value_or(std::chrono::system_clock::now());
}

asio::awaitable<void> look_at_import_errors(visit& through, forbidden_is forbidden, findings& found) {
  const auto answer = co_await through.get(fmt::format("/importErrors?limit={}", most_files));
  if (!answer) co_return found.unwell(answer.error());
  if (answer->status == 403 && forbidden == forbidden_is::a_note) co_return found.note("may not ask for import errors");
  const auto read = document(*answer, "import errors");
  if (!read) co_return found.unwell(read.error());
  const auto count = net::number_at(*read, "/total_entries");
  if (!count) co_return found.unwell(reason::bad_answer, "import errors: JSON without total_entries");
  found.measure("import_errors", *count);
  if (*count <= 0) co_return found.well("no import errors");
  std::vector<std::string> files;
  if (const json::array* const errors = net::array_at(*read, "/import_errors")) {
    for (const json::value& one : *errors) {
      if (files.size() < most_files) files.push_back(through.quoted(net::text_at(one, "/filename").value_or("?")));
    }
  }
  std::string says = fmt::format("{:.0f} of its files can't be imported: {}", *count, fmt::join(files, ", "));
  if (*count > static_cast<double>(files.size())) says += ", …";
  found.unwell(reason::expectation, std::move(says));
}

asio::awaitable<void> look_at_dag(const wanted_dag& dag, visit& through, findings& found) {
  const std::string who = through.quoted(dag.id);
  const std::string path = "/dags/" + percent_encoded(dag.id);
  const auto answer = co_await through.get(path);
  if (!answer) co_return found.unwell(answer.error());
  if (answer->status == 404) co_return found.unwell(reason::absent, fmt::format("the DAG {} does not exist", who));
  const auto read = document(*answer, fmt::format("the DAG {}", who));
  if (!read) co_return found.unwell(read.error());
  const auto paused = net::boolean_at(*read, "/is_paused");
  if (!paused) co_return found.unwell(reason::bad_answer, fmt::format("the DAG {}: JSON without is_paused", who));
  if (*paused) found.unwell(reason::expectation, fmt::format("the DAG {} is paused", who));
  // A DAG whose file is gone keeps its entry: 2.x says that it is not active, 3.x that it is stale.
  const bool gone = !net::boolean_at(*read, "/is_active").value_or(true) || net::boolean_at(*read, "/is_stale").value_or(false);
  if (gone) found.unwell(reason::absent, fmt::format("the DAG {} is in no file any more", who));
  co_await look_at_runs(dag, path, who, through, found);
}

}  // namespace flipback::airflow
