#include "flipback/quoted.hpp"
#include "flipback/read_command.hpp"

#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/with_text.hpp"
#include "agent/process/run.hpp"
#include "probes/net/network.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::notify {

namespace {

using std::chrono::milliseconds;

constexpr int later = 75;                                  // EX_TEMPFAIL of sysexits.h
constexpr duration for_its_end = std::chrono::seconds(1);  // of the run's time, between TERM and KILL

duration time_left(const run& r) {
  return std::max<duration>(r.deadline - std::chrono::steady_clock::now() - for_its_end, milliseconds(100));
}

attempt attempt_of(const std::expected<process::finished, std::string>& ran, const std::string& program) {
  if (!ran) return {attempt::result::not_yet, ran.error()};
  if (ran->timed_out) return {attempt::result::not_yet, fmt::format("{} had not ended in time, and was ended", program)};
  if (ran->status == 0) return {};
  return {ran->status == later ? attempt::result::not_yet : attempt::result::refused,
          fmt::format("{} ended with status {}; it says {}", program, ran->status, in_quotes(ran->output))};
}

class command_target final : public target {
 public:
  command_target(net::network& through, std::vector<std::string> argv) : through_(through), argv_(std::move(argv)) {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string&, run& r) override {
    std::string input = boost::json::serialize(with_text(what)) + "\n";
    const auto ran = co_await process::run(through_.executor(), argv_, time_left(r), process::usual_output, process::outputs::together,
                                           std::move(input));
    co_return attempt_of(ran, argv_.front());
  }

 private:
  net::network& through_;
  std::vector<std::string> argv_;
};

}  // namespace

std::unique_ptr<target> make_command_target(settings::section& from, net::network& through) {
  constexpr std::string_view example = R"(["/usr/local/bin/page", "--team", "ops"])";
  std::vector<std::string> argv = settings::read_command(from, "command", example);
  if (!from.has("command")) from.report("command", fmt::format("is missing, expected an array such as {}", example));
  from.finish();
  return std::make_unique<command_target>(through, std::move(argv));
}

}  // namespace flipback::notify
