#include "agent/init/draft.hpp"

#include "agent/config/toml.hpp"
#include "agent/config/validate.hpp"
#include "agent/init/look.hpp"
#include "agent/init/settle.hpp"
#include "agent/init/toml_text.hpp"
#include "tests/folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

using namespace flipback;

namespace {

std::string text_read(const std::string& toml) {
  settings::diagnostics problems;
  const settings::node read = config::parse_toml("x = " + toml, "test", problems);
  REQUIRE(problems.clean());
  return std::get<std::string>(std::get<settings::table>(read.value).at("x").value.front().value);
}

}  // namespace

TEST_CASE("what_is_quoted_is_read_as_it_was") {
  for (const std::string text : {"plain", "a\"b\\c", "line\nbreak\ttab", "\x7f\x01", "umläut", "]\n[agent]\n"}) {
    CAPTURE(text);
    CHECK(text_read(init::in_toml(text)) == text);
  }
  CHECK(init::escaped("$a ${b} $$ $") == "$a $${b} $$$ $");
}

TEST_CASE("a_comment_has_no_line_without_its_mark") {
  for (const std::string& text : {std::string("a\nb"), std::string("a\r[agent]"), std::string(500, 'x'), std::string("\n\n"),
                                  "a b " + std::string(300, 'y') + " c", std::string("\xff\xfe\x80")}) {
    std::string made = init::as_comment(text) + init::switched_off(text);
    CHECK(made.starts_with('#'));
    for (std::size_t at = made.find('\n'); at + 1 < made.size(); at = made.find('\n', at + 1)) CHECK(made[at + 1] == '#');
    CHECK(std::ranges::count(made, '\r') == 0);
  }
}

TEST_CASE("a_host_that_shows_nothing_has_its_disk") {
  init::draft made = init::drafted({});
  init::settle(made);
  const std::string text = init::text_of(made);
  CHECK(text.contains("\n[probes.disk]\n"));
  CHECK(text.contains("\n# [deployment]\n"));
}

TEST_CASE("what_the_reader_does_not_take_is_switched_off_with_its_reason") {
  init::draft made;
  made.passages = {{"good", "[probes.a]\ntype = \"tcp\"\naddress = \"127.0.0.1:1\"\n", ""},
                   {"bad", "[probes.b]\ntype = \"tcp\"\n", ""},
                   {"no TOML", "[probes\n", ""},
                   {"good too", "[probes.c]\ntype = \"tcp\"\naddress = \"127.0.0.1:1\"\n", ""}};
  init::settle(made);
  CHECK(made.passages[0].why_off.empty());
  CHECK(made.passages[1].why_off.contains("probes.b.address"));
  CHECK_FALSE(made.passages[2].why_off.empty());
  CHECK(made.passages[3].why_off.empty());
  CHECK(made.untold.size() == 2);
}

TEST_CASE("a_secret_is_named_and_not_written") {
  init::host seen;
  seen.variables.set = {{"REDIS_URL", "redis://:hunter2@cache:6379"},
                        {"REDIS_PASSWORD", "hunter2"},
                        {"NEO4J_URI", "bolt://h"},
                        {"NEO4J_AUTH", "neo4j/hunter2"}};
  const init::draft made = init::drafted(seen);
  const std::string text = init::text_of(made);
  CHECK_FALSE(text.contains("hunter2"));
  CHECK(text.contains("url = \"${REDIS_URL}\"\npassword = \"${REDIS_PASSWORD}\"\n"));
  CHECK(std::ranges::any_of(made.untold,
                            [](const std::string& u) { return u.starts_with("probes.neo4j: password is a part of NEO4J_AUTH"); }));
}

TEST_CASE("ports_that_listen_on_this_host_are_known_from_procs_table") {
  const std::string table =
      "  sl  local_address rem_address   st\n"
      "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000\n"
      "   1: 00000000:18EB 00000000:0000 0A 0\n"
      "   2: 0100007F:2384 0100007F:9999 01 0\n"
      "   3: 0A00000A:1F90 00000000:0000 0A 0\n"
      "   4: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0\n"
      "   5: garbage\n";
  CHECK(init::listening_in(table) == std::set<std::uint16_t>{5432, 6379, 3000});
}

TEST_CASE("two_services_of_a_kind_are_two_probes") {
  init::host seen;
  seen.compose_files = {{"/a.yml", "services: { one: { image: redis, ports: ['1:6379'] }, 'two 2': { image: redis, ports: ['2:6379'] } }"},
                        {"/b.yml", "services: { one: { image: redis, ports: ['3:6379'] }, other: { image: redis, ports: ['4:6379'] } }"}};
  const std::string text = init::text_of(init::drafted(seen));
  CHECK(text.contains("[probes.redis]\ntype = \"redis\"\nurl = \"redis://127.0.0.1:3\"\n"));
  CHECK(text.contains("[probes.redis-two-2]\ntype = \"redis\"\nurl = \"redis://127.0.0.1:2\"\n"));
  CHECK(text.contains("[probes.redis-other]\ntype = \"redis\"\nurl = \"redis://127.0.0.1:4\"\n"));
}

TEST_CASE("an_nginx_in_a_container_is_said") {
  init::host seen;
  seen.compose_files = {{"/a.yml", "services: { front: { image: 'nginx:1.27-alpine' } }"}};
  CHECK(init::text_of(init::drafted(seen)).contains("# Not in force: nginx is the service front in /a.yml"));
}

