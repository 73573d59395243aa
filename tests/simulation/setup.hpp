#pragma once

#include "agent/deployment/terms.hpp"
#include "tests/simulation/dice.hpp"

#include <string>
#include <vector>

/// How the host of a story is made, drawn from its seed; and what is out of order on it at the moment.
namespace flipback::simulation {

using deployment::slot_number;
using deployment::terms;
using std::chrono::milliseconds;
using std::chrono::seconds;

enum class switched_by : std::uint8_t { site, text, link, socket };
enum class site_kind : std::uint8_t { plain, backup, split };
/// What answers say of who gave them.
enum class told_by : std::uint8_t { nothing, colour, version, both };
/// A cache before the health path: none, one that knows the address and its query, one that passes over the query.
enum class cache_kind : std::uint8_t { none, by_address, whole };

struct rule_setup {
  std::string name;
  duration window{};
  duration short_window{};
  double limit = 0.5;
  duration lasts{};
  std::optional<config::mode> mode;
};

struct setup {
  terms by;
  switched_by how = switched_by::site;
  site_kind sites = site_kind::plain;
  std::size_t files = 1;
  told_by tells = told_by::both;
  cache_kind cache = cache_kind::none;
  duration cached_for{};
  bool log = true;
  bool log_fills = true;  ///< after a restart what happened meanwhile is read from the log
  bool workers_visible = true;
  duration prove_within = seconds(3);
  std::vector<rule_setup> rules;
};

/// What is out of order now.
struct faults {
  bool store_fails = false;
  bool store_hangs = false;
  bool journal_fails = false;
  bool journal_hangs = false;
  bool disk_full = false;
  bool disk_read_only = false;
  bool disk_slow = false;
  bool test_hangs = false;
  bool reload_lost = false;  ///< the command says that it failed, or hangs, and nginx may have heard all the same
  bool answers_late = false;
  bool answers_lost = false;
  bool door_silent = false;
  bool log_silent = false;
  bool switch_unreadable = false;
  bool withheld = false;
  bool shared_is_ill = false;
  bool one_client = false;

  friend bool operator==(const faults&, const faults&) = default;
};

setup draw_setup(dice& chance);
/// One of whose parts a proof can be had, and which acts: for the stories that must end in a rollback.
setup draw_plain_setup(dice& chance);
std::string text_of(const setup& s);

}  // namespace flipback::simulation
