#include "agent/rollback/nginx_configuration.hpp"

#include "probes/nginx/directives.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace flipback::rollback;
using flipback::upstream_group;

namespace {

/// Each directive on a line of its own, words in brackets, indented by its depth.
std::string shown(std::string_view text) {
  std::string all;
  for (const flipback::nginx::directive& d : flipback::nginx::parse_directives(text))
    all += fmt::format("{}{}\n", std::string(d.depth, ' '), fmt::join(d.words, "|"));
  return all;
}

}  // namespace

TEST_CASE("directives_are_read_as_nginx_reads_them") {
  CHECK(shown("user www-data;events { worker_connections 10; }") == "user|www-data\nevents\n worker_connections|10\n");
  CHECK(shown("# a; comment {\nuser a; # b;\n") == "user|a\n");
  CHECK(shown("a 'b c;' \"d}\" 'it\\'s';") == "a|b c;|d}|it's\n");
  CHECK(shown("root /srv/${host}/x; a#b c;") == "root|/srv/${host}/x\na#b|c\n");
  CHECK(shown("map $a $b { default 0; ~*\\.png$ 1; }") == "map|$a|$b\n default|0\n ~*\\.png$|1\n");
  CHECK(shown(R"(a "a\.b\tc\"d\\e\xf\n";)") == "a|a\\.b\tc\"d\\e\\xf\n\n");  // held against nginx 1.22
  CHECK(shown("location / { content_by_lua_block { ngx.say('}; {') x = { 1 } } } b;").starts_with("location|/\n content_by_lua_block\n"));
  CHECK(shown("nginx: configuration file x test is successful\nuser a;\n") == "user|a\n");
  CHECK(shown("") == "");
  CHECK(shown("a \"unfinished") == "");
  CHECK(shown("}}} a;") == "a\n");
}

TEST_CASE("logs_are_found_wherever_they_stand") {
  const nginx_configuration found = configuration_in(R"(
error_log /var/log/nginx/error.log warn;
http {
  log_format flipback escape=json '{"status":"$status",'
                                  '"agent":"$http_user_agent"}';
  log_format bare '$status';
  access_log off;
  server {
    error_log /elsewhere.log;
    access_log /var/log/nginx/a.json flipback;
    access_log logs/b.log bare buffer=32k flush=5s;
    location /x { access_log /c.log bare if=$loggable; access_log /$host.log; access_log syslog:server=1.2.3.4 bare;
                  access_log syslog:server=unix:/run/flipback/access.sock,tag=api,nohostname bare if=$loggable; }
    access_log /d.log;
  }
})",
                                                     "/etc/nginx");
  CHECK(found.error_log == "/var/log/nginx/error.log");
  REQUIRE(found.access_logs.size() == 5);
  CHECK(found.access_logs[0].path == "/var/log/nginx/a.json");
  CHECK(found.access_logs[0].format == R"({"status":"$status","agent":"$http_user_agent"})");
  CHECK_FALSE(found.access_logs[0].conditional);
  CHECK(found.access_logs[1].path == "/etc/nginx/logs/b.log");
  CHECK_FALSE(found.access_logs[1].buffered);  // not for long
  CHECK(found.access_logs[2].conditional);
  CHECK(found.access_logs[2].format == "$status");
  CHECK(found.access_logs[3].path == "/run/flipback/access.sock");
  CHECK(found.access_logs[3].format == "$status");
  CHECK(found.access_logs[3].conditional);
  CHECK(found.access_logs[4].format.find("$http_user_agent") != std::string::npos);
}

TEST_CASE("where_requests_go_is_found") {
  const nginx_configuration found = configuration_in(R"(# configuration file /etc/nginx/nginx.conf:
pid /run/nginx.pid;
http {
  log_format bare escape=none '$status';
  split_clients $remote_addr $slot { 5% green; * blue; }
  set_real_ip_from 10.0.0.0/8;
  upstream blue { zone blue 64k; server 127.0.0.1:8000; server 127.0.0.1:8001 backup; }
  upstream green { server unix:/run/green.sock weight=3 max_fails=0; server localhost down; keepalive 8; }
# configuration file /etc/nginx/sites-enabled/default:
  server {
    listen [::]:80 default_server; listen 443 ssl;
    access_log /a.log bare;
    proxy_cache off;
    location / { proxy_pass http://blue/; }
    location /b { proxy_pass https://10.0.0.1:8443; proxy_cache api; }
    location /c { proxy_pass http://unix:/run/green.sock:/x/; }
    location /d { uwsgi_pass 127.0.0.1:9000; }
  }
})",
                                                     "/etc/nginx");
  CHECK(found.pid == "/run/nginx.pid");
  CHECK(found.files == std::vector<std::string>{"/etc/nginx/nginx.conf", "/etc/nginx/sites-enabled/default"});
  REQUIRE(found.upstreams.size() == 2);
  CHECK(found.upstreams[0] == upstream_group{"blue", {"127.0.0.1:8000", "127.0.0.1:8001"}});
  CHECK(found.upstreams[1] == upstream_group{"green", {"unix:/run/green.sock", "localhost"}});
  CHECK(found.passes == std::vector<std::string>{"blue", "10.0.0.1:8443", "unix:/run/green.sock", "127.0.0.1:9000"});
  REQUIRE(found.access_logs.size() == 1);
  CHECK(found.access_logs[0].forgeable);
  CHECK(found.splits_clients);
  const nginx_configuration none = configuration_in("http { proxy_cache off; }", "/etc/nginx");
  CHECK_FALSE(none.splits_clients);
}

TEST_CASE("a_hosts_name_that_requests_are_passed_to_is_a_group_of_all_its_ports") {
  const nginx_configuration found = configuration_in(R"(http {
  upstream api { server 127.0.0.1:8000; }
  server {
    location / { proxy_pass http://api/; }
    location /a { proxy_pass http://localhost:8000; }
    location /b { proxy_pass http://localhost:8001/x; }
    location /c { proxy_pass http://localhost:8001/y; }
    location /d { proxy_pass http://127.0.0.1:9000; }
    location /e { proxy_pass http://[::1]:9000; }
    location /f { proxy_pass http://unix:/run/api.sock:/; }
    location /g { proxy_pass http://$slot:9000; }
  }
})",
                                                     "/etc/nginx");
  CHECK(groups_of(found) ==
        std::vector<upstream_group>{{"api", {"127.0.0.1:8000"}}, {"localhost", {"localhost:8000", "localhost:8001"}, false}});
}
