#pragma once

#include "agent/config/mode.hpp"
#include "agent/init/host.hpp"
#include "agent/rollback/nginx_configuration.hpp"

#include <array>
#include <expected>
#include <string>
#include <vector>

namespace flipback::init {

struct slot_seen {
  std::string name;                    ///< "blue"
  std::vector<std::string> sites;      ///< switch `site`: its file for each live file
  std::string text;                    ///< switch `text`
  std::string target;                  ///< switch `link`
  std::vector<std::string> addresses;  ///< of its servers
};

/// How this host goes from one slot to the other.
struct switch_seen {
  config::switch_kind kind = config::switch_kind::site;
  std::vector<std::string> live;  ///< the live files; of a link the link
  std::array<slot_seen, 2> slots;
  std::string says;               ///< where it was found, a sentence
  std::string doubt;              ///< what speaks against it, a sentence; empty: nothing
  std::vector<std::string> left;  ///< what else would be a pair of slots, and is no part of this one, a sentence each
};

/// A link to a slot's file or folder; a site file that says what a slot's file says; an include, a pool's name or an address that one file
/// has of one slot; in this order, and of several the first that nginx reads: the others are `left`. What nginx reads of both slots at once
/// is no link, site file or include that switches. An error is a sentence: what was looked for.
std::expected<switch_seen, std::string> find_switch(const nginx_seen& nginx, const rollback::nginx_configuration& read);

}  // namespace flipback::init
