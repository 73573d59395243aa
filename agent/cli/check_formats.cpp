#include "agent/cli/check_formats.hpp"

#include "flipback/in_xml.hpp"
#include "flipback/one_line.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>

namespace flipback::cli {

namespace {

std::string seconds(duration d) {
  return fmt::format("{:.6f}", to_seconds(d));
}

/// Its schema knows three places.
std::string to_the_millisecond(duration d) {
  return fmt::format("{:.3f}", to_seconds(d));
}

std::string sentence_of(const std::vector<checked>& all) {
  return fmt::format("{} passed, {} failed, {} unknown", count(all, outcome::pass), count(all, outcome::fail),
                     count(all, outcome::unknown));
}

}  // namespace

std::string junit(const std::vector<checked>& all, duration took, wall_time began) {
  const std::string counts = fmt::format(R"(tests="{}" failures="{}" errors="{}" time="{}")", all.size(), count(all, outcome::fail),
                                         count(all, outcome::unknown), to_the_millisecond(took));
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"flipback\" {0}>\n"
      "  <testsuite name=\"flipback --check\" {0} skipped=\"0\" timestamp=\"{1:%Y-%m-%dT%H:%M:%S}\">\n",
      counts, fmt::gmtime(std::chrono::system_clock::to_time_t(began)));
  for (const checked& c : all) {
    text += fmt::format(R"(    <testcase classname="flipback" name="{}" time="{}")", in_xml(c.name), to_the_millisecond(c.seen.latency));
    const std::string says = in_xml(c.seen.says);
    const std::string_view element = c.seen.result == outcome::fail ? "failure" : "error";
    text += c.seen.result == outcome::pass ? fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n", says)
                                           : fmt::format(">\n      <{0} message=\"{1}\" type=\"{2}\">{1}</{0}>\n    </testcase>\n", element,
                                                         says, name_of(c.seen.why));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

std::string tap(const std::vector<checked>& all) {
  std::string text = fmt::format("TAP version 13\n1..{}\n", all.size());
  std::size_t number = 0;
  for (const checked& c : all) {
    const std::string name = replaced(one_line(c.name), "#", "\\#");
    const std::string says = one_line(c.seen.says);
    text += fmt::format("{} {} - {}{}\n", c.seen.result == outcome::fail ? "not ok" : "ok", ++number, name,
                        c.seen.result == outcome::unknown ? " # SKIP unknown: " + says : "");
    text += fmt::format("  ---\n  message: '{}'\n  outcome: {}\n  reason: {}\n  seconds: {}\n  ...\n", replaced(says, "'", "''"),
                        name_of(c.seen.result), name_of(c.seen.why), seconds(c.seen.latency));
  }
  return text;
}

std::string nagios(const std::vector<checked>& all, duration took) {
  constexpr std::size_t most_said = 2000;  // bytes; Nagios cuts a line off at some 4,000 to 8,000
  constexpr std::array<std::string_view, 4> words{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  std::string text = fmt::format("FLIPBACK {} - {}", words.at(static_cast<std::size_t>(nagios_status(all))), sentence_of(all));
  const auto add_those = [&](outcome o) {
    for (const checked& c : all) {
      if (c.seen.result != o) continue;
      const std::string more = fmt::format("; {}: {}", one_line(c.name), one_line(c.seen.says));
      if (text.size() + more.size() > most_said) {
        text += "; …";
        return;
      }
      text += more;
    }
  };
  add_those(outcome::fail);
  add_those(outcome::unknown);
  text = replaced(std::move(text), "|", "/") + " |";  // what follows a bar is measured
  const auto measured = [&](const std::string& name, duration d) {
    text += fmt::format(" '{}'={}s;;;0", replaced(replaced(one_line(name), "'", "''"), "=", "_"), seconds(d));
  };
  measured("time", took);
  for (const checked& c : all) measured(c.name, c.seen.latency);
  return text + "\n";
}

std::string prometheus(const std::vector<checked>& all, duration took) {
  using prometheus::BuildGauge;
  prometheus::Registry registry;
  auto& up = BuildGauge().Name("flipback_check_up").Help("Whether the probe passed; absent where that can't be told").Register(registry);
  auto& unknown = BuildGauge().Name("flipback_check_unknown").Help("Whether it can't be told if the probe passes").Register(registry);
  auto& lasted = BuildGauge().Name("flipback_check_latency_seconds").Help("How long the probe took").Register(registry);
  for (const checked& c : all) {
    const prometheus::Labels labels{{"probe", c.name}};
    const bool is_known = c.seen.result != outcome::unknown;
    if (is_known) up.Add(labels).Set(c.seen.result == outcome::pass ? 1 : 0);
    unknown.Add(labels).Set(is_known ? 0 : 1);
    lasted.Add(labels).Set(to_seconds(c.seen.latency));
  }
  BuildGauge().Name("flipback_check_seconds").Help("How long all of it took").Register(registry).Add({}).Set(to_seconds(took));
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace flipback::cli
