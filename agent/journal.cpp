#include "agent/journal.hpp"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>

namespace flipback {

namespace {

constexpr std::size_t lines_held = 512;

std::string time_text(wall_time now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), milliseconds);
}

std::string as_json(const event& e) {
  boost::json::object line{
      {"time", time_text(std::chrono::system_clock::now())}, {"severity", name_of(e.severity)}, {"kind", e.kind}, {"says", e.says}};
  for (const auto& [name, value] : e.fields) {
    std::visit([&line, &key = name](const auto& v) { line[key] = v; }, value);
  }
  return boost::json::serialize(line);
}

std::string as_text(const event& e, bool for_journald) {
  // journald takes the priority from a number in front, and knows the time itself.
  constexpr std::array priorities{7, 6, 4, 2};
  if (for_journald) return fmt::format("<{}>{}: {}", priorities.at(static_cast<std::size_t>(e.severity)), e.kind, e.says);
  return fmt::format("{} {:<8} {}: {}", time_text(std::chrono::system_clock::now()), name_of(e.severity), e.kind, e.says);
}

severity parse_severity(const std::string& level) {
  for (const severity s : {severity::debug, severity::info, severity::warning, severity::critical}) {
    if (name_of(s) == level) return s;
  }
  return severity::info;
}

}  // namespace

journal::journal(const std::string& format, const std::string& level)
    : json_(format == "json"), for_journald_(std::getenv("JOURNAL_STREAM") != nullptr), least_(parse_severity(level)) {
  if (!spdlog::thread_pool()) spdlog::init_thread_pool(lines_held, 1);
  lines_ = std::make_shared<spdlog::async_logger>("flipback", std::make_shared<spdlog::sinks::stderr_sink_mt>(), spdlog::thread_pool(),
                                                  spdlog::async_overflow_policy::overrun_oldest);
  lines_->set_pattern("%v");
  lines_->flush_on(spdlog::level::info);
}

journal::~journal() = default;

void journal::tell(const event& e) {
  if (e.severity < least_) return;
  lines_->info("{}", json_ ? as_json(e) : as_text(e, for_journald_));
}

}  // namespace flipback
