#include "probes/access_log/line_format.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

using namespace flipback::access_log;

namespace {

/// Texts of formats, and what nginx writes for them where clients send what looks like nginx's own.
class forger {
 public:
  explicit forger(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }
  template <std::size_t size>
  std::string one_of(const std::array<const char*, size>& all) {
    return all[below(size)];
  }

  std::string list_of(const std::array<const char*, 3>& all) {
    std::string made = one_of(all);
    for (std::size_t more = below(3); more > 0; --more) made += (below(4) == 0 ? " : " : ", ") + one_of(all);
    return below(8) == 0 ? "-" : made;
  }

  /// What a client may send; nginx writes what it must as \xHH.
  std::string sent(bool with_spaces) {
    constexpr std::array<const char*, 16> parts{" 500", "127.0.0.1:1", ", ",   " : ", ":",     " ",  "[", "]",
                                                "-",    "|",           "404 ", ",",   "\\x22", "/a", "=", "9.5"};
    std::string made;
    for (std::size_t size = below(5); size > 0; --size) made += one_of(parts);
    if (!with_spaces) std::erase(made, ' ');
    return made.empty() ? "-" : made;
  }

  std::string value_of(const std::string& variable) {
    if (variable == "status") return one_of<3>({"200", "502", "301"});
    if (variable == "upstream_addr") return list_of({"10.0.0.1:80", "[::1]:8000", "unix:/run/a.sock"});
    if (variable == "upstream_status") return list_of({"200", "502", "-"});
    if (variable == "upstream_response_time") return list_of({"0.001", "1.5", "-"});
    if (variable == "request_time") return one_of<2>({"0.010", "2.000"});
    if (variable == "remote_addr") return one_of<2>({"::1", "192.0.2.7"});
    if (variable == "time_local") return "26/Nov/2026:20:53:43 +0000";
    if (variable == "request_uri") return "/" + sent(false);
    return sent(variable != "host");
  }

 private:
  std::mt19937 random_;
};

constexpr std::array<const char*, 12> variables{
    "status",      "status",     "upstream_addr", "upstream_status", "upstream_response_time", "request_time",
    "remote_addr", "time_local", "request_uri",   "http_user_agent", "http_x_anything",        "host"};
constexpr std::array<const char*, 14> separators{" ", " ", " ", "\" \"", " \"", "\" ", "|", ",", ", ", " : ", ":", " [", "] ", ""};

const std::map<std::string, field> told{{"status", field::status},
                                        {"upstream_addr", field::upstream},
                                        {"upstream_status", field::upstream_status},
                                        {"upstream_response_time", field::response_time},
                                        {"request_time", field::request_time},
                                        {"remote_addr", field::client}};

}  // namespace

TEST_CASE("whatever_the_format_no_client_writes_what_is_nginx_s") {
  forger of(11);
  std::size_t read = 0;
  std::size_t formats = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = of.one_of<3>({"", "\"", "["});
    std::vector<std::string> names;
    std::vector<std::string> literals{text};
    for (std::size_t size = 2 + of.below(5); size > 0; --size) {
      std::string name = of.one_of(variables);
      while (told.contains(name) && std::ranges::find(names, name) != names.end()) name = "http_x_anything";
      names.push_back(name);
      literals.push_back(of.one_of(separators));
      text += fmt::format("${}{}", name, literals.back());
    }
    auto made = line_format::from_text(text);
    if (!made) continue;
    ++formats;
    for (int k = 0; k < 10; ++k) {
      std::string written = literals.front();
      std::map<std::string, std::string> truth;
      for (std::size_t n = 0; n < names.size(); ++n) {
        const std::string value = of.value_of(names[n]);
        truth[names[n]] = value;
        written += value + literals[n + 1];
      }
      line into;
      if (!made->read(written, into)) continue;
      ++read;
      for (const auto& [name, f] : told) {
        if (!made->has(f) || !truth.contains(name)) continue;
        const std::string expected = truth[name] == "-" ? "" : truth[name];
        if (into.text(f) == expected) continue;
        CAPTURE(text);
        CAPTURE(written);
        CAPTURE(name);
        CHECK(into.text(f) == expected);
      }
    }
  }
  CHECK(formats > 2'000);
  CHECK(read > 15'000);
}
