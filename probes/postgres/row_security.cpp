#include "flipback/quoted.hpp"

#include "probes/postgres/questions.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace flipback::postgres {

namespace {

// Superusers, and roles with BYPASSRLS, pass by every policy. The attribute is not inherited, but a member can SET ROLE to its holder. From
// 16 on a membership may be without that right.
constexpr const char* role_sql = R"(
SELECT app.rolsuper AS super, app.rolbypassrls AS bypass,
  (SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles AS other
    WHERE (rolsuper OR rolbypassrls) AND other.oid <> app.oid AND NOT app.rolsuper AND pg_has_role(app.oid, other.oid,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS others
FROM pg_roles AS app WHERE rolname = $1)";

// A partition is reached through its parent, whose policies then hold, unless the role has a right of its own on it. An owner, and whoever
// has an owner's rights, passes by the policies of a table that does not force them.
constexpr const char* tables_sql = R"(
WITH app AS MATERIALIZED (SELECT oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'USAGE,SET' ELSE 'MEMBER' END AS way
  FROM pg_roles WHERE rolname = $1),
schemas AS MATERIALIZED (SELECT asked.name, n.oid FROM jsonb_array_elements_text($2::jsonb) AS asked(name)
  LEFT JOIN pg_namespace AS n ON n.nspname = asked.name),
looked AS MATERIALIZED (
  SELECT schemas.name || '.' || relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
    EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AS has_policy,
    NOT relforcerowsecurity AND pg_has_role(app.oid, relowner, app.way) AS owned
  FROM pg_class AS c JOIN schemas ON schemas.oid = relnamespace LEFT JOIN app ON true
  WHERE relkind IN ('r', 'p') AND NOT ($3::jsonb ? relname OR $3::jsonb ? (schemas.name || '.' || relname))
    AND NOT (relispartition AND NOT has_table_privilege(app.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
      AND NOT has_any_column_privilege(app.oid, c.oid, 'SELECT, INSERT, UPDATE'))),
bad AS MATERIALIZED (SELECT * FROM looked WHERE NOT enabled OR NOT has_policy OR owned OR ($4::boolean AND NOT forced))
SELECT (SELECT count(*) FROM looked) AS tables, (SELECT count(*) FROM bad) AS tables_unprotected,
  (SELECT string_agg(name, ', ' ORDER BY name) FROM schemas WHERE oid IS NULL) AS missing, worst.*
FROM (SELECT) AS once LEFT JOIN (SELECT * FROM bad ORDER BY name LIMIT 6) AS worst ON true)";

struct terms {
  std::string role;
  std::string schemas;  ///< for people
  bool forced = true;
};

void hear_role(const terms& t, const answer& heard, findings& into) {
  if (!heard) return into.unwell(heard.error().why, "row security: " + heard.error().says);
  if (heard->all.empty()) return into.unwell(reason::absent, fmt::format("row security: the role {} does not exist", t.role));
  if (heard->number("super") == 1.0)
    into.unwell(reason::expectation, fmt::format("row security: {} is a superuser, and passes by every policy", t.role));
  else if (heard->number("bypass") == 1.0)
    into.unwell(reason::expectation, fmt::format("row security: {} has BYPASSRLS, and passes by every policy", t.role));
  else if (const auto others = heard->text("others"))
    into.unwell(reason::expectation,
                fmt::format("row security: {} can become {}, and pass by every policy", t.role, flipback::quoted(*others)));
}

/// What a table lacks.
std::string_view lack(const rows& found, std::size_t row) {
  if (found.number("enabled", row) != 1.0) return "not enabled";
  if (found.number("has_policy", row) != 1.0) return "no policy";
  return found.number("owned", row) == 1.0 ? "not forced upon the role that owns it" : "not forced";
}

void hear_tables(const terms& t, const answer& heard, findings& into) {
  if (!heard) return into.unwell(heard.error().why, "row security: " + heard.error().says);
  measure(std::array{measurement_declaration{"tables_unprotected"}}, *heard, into);
  if (const auto missing = heard->text("missing"))
    return into.unwell(reason::absent, fmt::format("row security: the schema {} does not exist", flipback::quoted(*missing)));
  const double tables = heard->number("tables").value_or(0);
  const double bad = heard->number("tables_unprotected").value_or(0);
  if (bad == 0 && tables == 0) return into.unwell(reason::absent, fmt::format("row security: there are no tables in {}", t.schemas));
  if (bad == 0) return into.well(fmt::format("row security holds for {} on {} tables", t.role, tables));
  std::string names;
  for (std::size_t row = 0; row < heard->all.size(); ++row) {
    names += fmt::format("{}{} ({})", row == 0 ? "" : ", ", flipback::quoted(heard->text("name", row).value_or("")), lack(*heard, row));
  }
  const std::string more = bad > static_cast<double>(heard->all.size()) ? ", …" : "";
  into.unwell(reason::expectation, fmt::format("row security is missing on {} of {} tables: {}{}", bad, tables, names, more));
}

std::string as_json(const std::vector<std::string>& texts) {
  return net::json::serialize(net::json::array(texts.begin(), texts.end()));
}

}  // namespace

void add_row_security(settings::section& from, declarations& into, std::vector<question>& all) {
  auto table = from.inner("row_security");
  if (!table) return;
  terms t;
  t.role = table->required_text("role", "app");
  std::vector<std::string> schemas = table->texts("schema");
  if (schemas.empty()) schemas.emplace_back("public");
  t.schemas = fmt::format("{}", fmt::join(schemas, ", "));
  t.forced = table->boolean("forced", true);
  const std::vector<std::string> except = table->texts("except");
  table->finish();
  into.add({"tables_unprotected", signal_kind::gauge, unit::number});
  all.push_back({{role_sql, {t.role}}, [t](const answer& heard, findings& f) { hear_role(t, heard, f); }});
  all.push_back({{tables_sql, {t.role, as_json(schemas), as_json(except), t.forced ? "true" : "false"}},
                 [t](const answer& heard, findings& f) { hear_tables(t, heard, f); }});
}

}  // namespace flipback::postgres
