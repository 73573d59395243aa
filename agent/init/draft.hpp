#pragma once

#include "agent/init/host.hpp"

#include <string>
#include <vector>

namespace flipback::init {

/// A part of the configuration: tables that belong together.
struct passage {
  std::string says;     ///< what it is and where it was found, for its comment
  std::string toml;     ///< may be empty: then only the comment is written
  std::string why_off;  ///< why it stands there as a comment alone; empty: it is in force
};

struct draft {
  std::vector<passage> passages;    ///< in the configuration's order
  std::vector<std::string> untold;  ///< what could not be told, a sentence each, for whoever has typed `init`
  std::vector<std::string> reads;   ///< files that whoever reads the configuration must be able to read
};

/// What a host shows, as a configuration. Whether it is a good one is `settle`'s to find out.
draft drafted(const host& seen);

/// The whole text.
std::string text_of(const draft& from);

}  // namespace flipback::init
