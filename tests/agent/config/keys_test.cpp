#include "tests/agent/config/text_file.hpp"
#include "tests/folder.hpp"

#include <algorithm>
#include <set>

// A key that is read must do something. Each key of these tables is set to two values, and what is read must differ; the keys are those
// that the reader itself says it knows, so that a new one fails here until it has its row. That each value is used afterwards is
// tests/system/test_keys.py's to hold.

using namespace flipback;
using namespace flipback::config;

namespace {

/// One key, in a table where it means something, with one value and another. Both leave every other line where it is.
struct row {
  std::string_view key;
  std::string one;
  std::string other;
  std::string beside = "";  ///< what else must stand in the table
  std::string before = "";  ///< the tables around it
  std::string after = "";
};

constexpr std::string_view unheard_of = "qqqqqqqqqqqqqqqq";

const std::string door = "front_door = { url = \"http://127.0.0.1/health\", identity = \"/version\" }\n";

std::string slots(const std::string& blue, const std::string& green) {
  return "[slots.blue]\nurl = \"http://127.0.0.1:8000\"\n" + blue + "[slots.green]\nurl = \"http://127.0.0.1:8001\"\n" + green;
}
const std::string sites = slots("site = \"/blue\"\n", "site = \"/green\"\n");
const std::string by_site = door + "live_site = \"/live\"\n";
const std::string deployed = "[deployment]\n" + by_site + sites;
const std::string targets = slots("target = \"blue\"\n", "target = \"green\"\n");
const std::string commands = slots("switch = [\"to\", \"blue\"]\n", "switch = [\"to\", \"green\"]\n");

std::string document(const std::string& table, const row& r, const std::string& line) {
  return r.before + table + "\n" + r.beside + line + "\n" + r.after;
}

bool same(const configuration& a, const configuration& b) {
  return a.agent == b.agent && a.record == b.record && a.deployment == b.deployment && a.nginx == b.nginx && a.slots == b.slots &&
         a.rules == b.rules;
}

/// The keys that the table's reader knows: it lists them where one is unknown that is near to none.
std::set<std::string> known_to_the_reader(const std::string& text, std::string_view path) {
  const std::string problems = read_of(text).problems;
  const std::string before = std::string(path) + "." + std::string(unheard_of) + ": is unknown here; expected one of ";
  const std::size_t at = problems.find(before);
  CAPTURE(problems);
  REQUIRE(at != std::string::npos);
  const std::size_t first = at + before.size();
  std::set<std::string> keys;
  std::string list = problems.substr(first, problems.find('\n', first) - first);
  for (std::size_t comma = 0; comma != std::string::npos; list.erase(0, comma + 2)) {
    comma = list.find(", ");
    keys.insert(list.substr(0, comma));
    if (comma == std::string::npos) break;
  }
  return keys;
}

/// `table` is how it is written, `path` how messages name it.
void check_each(const std::string& table, std::string_view path, const std::vector<row>& rows) {
  std::set<std::string> tried;
  for (const row& r : rows) {
    CAPTURE(r.key);
    const configuration one = good(document(table, r, r.one));
    const configuration other = good(document(table, r, r.other));
    CHECK(!same(one, other));
    tried.emplace(r.key);
  }
  const row& any = rows.front();
  CHECK(known_to_the_reader(document(table, any, any.one + (any.one.empty() ? "" : "\n") + std::string(unheard_of) + " = 1"), path) ==
        tried);
}

}  // namespace

TEST_CASE("every_key_of_agent_is_read_into_something") {
  const flipback::test::folder with;
  const std::string token = with.write("token", "fedcba9876543210\n");
  check_each("[agent]", "agent",
             {{"listen", "", R"(listen = "127.0.0.1:1")"},
              {"token", "", R"(token = "0123456789abcdef")"},
              {"token_file", "", "token_file = \"" + token + "\""},
              {"hosts", "", R"(hosts = "flipback.example.com")"},
              {"state", "", R"(state = "/state")"},
              {"socket", "", R"(socket = "/socket")"},
              {"log_format", "", R"(log_format = "json")"},
              {"log_level", "", R"(log_level = "debug")"},
              {"name_servers", "", R"(name_servers = "127.0.0.1")"},
              {"spread", "", R"(spread = "1s")"}});
}