TEST_CASE("each_folder_has_one_env_file_and_production_is_before_staging") {
  const test::folder in;
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(in.path(path)).parent_path());
    std::ofstream(in.path(path)) << text;
  };
  write("one/.env", "POSTGRES_HOST=other\n");
  write("one/.env.production", "POSTGRES_HOST=a\nPATH=theirs\n");
  write("one/docker-compose.yml", "services: {}");
  write("one/docker-compose.production.yml", "services: {}");
  write("one/docker-compose.staging.yml", "services: {}");
  write("two/.env", "REDIS_URL=redis://b\n");
  write("two/compose.yaml", "services: {}");
  write("two/compose.dev.yaml", "services: {}");
  std::filesystem::create_directories(in.path("three/.env"));
  const init::host seen = init::look({{in.path("one"), in.path("two"), in.path("three"), in.path("none")}, {}, in.path("none")});
  CHECK(seen.env_files == std::vector<std::string>{in.path("one/.env.production"), in.path("two/.env")});
  CHECK(seen.variables.set.at("POSTGRES_HOST") == "a");
  CHECK(seen.variables.set.at("PATH") != "theirs");  // the environment wins, as it will for who reads the configuration
  CHECK(seen.variables.set.size() == 3);
  std::vector<std::string> composed;
  for (const init::text_file& f : seen.compose_files) composed.push_back(f.path);
  CHECK(composed == std::vector<std::string>{in.path("one/docker-compose.production.yml"), in.path("one/docker-compose.yml"),
                                             in.path("two/compose.dev.yaml"), in.path("two/compose.yaml")});
  CHECK(seen.untold.size() == 1);  // no nginx
}

namespace {

/// Texts that a host may hold, whole and broken, put together by chance.
class odd_host {
 public:
  explicit odd_host(unsigned seed) : dice_(seed) {}

  init::host made() {
    init::host h;
    init::nginx_seen nginx{.binary = word()};
    nginx.dump = "# configuration file /etc/nginx/nginx.conf:\nhttp { log_format " + word() + " '" + word() + "$status " + word() +
                 "'; include x; }\n";
    for (const char* path : {"/n/sites-enabled/a", "/n/sites-enabled/blue", "/n/conf.d/b"})
      nginx.dump += "# configuration file " + std::string(path) + ":\n" + file();
    for (const char* path : {"/n/sites-available/blue", "/n/sites-available/green", "/n/sites-available/c"})
      nginx.beside.push_back({path, file()});
    if (roll(2) == 0) nginx.links = {{"/n/sites-enabled/a", "../sites-available/" + std::string(roll(2) == 0 ? "blue" : word())}};
    if (roll(5) != 0) h.nginx = nginx;
    for (int i = 0; i < 3; ++i)
      h.compose_files.push_back(
          {"/" + word(), "services: { '" + word() + "': { image: " + image() + ", ports: ['" + word() + "1:6379', '7:5432'] } }"});
    for (const char* name : {"POSTGRES_HOST", "POSTGRES_PORT", "REDIS_URL", "KEYCLOAK_URL", "SENTRY_DSN", "API_URL", "MINIO_ENDPOINT",
                             "NEO4J_AUTH", "NEO4J_URI", "S3_BUCKET"}) {
      if (roll(2) == 0) h.variables.set[name] = word() + word();
    }
    h.listening = {5432, 9090};
    return h;
  }

 private:
  unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }
  std::string word() {
    constexpr std::array words{"",
                               "blue",
                               "green",
                               "127.0.0.1:8000",
                               "http://127.0.0.1:8001",
                               "\"",
                               "\\",
                               "\n",
                               "]\n[agent]\nx=1\n",
                               "$",
                               "${x}",
                               "${",
                               "$$",
                               "é",
                               "\xff",
                               "#",
                               "'''",
                               "unix:/run/x",
                               "[::1]:80",
                               "a b",
                               "x=1",
                               "<host>"};
    return words.at(roll(words.size()));
  }
  std::string image() {
    constexpr std::array images{"redis", "postgres", "'x/minio:\"1'", "nginx", "{}"};
    return images.at(roll(images.size()));
  }
  std::string file() {
    std::string text = "upstream " + word() + " { server 127.0.0.1:800" + std::to_string(roll(3)) + "; server " + word() +
                       "; }\n# server " + word() + ";\n";
    if (roll(3) == 0) text += word();
    return text + "server { listen " + word() + "; server_name " + word() + "; access_log /" + word() + " " + word() +
           "; location / { proxy_pass http://127.0.0.1:800" + std::to_string(roll(3)) + "; } }\n";
  }
  std::mt19937 dice_;
};

}  // namespace

TEST_CASE("whatever_a_host_holds_what_is_written_is_a_good_configuration") {
  const test::folder in;
  unsigned in_force = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const init::host seen = odd_host(seed).made();
    for (const auto& [name, value] : seen.variables.set) ::setenv(name.c_str(), value.c_str(), 1);
    init::draft made = init::drafted(seen);
    init::settle(made);
    const std::string text = init::text_of(made);
    std::ofstream(in.path("f.toml"), std::ios::binary) << text;
    settings::diagnostics problems;
    const config::configuration read = config::validate(in.path("f.toml"), {config::process_environment()}, problems);
    CHECK_MESSAGE(problems.clean(), text);
    CHECK(read.agent == config::agent{});
    in_force += read.deployment ? 1U : 0U;
    for (const auto& [name, value] : seen.variables.set) ::unsetenv(name.c_str());
  }
  CHECK(in_force > 20);  // else nothing but comments was looked at
}
