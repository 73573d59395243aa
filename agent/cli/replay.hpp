#pragma once

#include <string>
#include <vector>

namespace flipback::cli {

struct replay_options {
  std::vector<std::string> sources;   ///< one record, and what it followed, FILE.1, before it; or metrics (see replay::source)
  std::string rules;                  ///< a configuration whose [[rules]] judge; empty: the built-in ones alone
  std::vector<std::string> cutovers;  ///< when there were some (RFC 3339), which metrics do not tell
  std::string format = "text";        ///< text | json
  bool all = false;                   ///< verdicts that come and go between ok and unknown, too
};

/// Judges what was recorded by other rules and prints what they would have said, with the times. Exit status: 0; 2 where the sources or
/// the rules can't be read.
int replay(const replay_options& options);

}  // namespace flipback::cli
