#include "probes/redis/vitals.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace flipback;

namespace {

struct judged {
  observation seen;
  std::map<std::string_view, double> values;
};

judged judge(std::string_view text, const redis::expected& wanted = {}) {
  redis::info about;
  about.add(text);
  findings found;
  redis::judge(about, wanted, found);
  judged made{found.take(), {}};
  for (const measurement& m : made.seen.measurements) {
    CHECK(std::ranges::find(redis::vitals, m.name, &measurement_declaration::name) != redis::vitals.end());
    made.values[m.name] = std::get<double>(m.value);
  }
  return made;
}

constexpr std::string_view full = "used_memory:110\r\nmaxmemory:100\r\ntotal_system_memory:1000\r\n";

}  // namespace

TEST_CASE("info_is_read_by_whole_names_and_whole_numbers") {
  redis::info about;
  CHECK(about.empty());
  about.add("# Memory\r\nused_memory:12\r\nused_memory_human:893.08K\r\nempty:\r\n");
  about.add("role:master\nbad:nan\nworse:1e999\nlast:1.5");
  CHECK(about.number("used_memory") == 12);
  CHECK(!about.number("used_memory_human"));
  CHECK(!about.number("used"));
  CHECK(!about.number("bad"));
  CHECK(!about.number("worse"));
  CHECK(about.text("empty") == "");
  CHECK(about.text("role") == "master");
  CHECK(about.number("last") == 1.5);
  CHECK(redis::field_of("ip=127.0.0.1,port=6380,state=online,offset=42,lag=0", "offset") == "42");
  CHECK(!redis::field_of("ip=127.0.0.1,port=6380", "set"));
}

TEST_CASE("memory_is_measured_against_the_limit_that_holds") {
  CHECK(judge("used_memory:50\nmaxmemory:100\ntotal_system_memory:1000\n", {.memory_limit = 200}).values["memory_used_ratio"] == 0.5);
  CHECK(judge("used_memory:50\nmaxmemory:0\ntotal_system_memory:1000\n", {.memory_limit = 200}).values["memory_used_ratio"] == 0.25);
  CHECK(judge("used_memory:50\nmaxmemory:0\ntotal_system_memory:1000\n").values["memory_used_ratio"] == 0.05);
  CHECK(!judge("used_memory:50\nmaxmemory:0\n").values.contains("memory_used_ratio"));
  CHECK(judge("used_memory:50\nmaxmemory:0\ntotal_system_memory:0\n").values.size() == 1);
}

TEST_CASE("a_full_memory_refuses_writes_only_where_nothing_may_be_evicted") {
  const auto with = [](std::string_view more) { return judge(std::string(full) + std::string(more)).seen; };
  CHECK(with("maxmemory_policy:noeviction\nrole:master\n").why == reason::expectation);
  CHECK(with("maxmemory_policy:allkeys-lru\nrole:master\n").result == outcome::pass);
  CHECK(with("maxmemory_policy:noeviction\nrole:slave\nmaster_link_status:up\n").result == outcome::pass);
  CHECK(with("maxmemory_policy:noeviction\nmem_not_counted_for_evict:20\n").result == outcome::pass);
}

TEST_CASE("what_can_not_be_saved_is_unwell") {
  CHECK(judge("rdb_last_bgsave_status:err\n").seen.says == "its last snapshot (BGSAVE) failed");
  CHECK(judge("aof_enabled:1\naof_last_write_status:err\n").seen.says == "it can't write its append-only file, and refuses writes");
  CHECK(judge("aof_enabled:1\naof_last_bgrewrite_status:err\n").seen.says == "the last rewrite of its append-only file failed");
  CHECK(judge("aof_enabled:0\naof_last_write_status:err\n").seen.result == outcome::pass);
  CHECK(judge("rdb_last_save_time:1000\nserver_time_usec:1060500000\n").values["last_save_age"] == 60.5);
}

TEST_CASE("replicas_are_as_far_behind_as_the_last_of_them") {
  const judged seen = judge(
      "role:master\nconnected_slaves:3\nmaster_repl_offset:1000\n"
      "slave0:ip=::1,port=1,state=online,offset=990,lag=0\nslave1:ip=::1,port=2,state=online,offset=700,lag=1\nslave2:ip=::1,port=3,state="
      "wait_bgsave,offset=0,lag=0\n");
  CHECK(seen.seen.says == "2 replicas");
  CHECK(seen.values.at("replicas") == 2);
  CHECK(seen.values.at("replica_lag_bytes") == 300);
}

TEST_CASE("a_replica_is_as_well_as_its_link") {
  const std::string replica = "role:slave\nmaster_host:db\nmaster_port:6379\n";
  CHECK(judge(replica + "master_link_status:up\n").seen.says == "a replica of db:6379");
  CHECK(judge(replica + "master_link_status:down\nmaster_link_down_since_seconds:12\n").seen.says ==
        "the link to its master db:6379 is down for 12 s");
  CHECK(judge(replica + "master_link_status:down\nmaster_link_down_since_seconds:-1\n").seen.says ==
        "the link to its master db:6379 is down and never was up");
  CHECK(judge(replica + "master_link_status:down\nmaster_sync_in_progress:1\n").seen.why == reason::starting);
  CHECK(judge(replica + "master_link_status:up\n", {.role = "master"}).seen.says == "it is a replica, expected a master");
}

TEST_CASE("an_info_that_tells_nothing_judges_nothing") {
  for (const char* text : {"", "role", "used_memory:\nmaxmemory:x\n", "connected_slaves:1e300\nrole:master\n"}) {
    CAPTURE(text);
    CHECK(judge(text).seen.result == outcome::pass);
  }
}

TEST_CASE("a_sentinel_is_said_to_be_one_and_measures_nothing") {
  const judged made = judge("redis_mode:sentinel\r\nused_memory:50\r\nmaxmemory:100\r\n");
  CHECK(made.seen.why == reason::expectation);
  CHECK(made.values.empty());
}

TEST_CASE("a_cluster_is_well_where_its_state_is_ok") {
  const auto of_cluster = [](std::string_view text) {
    redis::info about;
    about.add(text);
    findings found;
    found.well("PONG");
    redis::judge_cluster(about, found);
    return found.take();
  };
  CHECK(of_cluster("cluster_state:ok\r\ncluster_slots_ok:16384\r\n").says == "PONG, its cluster is ok");
  CHECK(of_cluster("cluster_state:ok\r\ncluster_slots_ok:100\r\n").says ==
        "PONG (its cluster is ok, though 100 of 16384 slots are served)");
  CHECK(of_cluster("cluster_state:fail\r\ncluster_slots_ok:0\r\n").why == reason::expectation);
  CHECK(of_cluster("").result == outcome::pass);
}
