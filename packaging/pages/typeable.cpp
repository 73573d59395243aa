#include "packaging/pages/typeable.hpp"

namespace flipback::pages {

namespace {

std::vector<const CLI::Option*> shown(const CLI::App& of, bool positional) {
  return of.get_options([positional](const CLI::Option* o) { return !o->get_group().empty() && o->nonpositional() != positional; });
}

}  // namespace

std::vector<const CLI::App*> verbs_of(const CLI::App& of) {
  return of.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& of) {
  return shown(of, false);
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& of) {
  return shown(of, true);
}

std::vector<std::string> names_of(const CLI::Option& of) {
  std::vector<std::string> names;
  for (const std::string& name : of.get_snames()) names.push_back("-" + name);
  for (const std::string& name : of.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string value_of(const CLI::Option& of) {
  if (of.get_items_expected_max() == 0) return "";
  const std::string type = of.get_type_name();
  return type.substr(0, type.find(':'));
}

std::vector<std::string> choices_of(const CLI::Option& of) {
  const std::string type = of.get_type_name();  // "TEXT:{text,json}"
  const std::size_t open = type.find('{');
  if (open == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, type.find('}') - open - 1), ',');
}

}  // namespace flipback::pages
