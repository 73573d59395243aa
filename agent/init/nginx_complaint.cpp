#include "agent/init/nginx_complaint.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace flipback::init {

namespace {

bool is_in_a_folder(std::string_view word) {
  const std::filesystem::path path(word);
  std::error_code unseen;
  return path.is_absolute() && path.parent_path() != "/" && std::filesystem::is_directory(path.parent_path(), unseen);
}

/// Whether a word that nginx quotes tells nothing but what nginx or this host's folders have. `after`: what follows its quote.
bool is_harmless(std::string_view word, std::string_view after) {
  constexpr std::string_view of_names = "abcdefghijklmnopqrstuvwxyz0123456789_";
  if (word.empty() || word == ";" || word == "{" || word == "}") return true;
  if (after.starts_with(" directive") && word.find_first_not_of(of_names) == std::string_view::npos) return true;
  return is_in_a_folder(word);
}

bool are_all_harmless(std::string_view line) {
  for (std::size_t open = line.find('"'); open != std::string_view::npos; open = line.find('"')) {
    const std::size_t close = line.find('"', open + 1);
    if (close == std::string_view::npos) return false;
    const std::string_view after = line.substr(close + 1);
    if (!is_harmless(line.substr(open + 1, close - open - 1), after)) return false;
    line = after;
  }
  return true;
}

/// nginx escapes no quote within what it quotes: what lies between the first and the last is one.
std::string without_words_of_others(std::string_view line) {
  if (are_all_harmless(line)) return std::string(line);
  const std::size_t first = line.find('"');
  const std::size_t last = line.rfind('"');
  return fmt::format("{}\"…\"{}", line.substr(0, first), first == last ? "" : line.substr(last + 1));
}

}  // namespace

std::string complaint_in(std::string_view errors, std::span<const secret> hidden) {
  const std::size_t at = errors.find("[emerg]");
  const std::string_view from = errors.substr(at == std::string_view::npos ? 0 : at);
  return flipback::quoted(without_words_of_others(from.substr(0, from.find('\n'))), hidden);
}

}  // namespace flipback::init
