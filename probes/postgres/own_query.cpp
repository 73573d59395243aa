#include "flipback/quoted.hpp"

#include "probes/postgres/questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::postgres {

namespace {

/// A query of the person's own, and what its answer is held against.
struct own_query {
  std::string name;         ///< of its measurement; empty: it is `query`, which is measured as `value`
  std::string_view signal;  ///< the same, where it lives as long as the probe does
  std::optional<settings::node> expected;
};

/// As a person writes it in TOML: numbers by value, booleans as such, everything else as PostgreSQL writes it.
bool same(const std::string& found, const settings::node& expected) {
  if (const auto* text = std::get_if<std::string>(&expected.value)) return found == *text;
  if (const auto* yes = std::get_if<bool>(&expected.value)) return found == (*yes ? "t" : "f");
  const auto* whole = std::get_if<std::int64_t>(&expected.value);
  const auto* number = std::get_if<double>(&expected.value);
  return number_in(found) == (whole != nullptr ? static_cast<double>(*whole) : number != nullptr ? *number : 0);
}

void hear(const own_query& q, const answer& heard, findings& into) {
  const std::string who = q.name.empty() ? "" : q.name + ": ";
  if (!heard) return into.unwell(heard.error().why, who + heard.error().says);
  const bool named = !q.name.empty();
  if (named && heard->all.size() > 1)
    return into.unwell(reason::expectation, fmt::format("{}{} rows, expected one with a number", who, heard->all.size()));
  const bool some = !heard->all.empty() && !heard->columns.empty();
  const std::optional<std::string> first = some ? heard->all.front().front() : std::nullopt;
  const std::optional<double> number = first ? number_in(*first) : std::nullopt;
  if (number) into.measure(q.signal, *number);
  const std::string shown = !some ? "no row" : !first ? "NULL" : fmt::format("\"{}\"", flipback::quoted(*first));
  if (q.expected && !(first && same(*first, *q.expected)))
    return into.unwell(reason::expectation, fmt::format("{}answered {}, expected {}", who, shown, settings::shown(*q.expected)));
  if (named && !q.expected && first && !number)
    return into.unwell(reason::expectation, fmt::format("{}answered {}, expected a number", who, shown));
  into.well(named ? fmt::format("{} {}", q.name, first ? flipback::quoted(*first) : shown)
                  : fmt::format("answered {}", first ? flipback::quoted(*first) : shown));
}

question asking(own_query q, std::string sql) {
  return {{std::move(sql)}, [q = std::move(q)](const answer& heard, findings& into) { hear(q, heard, into); }};
}

std::optional<settings::node> read_expected(settings::section& from) {
  const settings::node* const found = from.raw("expect");
  if (found == nullptr) return std::nullopt;
  if (std::holds_alternative<settings::array>(found->value) || std::holds_alternative<settings::table>(found->value))
    from.report("expect", fmt::format("found {}, expected a string, a number or a boolean", settings::kind_of(*found)));
  return *found;
}

/// Whether a rule could name it, and nothing else has its name.
bool is_free(std::string_view name, const declarations& taken) {
  const bool fits = !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 && name.back() != '-' &&
                    std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  return fits && !declarations::is_every_probes(name) &&
         std::ranges::find(taken.all(), name, &measurement_declaration::name) == taken.all().end();
}

unit unit_called(std::string_view word) {
  if (word == "seconds") return unit::seconds;
  if (word == "ratio") return unit::ratio;
  return word == "bytes" ? unit::bytes : unit::number;
}

/// `name = "SELECT …"`, or `name = { sql = "SELECT …", unit = …, kind = …, expect = … }`.
question read_named(const std::string& name, settings::section& from, declarations& into) {
  if (!is_free(name, into))
    from.report(name, "can't name a measurement: expected letters, digits, _ and -, and no name that this probe measures already");
  own_query q{name, {}, {}};
  measurement_declaration declared;
  std::string sql;
  const settings::node* const found = from.raw(name);
  if (std::holds_alternative<settings::table>(found->value)) {
    auto table = *from.inner(name);
    sql = table.required_text("sql", "SELECT count(*) FROM orders");
    declared.in = unit_called(table.choice("unit", "number", {"number", "seconds", "ratio", "bytes"}));
    declared.kind = table.choice("kind", "gauge", {"gauge", "counter"}) == "counter" ? signal_kind::counter : signal_kind::gauge;
    q.expected = read_expected(table);
    table.finish();
  } else {
    sql = from.required_text(name, "SELECT count(*) FROM orders");
  }
  q.signal = into.add_named(name, declared.kind, declared.in);
  return asking(std::move(q), std::move(sql));
}

std::vector<std::string> in_order(const settings::table& members) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : members) names.push_back(name);
  std::ranges::sort(names, {}, [&](const std::string& name) { return members.find(name)->second.value.front().order; });
  return names;
}

}  // namespace

std::vector<question> read_own_queries(settings::section& from, declarations& into) {
  std::vector<question> all;
  const std::string query = from.text("query", "");
  own_query single{{}, "value", read_expected(from)};
  if (single.expected && query.empty()) from.report("expect", "needs a query whose first value it is held against");
  if (!query.empty()) {
    into.add({"value", signal_kind::gauge, unit::number});
    all.push_back(asking(std::move(single), query));
  }
  auto table = from.inner("queries");
  if (!table) return all;
  const auto& members = std::get<settings::table>(from.raw("queries")->value);
  for (const std::string& name : in_order(members)) all.push_back(read_named(name, *table, into));
  return all;
}

}  // namespace flipback::postgres