TEST_CASE("every_key_of_record_is_read_into_something") {
  const std::string path = "path = \"/record\"\n";
  check_each("[record]", "record",
             {{"path", R"(path = "/one")", R"(path = "/other")"},
              {"max_size", "", R"(max_size = "2MiB")", path},
              {"max_age", "", R"(max_age = "2d")", path}});
}

TEST_CASE("every_key_of_nginx_is_read_into_something") {
  check_each("[nginx]", "nginx",
             {{"binary", "", R"(binary = "/nginx")"},
              {"conf", "", R"(conf = "/conf")"},
              {"prefix", "", R"(prefix = "/prefix")"},
              {"pid", "", R"(pid = "/pid")"},
              {"error_log", "", R"(error_log = "/log")"},
              {"reload", "", R"(reload = "systemd")"},
              {"unit", "", R"(unit = "openresty.service")", "reload = \"systemd\"\n"},
              {"reload_command", R"(reload_command = ["a"])", R"(reload_command = ["b"])", "reload = \"command\"\n"},
              {"test_command", "", R"(test_command = ["nginx", "-t"])"},
              {"pid_command", "", R"(pid_command = ["cat", "/pid"])"},
              {"container", R"(container = "web")", R"(container = "shop_nginx_1")", "reload = \"docker\"\n"},
              {"docker", "", R"(docker = "proxy:2375")", "reload = \"docker\"\ncontainer = \"web\"\n"},
              {"helper", "", R"(helper = "/helper.sock")"},
              {"command_timeout", "", R"(command_timeout = "1s")"}});
}

