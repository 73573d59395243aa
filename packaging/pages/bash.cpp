#include "packaging/pages/pages.hpp"
#include "packaging/pages/typeable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::pages {

namespace {

/// What is gathered of all verbs, each by its words: "", "status", "window open".
struct gathered {
  std::string steps;   ///< from a verb and the next word to the verb of both
  std::string values;  ///< after a verb, an option's name: what may follow
  std::string words;   ///< after a verb: what may be typed
};

void gather(const CLI::App& of, const std::string& verb, gathered& into) {
  std::vector<std::string> words;
  for (const CLI::App* next : verbs_of(of)) {
    words.push_back(next->get_name());
    const std::string longer = verb.empty() ? next->get_name() : verb + " " + next->get_name();
    into.steps += fmt::format("      '{} {}') verb='{}' ;;\n", verb, next->get_name(), longer);
    gather(*next, longer, into);
  }
  for (const CLI::Option* o : options_of(of)) {
    const std::string value = value_of(*o);
    for (const std::string& name : names_of(*o)) {
      words.push_back(name);
      if (value.empty()) continue;
      const auto choices = choices_of(*o);
      const std::string offers = !choices.empty() ? fmt::format("-W '{}'", fmt::join(choices, " ")) : value == "FILE" ? "-f" : "";
      into.values += fmt::format("    '{} {}') offers=({}) ;;\n", verb, name, offers);
    }
  }
  const bool takes_files = std::ranges::any_of(positionals_of(of), [](const CLI::Option* o) { return value_of(*o) == "FILE"; });
  into.words += fmt::format("    '{}') offers=({}-W '{}') ;;\n", verb, takes_files ? "-f " : "", fmt::join(words, " "));
}

}  // namespace

std::string bash(const CLI::App& of) {
  gathered all;
  gather(of, "", all);
  return "# bash completion for flipback\n"
         "_flipback() {\n"
         "  local verb='' word offers=(none)\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$verb $word\" in\n" +
         all.steps +
         "    esac\n"
         "  done\n"
         "  case \"$verb ${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
         all.values +
         "  esac\n"
         "  [ \"${offers[*]}\" != none ] || case \"$verb\" in\n" +
         all.words +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  [ ${#offers[@]} = 0 ] || mapfile -t COMPREPLY < <(compgen \"${offers[@]}\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -F _flipback flipback\n";
}

}  // namespace flipback::pages
