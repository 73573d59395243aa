// An access log of many lines, read by Flipback's tail and counted by its rules of what counts, or scanned as plainly as the same figures
// can be had: memchr from quote to quote, fields by their place, a histogram.
//
// usage: log_lines write FILE LINES | ours FILE | scan FILE
// ours and scan print: lines, requests, errors, p95 in seconds, CPU seconds, highest resident memory in kB

#include "probes/access_log/tail.hpp"
#include "probes/access_log/traffic.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string_view>
#include <vector>

namespace {

using namespace flipback;

struct figures {
  std::uint64_t lines = 0;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  double p95 = 0;
};

/// The process' own high-water mark: getrusage's remembers what the parent had, too.
long highest_memory() {
  std::ifstream status("/proc/self/status");
  std::string name;
  long kilobytes = 0;
  while (status >> name && name != "VmHWM:") status.ignore(1000, '\n');
  status >> kilobytes;
  return kilobytes;
}

int write(const char* path, std::uint64_t lines) {
  std::ofstream out(path);
  std::mt19937 random(1);  // NOLINT: the same log each time
  for (std::uint64_t i = 0; i < lines; ++i) {
    const double seconds = 0.001 * static_cast<double>(1 + random() % 1500);
    const int status = random() % 50 == 0 ? 502 : 200;
    out << fmt::format(
        R"({{"time":"{}.{:03}","status":"{}","host":"api.example.com","method":"GET","path":"/api/v1/properties/{}","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","client":"203.0.113.{}","request_time":"{:.3f}","upstream":"127.0.0.1:800{}","upstream_status":"{}","header_time":"{:.3f}","response_time":"{:.3f}","pid":"1234"}})"
        "\n",
        1'700'000'000 + i / 1000, i % 1000, status, random() % 1000, random() % 256, seconds, random() % 2, status, seconds, seconds);
  }
  return out ? 0 : 1;
}

figures ours(const char* path) {
  figures found;
  access_log::traffic traffic(access_log::recommended_keys(), {}, 1.0, {{"blue", {"127.0.0.1:8000"}}, {"green", {"127.0.0.1:8001"}}});
  traffic.goes_live({.slot = 1, .since = 0});
  access_log::tail tail(path);
  tail.start_near_end(std::uint64_t{1} << 40U);
  bool more = true;
  while (more) {
    const auto read = tail.read([&](std::string_view text) {
      ++found.lines;
      traffic.add(text);
    });
    more = read && *read;
  }
  const access_log::pool pool = traffic.take();
  found.requests = pool.all.requests;
  found.errors = pool.all.errors;
  found.p95 = pool.all.latencies.quantile(0.95).value_or(0);
  return found;
}

figures scan(const char* path) {
  figures found;
  constexpr std::size_t status_field = 1;
  constexpr std::size_t header_field = 10;
  constexpr double width = 0.02;  // of a bucket of the histogram, relative
  std::vector<std::uint64_t> histogram(2000);
  std::vector<char> buffer(1024 * 1024);
  std::size_t kept = 0;
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) std::exit(1);
  for (;;) {
    const std::size_t size = kept + std::fread(buffer.data() + kept, 1, buffer.size() - kept, file);
    if (size == kept) break;
    const char* at = buffer.data();
    const char* const end = at + size;
    for (;;) {
      const auto* const line_end = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      if (line_end == nullptr) break;
      int status = 0;
      double header = 0;
      const char* quote = at;
      for (std::size_t field = 0; field <= header_field; ++field) {
        std::array<const char*, 4> quotes{};  // of the key, then of the value
        for (const char*& q : quotes) {
          q = static_cast<const char*>(std::memchr(quote, '"', static_cast<std::size_t>(line_end - quote)));
          if (q == nullptr) std::exit(1);
          quote = q + 1;
        }
        if (field == status_field) std::from_chars(quotes[2] + 1, quotes[3], status);
        if (field == header_field) std::from_chars(quotes[2] + 1, quotes[3], header);
      }
      ++found.lines;
      ++found.requests;
      if (status >= 500) ++found.errors;
      ++histogram[static_cast<std::size_t>(1000 + std::log(header) / width)];
      at = line_end + 1;
    }
    kept = static_cast<std::size_t>(end - at);
    std::memmove(buffer.data(), at, kept);
  }
  std::fclose(file);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    below += histogram[i];
    if (below * 20 < found.requests * 19) continue;
    found.p95 = std::exp((static_cast<double>(i) - 1000 + 0.5) * width);
    break;
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 2 ? argv[1] : "";
  if (what == "write" && argc > 3) return write(argv[2], std::strtoull(argv[3], nullptr, 10));
  if (what != "ours" && what != "scan") return 2;
  const figures found = what == "ours" ? ours(argv[2]) : scan(argv[2]);
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  fmt::print("{} {} {} {:.4f} {:.6f} {}\n", found.lines, found.requests, found.errors, found.p95, cpu, highest_memory());
}