TEST_CASE("every_key_of_a_slot_is_read_into_something") {
  const std::string url = "url = \"http://127.0.0.1:8000\"\n";
  const std::string probes = "[probes.login]\ntype = \"tcp\"\naddress = \"127.0.0.1:1\"\n";
  const std::string green = "[slots.green]\nurl = \"http://127.0.0.1:8001\"\n";
  const std::string by_text = "[deployment]\n" + by_site + green + "text = \"g\"\n";
  const std::string by_link = "[deployment]\n" + door + "live_link = \"/live\"\n" + green + "target = \"green\"\n";
  const std::string by_command = "[deployment]\n" + door + "active = [\"which\"]\n" + green + "switch = [\"to\", \"green\"]\n";
  check_each("[slots.blue]", "slots.blue",
             {{"url", R"(url = "http://127.0.0.1:1")", R"(url = "http://127.0.0.1:2")", "", "", probes},
              {"site", R"(site = "/one")", R"(site = "/other")", url, "[deployment]\n" + by_site + green + "site = \"/green\"\n"},
              {"text", R"(text = "one")", R"(text = "other")", url, by_text},
              {"target", R"(target = "one")", R"(target = "other")", url, by_link},
              {"switch", R"(switch = ["one"])", R"(switch = ["other"])", url, by_command},
              {"health", "", R"(health = "/healthz")", url},
              {"expect", "", R"(expect = 204)", url},
              {"upstreams", "", R"(upstreams = "api")", url},
              {"checks", "", R"(checks = "login")", url, "", probes}});
}

TEST_CASE("every_key_of_deployment_is_read_into_something") {
  check_each("[deployment]", "deployment",
             {{"mode", "", R"(mode = "act")", by_site, "", sites},
              {"stable", "", R"(stable = "blue")", by_site, "", sites},
              {"window", "", R"(window = "1m")", by_site, "", sites},
              {"confirm", "", "confirm = 1", by_site, "", sites},
              {"confirm_every", "", R"(confirm_every = "2s")", by_site, "", sites},
              {"prove", "", "prove = 1", by_site, "", sites},
              {"prove_within", "", R"(prove_within = "2s")", by_site, "", sites},
              {"watch_every", "", R"(watch_every = "2s")", by_site, "", sites},
              {"canary", "", R"(canary = "green")", by_site, "", sites},
              {"write", "", R"(write = "in_place")", by_site, "", sites},
              {"live_site", R"(live_site = "/one")", R"(live_site = "/other")", door, "", sites},
              {"live_sites", R"(live_sites = ["/one"])", R"(live_sites = ["/other"])", door, "", sites},
              {"live_link", R"(live_link = "/one")", R"(live_link = "/other")", door, "", targets},
              {"active", R"(active = ["one"])", R"(active = ["other"])", door, "", commands},
              {"switch_timeout", "", R"(switch_timeout = "2s")", door + "active = [\"which\"]\n", "", commands},
              {"settle_within", "", R"(settle_within = "2s")", door + "active = [\"which\"]\n", "", commands},
              {"intent", R"(active = ["which"])", R"(intent = "effect")", door, "", commands},
              {"front_door", R"(front_door = { url = "http://127.0.0.1:1/" })", R"(front_door = { url = "http://127.0.0.1:2/" })",
               "live_site = \"/live\"\n", "", sites}});
}

TEST_CASE("every_key_of_the_front_door_is_read_into_something") {
  const std::string before = "[deployment]\nlive_site = \"/live\"\n" + sites;
  const std::string url = "url = \"http://127.0.0.1/\"\n";
  check_each("[deployment.front_door]", "deployment.front_door",
             {{"url", R"(url = "http://127.0.0.1:1/")", R"(url = "http://127.0.0.1:2/")", "", before},
              {"host", "", R"(host = "api.example.com")", url, before},
              {"ca_file", "", R"(ca_file = "/ca")", url, before},
              {"identity", "", R"(identity = "/version")", url, before},
              {"release", "", R"(release = "/version")", url, before},
              {"timeout", "", R"(timeout = "2s")", url, before}});
}

TEST_CASE("every_key_of_a_live_site_is_read_into_something") {
  const std::string before = "[deployment]\n" + door + slots("", "");
  const auto others = [](std::string_view but) {
    std::string lines;
    for (const std::string_view key : {"live", "blue", "green"}) {
      if (key != but) lines += std::string(key) + " = \"/" + std::string(key) + "\"\n";
    }
    return lines;
  };
  check_each("[[deployment.live_sites]]", "deployment.live_sites[1]",
             {{"live", R"(live = "/one")", R"(live = "/other")", others("live"), before},
              {"blue", R"(blue = "/one")", R"(blue = "/other")", others("blue"), before},
              {"green", R"(green = "/one")", R"(green = "/other")", others("green"), before}});
}

TEST_CASE("every_key_of_a_rule_is_read_into_something") {
  const std::string acts = "name = \"r\"\nwhen = \"live.up == 0\"\nthen = \"rollback\"\n";
  const std::string alerts = "name = \"r\"\nwhen = \"live.up == 0\"\n";
  check_each("[[rules]]", "rules[1]",
             {{"name", R"(name = "one")", R"(name = "other")", "when = \"live.up == 0\"\n", deployed},
              {"enabled", "", "enabled = false", alerts, deployed},
              {"when", R"(when = "live.up == 0")", R"(when = "live.up == 1")", "name = \"r\"\n", deployed},
              {"until", R"(until = "live.up == 0")", R"(until = "live.up == 1")", alerts, deployed},
              {"unless", R"(unless = "live.up == 0")", R"(unless = "live.up == 1")", acts, deployed},
              {"for", "", R"(for = "1s")", alerts, deployed},
              {"after", "", R"(after = "1s")", acts, deployed},
              {"gap", "", R"(gap = "1s")", alerts, deployed},
              {"then", "", R"(then = "rollback")", alerts, deployed},
              {"hold", "", "hold = true", alerts, deployed},
              {"severity", "", R"(severity = "info")", alerts, deployed},
              {"min_samples", "", "min_samples = 1", alerts, deployed},
              {"min_errors", "", "min_errors = 1", alerts, deployed},
              {"partial", "", "partial = true", acts, deployed},
              {"mode", "", R"(mode = "ask")", acts, deployed}});
}
