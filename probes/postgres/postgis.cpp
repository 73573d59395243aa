#include "flipback/quoted.hpp"

#include "probes/postgres/questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::postgres {

namespace {

// What PostGIS_Full_Version() says of itself when a part has another version than the rest (its postgis.sql.in):
// 'core procs from "3.2.0" need upgrade', 'procs need upgrade for use with PostgreSQL "150"', 'liblwgeom version mismatch',
// '[UNPACKAGED!]'.
constexpr std::array<std::string_view, 4> mismatches{"need upgrade", "needs upgrade", "mismatch", "UNPACKAGED"};

void hear(const answer& heard, findings& into) {
  if (!heard) {
    const bool missing = heard.error().state == "42883";  // no such function
    return into.unwell(missing ? reason::absent : heard.error().why,
                       missing ? "PostGIS is not in this database, or not in the search path" : "PostGIS: " + heard.error().says);
  }
  const std::string version = heard->text("version").value_or("");
  const bool whole = std::ranges::none_of(mismatches, [&](std::string_view text) { return version.contains(text); });
  if (!whole)
    return into.unwell(reason::expectation, fmt::format("PostGIS is of several versions: {}", flipback::quoted(version, {}, 400)));
  constexpr std::string_view before = "POSTGIS=\"";
  const std::size_t at = version.starts_with(before) ? before.size() : 0;
  into.well(fmt::format("PostGIS {}", flipback::quoted(std::string_view(version).substr(at, version.find_first_of(" \"", at) - at))));
}

}  // namespace

void add_postgis(settings::section& from, std::vector<question>& all) {
  if (from.boolean("postgis", false)) all.push_back({{"SELECT PostGIS_Full_Version() AS version"}, hear});
}

}  // namespace flipback::postgres
