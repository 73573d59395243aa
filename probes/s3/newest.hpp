#pragma once

#include "flipback/settings.hpp"

#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/s3/session.hpp"

#include <optional>

namespace flipback::s3 {

/// Objects of which the newest is looked at: the backups of one database.
struct series_of_objects {
  std::string name;
  std::string bucket;
  std::string prefix;
  std::string suffix;  ///< others under the prefix (checksums, logs) don't count
  std::optional<duration> max_age;
  std::uint64_t min_size = 0;
  std::string_view age_measured_as;
  std::string_view size_measured_as;
};

/// Reads `newest = { NAME = { bucket, prefix, suffix, max_age, min_size }, … }`.
std::vector<series_of_objects> read_newest(settings::section& from, declarations& declared);

/// Measures the newest object's age and size, and holds them against what is expected. At most 20 pages of 1000 objects are looked at, as
/// long as `until`: where there are more, nothing is measured, and whether the age is right is known only if one of those seen is young
/// enough.
asio::awaitable<void> look_at_newest(const series_of_objects& of, session& asks, instant until, findings& into);

}  // namespace flipback::s3
