#include "flipback/quoted.hpp"

#include "probes/postgres/questions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::postgres {

namespace {

struct terms {
  std::string table;  ///< as SQL has it
  std::string user;
  std::vector<std::string> expected;  ///< sorted; empty: whichever there are
};

/// An identifier, quoted: "4.1.1. Identifiers and Key Words" of PostgreSQL's manual.
std::string identifier(std::string_view name) {
  std::string made = "\"";
  for (const char c : name) made.append(c == '"' ? 2 : 1, c);
  return made + '"';
}

std::string listed(const std::vector<std::string>& revisions) {
  constexpr std::size_t most = 5;
  std::vector<std::string> shown;
  for (const std::string& r : revisions) shown.push_back(shown.size() < most ? flipback::quoted(r, {}, 40) : "…");
  if (shown.size() > most + 1) shown.resize(most + 1);
  return fmt::format("{}", fmt::join(shown, ", "));
}

void refuse(const terms& t, const refusal& why, findings& into) {
  if (why.state == "42501")
    return into.unwell(reason::forbidden, fmt::format("migrations: {}: GRANT SELECT ON {} TO {}", why.says, t.table, identifier(t.user)));
  const bool missing = why.state == "42P01" || why.state == "3F000";  // no such table, no such schema
  into.unwell(missing ? reason::absent : why.why, "migrations: " + why.says);
}

void hear(const terms& t, const answer& heard, findings& into) {
  if (!heard) return refuse(t, heard.error(), into);
  std::vector<std::string> found;
  for (std::size_t row = 0; row < heard->all.size(); ++row) found.push_back(heard->text("version_num", row).value_or(""));
  into.measure("migration_heads", static_cast<double>(found.size()));
  if (found.empty()) return into.unwell(reason::expectation, fmt::format("migrations: none was ever applied: {} is empty", t.table));
  std::ranges::sort(found);
  if (t.expected.empty() || found == t.expected) return into.well(fmt::format("migrated to {}", listed(found)));
  const std::string heads = found.size() == 1 ? "" : fmt::format("{} heads, ", found.size());
  into.unwell(reason::expectation, fmt::format("migrated to {}{}, expected {}", heads, listed(found), listed(t.expected)));
}

}  // namespace

void add_migrations(settings::section& from, const std::string& user, declarations& into, std::vector<question>& all) {
  const settings::node* const found = from.raw("migrations");
  if (found == nullptr) return;
  terms t{identifier("alembic_version"), user, {}};
  if (std::holds_alternative<settings::table>(found->value)) {
    auto table = *from.inner("migrations");
    t.expected = table.texts("expect");
    t.table = identifier(table.text("table", "alembic_version"));
    if (const auto schema = table.text("schema")) t.table = identifier(*schema) + "." + t.table;
    table.finish();
  } else {
    t.expected = from.texts("migrations");
    if (t.expected.empty()) from.report("migrations", "is empty, expected the revision that the database should be at, or a table");
  }
  std::ranges::sort(t.expected);
  into.add({"migration_heads", signal_kind::gauge, unit::number});
  all.push_back(
      {{fmt::format("SELECT version_num FROM {} LIMIT 100", t.table)}, [t](const answer& heard, findings& f) { hear(t, heard, f); }});
}

}  // namespace flipback::postgres
