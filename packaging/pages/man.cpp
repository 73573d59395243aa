#include "packaging/pages/pages.hpp"
#include "packaging/pages/typeable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback::pages {

namespace {

/// Text as roff takes it: a \ and a - as they stand, and no line that begins a request.
std::string plain(const std::string& text) {
  std::string made = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\')
      made += "\\e";
    else if (c == '-')
      made += "\\-";
    else
      made += c;
  }
  return made;
}

std::string bold(const std::string& text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string italic(const std::string& text) {
  return "\\fI" + plain(text) + "\\fR";
}

/// "-c, --config FILE"
std::string head_of(const CLI::Option& of) {
  if (!of.nonpositional()) return italic(of.get_name());
  std::vector<std::string> names = names_of(of);
  for (std::string& name : names) name = bold(name);
  const std::string value = value_of(of);
  return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ", value.empty() ? "" : italic(value));
}

std::string described(const CLI::Option& of) {
  return fmt::format(".TP\n{}\n{}{}\n", head_of(of), plain(of.get_description()), of.get_required() ? " (required)" : "");
}

std::string options(const CLI::App& of) {
  std::string made;
  for (const CLI::Option* o : positionals_of(of)) made += described(*o);
  for (const CLI::Option* o : options_of(of)) {
    if (o != of.get_help_ptr()) made += described(*o);
  }
  return made;
}

/// A verb that has verbs is only their name's first word.
std::string verbs(const CLI::App& of, const std::string& before) {
  std::string made;
  for (const CLI::App* verb : verbs_of(of)) {
    const std::string name = before + verb->get_name();
    if (!verbs_of(*verb).empty()) {
      made += verbs(*verb, name + " ");
      continue;
    }
    std::string after;
    for (const CLI::Option* o : positionals_of(*verb)) {
      const std::string word = italic(o->get_name());
      after += o->get_required() ? " " + word : " [" + word + "]";
    }
    made += fmt::format(".SS {}{}\n{}\n{}", bold("flipback " + name), after, plain(verb->get_description()), options(*verb));
  }
  return made;
}

}  // namespace

std::string man(const CLI::App& of) {
  return fmt::format(".TH FLIPBACK 1 \"\" \"flipback {}\" \"User Commands\"\n", FLIPBACK_VERSION) +
         fmt::format(".SH NAME\nflipback \\- {}\n", plain(of.get_description())) +
         fmt::format(".SH SYNOPSIS\n{0} [{1}]\n.br\n{0} {2} [{1}]\n.br\n{0} {3} [{1}]\n", bold("flipback"), italic("options"),
                     bold("--check"), italic("verb")) +
         fmt::format(".SH DESCRIPTION\n{}\n.SH OPTIONS\n{}.SH VERBS\n{}", plain(of.get_footer()), options(of), verbs(of, "")) +
         ".SH SEE ALSO\n/usr/share/doc/flipback/README.md\n";
}

}  // namespace flipback::pages
