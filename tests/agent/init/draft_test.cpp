#include "agent/init/draft.hpp"

#include "flipback/utf8.hpp"

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

TEST_CASE("a_name_that_is_no_utf8_is_in_no_configuration") {
  init::host seen;
  const std::string live = "# configuration file /n/on/a:\nserver { listen 80; location / { proxy_pass http://127.0.0.1:8000; } }\n";
  init::nginx_seen nginx{.binary = "/usr/sbin/nginx", .dump = "# configuration file /n/nginx.conf:\nhttp { include on/*; }\n" + live};
  nginx.links = {{"/n/on/a", "../off/\xff-blue"}};
  nginx.beside = {{"/n/off/\xff-blue", "proxy_pass http://127.0.0.1:8000;"}, {"/n/off/\xff-green", "proxy_pass http://127.0.0.1:8001;"}};
  seen.nginx = nginx;
  init::draft made = init::drafted(seen);
  init::settle(made);
  const std::string text = init::text_of(made);
  CHECK(first_malformed(text) == text.size());
  CHECK_FALSE(text.contains("\n[deployment]"));
  CHECK(text.contains("# target = \"../off/\\xff-blue\"\n"));
  CHECK(std::ranges::any_of(made.untold, [](const std::string& u) {
    return u == "what target = \"../off/\\xff-blue\" says is no UTF-8, and can stand in no configuration: give it another name";
  }));
}

TEST_CASE("an_application_that_is_left_is_said_in_the_file_and_to_who_has_typed") {
  init::host seen;
  init::nginx_seen nginx{.binary = "/usr/sbin/nginx", .dump = "# configuration file /n/nginx.conf:\nhttp { include on/*; }\n"};
  for (const std::string name : {"crm", "shop", "shop2", "shop3", "shop4", "shop5", "shop6"}) {
    const std::string port = std::to_string(8000 + 2 * name.size() + static_cast<unsigned char>(name.back()));
    nginx.dump += "# configuration file /n/on/" + name + ":\nupstream " + name + "-blue { server h" + name + ":1; }\nupstream " + name +
                  "-green { server h" + name + ":2; }\nserver { listen " + port + "; location / { proxy_pass http://" + name +
                  "-blue; } }\n";
  }
  seen.nginx = nginx;
  init::draft made = init::drafted(seen);
  init::settle(made);
  const auto said = std::ranges::find_if(made.untold, [](const std::string& u) { return u.starts_with("which slots are meant: "); });
  REQUIRE(said != made.untold.end());
  CHECK(said->contains("/n/on/crm says http://crm-blue, and there is an upstream crm-green too. Another pair of slots was left"));
  CHECK(said->contains("/n/on/shop says http://shop-blue"));
  CHECK(said->contains(" and 1 more"));
  CHECK_FALSE(said->contains("shop6"));
  CHECK(init::text_of(made).contains("# Another pair of slots was left"));
}

TEST_CASE("of_several_front_doors_it_says_which_is_taken") {
  init::host seen;
  seen.nginx = init::nginx_seen{.binary = "/usr/sbin/nginx",
                                .dump =
                                    "# configuration file /n/nginx.conf:\nupstream blue { server a:1; } upstream green { server a:2; }\n"
                                    "server { listen 80; server_name a.com; location / { proxy_pass http://blue; } }\n"
                                    "server { listen 8080; location / { proxy_pass http://blue; } }\n"};
  const init::draft made = init::drafted(seen);
  CHECK(std::ranges::count(made.untold,
                           "which server is the front door: several lead to the slots; http://127.0.0.1/health with host a.com is taken, "
                           "http://127.0.0.1:8080/health is left") == 1);
}

TEST_CASE("where_a_service_is_published_is_said_truly") {
  init::host seen;
  seen.compose_files = {{"/a.yml",
                         "services: { one: { image: redis, ports: ['8000-8010:6375-6385'] }, db: { image: postgres, ports: ['5432'] }, "
                         "q: { image: qdrant, ports: ['80:80'] }, g: { image: grafana, ports: ['${X}:3000'] }, "
                         "two: { image: redis }, a: { image: airflow, ports: ['8080:8080'] }, worker: { image: airflow } }"}};
  const init::draft made = init::drafted(seen);
  CHECK(init::text_of(made).contains("[probes.redis]\ntype = \"redis\"\nurl = \"redis://127.0.0.1:8004\"\n"));
  const auto says = [&](const std::string& what) { return std::ranges::count(made.untold, what) == 1; };
  CHECK(
      says("Redis is the service two in /a.yml, which publishes no port 6379 there: a probe can reach it from a container of its network"));
  CHECK(std::ranges::none_of(made.untold, [](const std::string& u) { return u.contains("Airflow"); }));
  CHECK(
      says("Postgres is the service db in /a.yml, which publishes its port 5432 at a port that Docker chooses: "
           "`docker compose port db 5432` says where, once it runs; write its probe with that"));
  CHECK(
      says("Qdrant is the service q in /a.yml, which publishes no port 6333 there: a probe can reach it from a container of its network"));
  CHECK(
      says("Grafana is the service g in /a.yml, which has a port that may be its 3000 by a variable that is set in no env file which is "
           "read: `docker compose port g 3000` says where, once it runs; write its probe with that"));
}

TEST_CASE("files_beside_nginxs_that_are_not_read_are_said") {
  const test::folder in;
  in.write("bin/nginx", "#!/bin/sh\necho '# configuration file " + in.path("n/nginx.conf") + ":'\n");
  std::filesystem::permissions(in.path("bin/nginx"), std::filesystem::perms::owner_all);
  in.write("n/nginx.conf", "");
  in.write("n/long", std::string(2 * 1024 * 1024, ' '));
  const auto untold = [&] { return init::look({{}, {in.path("bin")}, in.path("none")}).untold; };
  CHECK(untold() ==
        std::vector<std::string>{"what 1 of the files beside nginx's say: the first is " + in.path("n/long") + " is longer than 1024KiB"});
  for (int i = 0; i < 600; ++i) in.write("n/a" + std::to_string(i), "");
  CHECK(untold() == std::vector<std::string>{"what 90 files beside nginx's say: there are 602, and the first 512 by their names are read"});
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
