#pragma once

#include <string>
#include <vector>

namespace flipback {

/// A measurement that a probe of its kind may give, but this one can't, and why: "p95" and "the log's format has no $request_time".
struct lacking_signal {
  std::string name;
  std::string why;
};

/// What a probe is, beside a probe, that knows what it lacks, so that a rule which needs it can be told why.
class knows_lacking {
 public:
  virtual ~knows_lacking() = default;
  [[nodiscard]] virtual std::vector<lacking_signal> lacks() const = 0;
};

}  // namespace flipback
