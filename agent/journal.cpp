#include "agent/journal.hpp"

#include "agent/event_lines.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace flipback {

namespace {

constexpr std::size_t lines_held = 512;

}  // namespace

journal::journal(config::log_format format, severity least)
    : json_(format == config::log_format::json), for_journald_(std::getenv("JOURNAL_STREAM") != nullptr), least_(least) {
  if (!spdlog::thread_pool()) spdlog::init_thread_pool(lines_held, 1);
  lines_ = std::make_shared<spdlog::async_logger>("flipback", std::make_shared<spdlog::sinks::stderr_sink_mt>(), spdlog::thread_pool(),
                                                  spdlog::async_overflow_policy::overrun_oldest);
  lines_->set_pattern("%v");
  lines_->flush_on(spdlog::level::info);
}

journal::~journal() = default;

void journal::tell(const event& e) {
  if (e.severity < least_) return;
  const wall_time now = std::chrono::system_clock::now();
  lines_->info("{}", json_ ? json_line(e, now) : for_journald_ ? journald_line(e) : text_line(e, now));
}

}  // namespace flipback
