#pragma once

#include <string>

namespace flipback::cli {

struct replay_options {
  std::string file;             ///< a record; what it followed, FILE.1, is read first
  std::string rules;            ///< a configuration whose [[rules]] judge; empty: the built-in ones alone
  std::string format = "text";  ///< text | json
  bool all = false;             ///< verdicts that come and go between ok and unknown, too
};

/// Judges a record by other rules and prints what they would have said, with the times. Exit status: 0; 2 where the record or the rules
/// can't be read.
int replay(const replay_options& options);

}  // namespace flipback::cli
