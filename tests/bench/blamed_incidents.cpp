#include "tests/bench/blamed_incidents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::blamed {

namespace {

using deciding_night::asking;
using deciding_night::blue;
using deciding_night::fault;
using deciding_night::green;

constexpr seconds ever = 24h;
constexpr double background = 0.003;  ///< of what users ask, on either slot at any time

/// Twenty addresses, of which each asks for all of ten paths.
asking users(double rate) {
  return {.each_second = rate, .path = "/api", .paths = 10, .address = "203.0.113.", .addresses = 20};
}
std::vector<asking> users_alone(double rate) {
  return {users(rate)};
}

/// A client that asks for one address in vain three times a second, or as often as makes a tenth of the whole.
auto and_one_client(const char* method) {
  return [=](double rate) {
    return std::vector<asking>{
        users(rate),
        {.each_second = std::max(3.0, rate / 9), .evenly = false, .method = method, .path = "/feed/broken", .address = "198.51.100.1"}};
  };
}
/// They come with the cutover, and make a tenth of the whole.
std::vector<asking> and_bots(double rate) {
  return {users(rate), {.each_second = rate / 9, .path = "/wp", .paths = 10, .address = "198.51.100.", .addresses = 20, .from = 0s}};
}

std::vector<fault> with_background(std::vector<fault> faults) {
  for (const auto slot : {blue, green}) faults.push_back({slot, -ever, ever, background});
  return faults;
}
fault of_green(double share, std::string under = {}) {
  return {.slot = green, .from = 0s, .until = ever, .share = share, .under = std::move(under)};
}
/// Both slots fail alike from a minute after the cutover on. Their health does not say it, so that only blame can tell. It is told until no
/// window has it any more.
incident shared(std::string name, seconds lasts, double share, seconds blue_later, seconds green_later, bool hangs = false) {
  constexpr seconds from = 60s;
  constexpr seconds longest_window = 5min;
  const fault of_blue{.slot = blue, .from = from, .until = from + lasts + blue_later, .share = share, .hangs = hangs};
  const fault of_green{.slot = green, .from = from, .until = from + lasts + green_later, .share = share, .hangs = hangs};
  const seconds until = of_green.until + (hangs ? deciding_night::given_up_after : 0s) + longest_window + 1min;
  return {std::move(name), false, users_alone, with_background({of_blue, of_green}), until};
}

void add_left(std::vector<incident>& to) {
  const auto add = [&](std::string name, auto asks, std::vector<fault> faults) {
    to.push_back({std::move(name), false, asks, with_background(std::move(faults))});
  };
  const fault broken_of_blue{.slot = blue, .from = -ever, .until = ever, .share = 1, .under = "/feed/broken"};
  add("healthy", users_alone, {});
  add("one client's POSTs, failed by green alone", and_one_client("POST"), {of_green(1, "/feed/broken")});
  add("one client's GETs, failed by green alone", and_one_client("GET"), {of_green(1, "/feed/broken")});
  add("one client's GETs, failed by both", and_one_client("GET"), {of_green(1, "/feed/broken"), broken_of_blue});
  add("bots' 500s on both", and_bots, {of_green(1, "/wp"), {.slot = blue, .from = -ever, .until = ever, .share = 1, .under = "/wp"}});
}

void add_shared(std::vector<incident>& to) {
  constexpr seconds later = 10s;
  for (const double share : {1.0, 0.5}) {
    for (const seconds lasts : {20s, 60s, 180s}) {
      const std::string name = fmt::format("both fail {:.0f}% for {} s", 100 * share, lasts.count());
      to.push_back(shared(name, lasts, share, 0s, 0s));
      to.push_back(shared(name + ", green 10 s longer", lasts, share, 0s, later));
      to.push_back(shared(name + ", blue 10 s longer", lasts, share, later, 0s));
    }
  }
  for (const seconds lasts : {60s, 180s}) to.push_back(shared(fmt::format("both hang for {} s", lasts.count()), lasts, 1, 0s, 0s, true));
}

void add_flipped(std::vector<incident>& to) {
  const auto add = [&](std::string name, std::vector<fault> faults) {
    to.push_back({std::move(name), true, users_alone, with_background(std::move(faults))});
  };
  add("green's one worker of 8", {of_green(1.0 / 8)});  // each request falls to any of them
  add("green fails 30%", {of_green(0.3)});
  add("green fails one path of ten", {of_green(1, "/api/7")});
}

}  // namespace

std::vector<incident> all_incidents() {
  std::vector<incident> all;
  add_left(all);
  add_shared(all);
  add_flipped(all);
  return all;
}

}  // namespace flipback::blamed
