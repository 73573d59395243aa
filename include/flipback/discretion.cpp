#include "flipback/discretion.hpp"

#include "flipback/base64.hpp"
#include "flipback/percent.hpp"

#include <algorithm>
#include <cctype>

namespace flipback {

namespace {

constexpr std::string_view instead = "***";
constexpr std::string_view cut = "…";

void take_out(std::string& from, std::string_view form) {
  for (std::size_t at = from.find(form); at != std::string::npos; at = from.find(form, at + instead.size()))
    from.replace(at, form.size(), instead);
}

/// A secret's beginning before the mark of a cut.
void take_out_cut(std::string& from, std::string_view form) {
  for (std::size_t at = from.find(cut); at != std::string::npos; at = from.find(cut, at + cut.size())) {
    const std::string_view before(from.data(), at);
    for (std::size_t size = std::min(form.size() - 1, at); size >= discretion::shortest; --size) {
      if (!before.ends_with(form.substr(0, size))) continue;
      from.replace(at - size, size, instead);
      at = at - size + instead.size();
      break;
    }
  }
}

std::string with_small_digits(std::string text) {
  for (std::size_t at = text.find('%'); at != std::string::npos && at + 2 < text.size(); at = text.find('%', at + 1)) {
    for (const std::size_t digit : {at + 1, at + 2}) text[digit] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[digit])));
  }
  return text;
}

std::string as_in_json(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    if (c == '\n')
      made += "\\n";
    else
      made += c;
  }
  return made;
}

}  // namespace

void discretion::add(std::string form) {
  if (form.size() < shortest || std::ranges::find(forms_, form) != forms_.end()) return;
  const auto before = std::ranges::find_if(forms_, [&](const std::string& f) { return f.size() < form.size(); });
  forms_.insert(before, std::move(form));
}

void discretion::keep(const secret& s) {
  const std::string& text = s.reveal();
  if (text.size() < shortest) return;
  std::string encoded = percent_encoded(text);
  add(with_small_digits(encoded));
  add(std::move(encoded));
  std::string in_base64 = to_base64(text);
  while (in_base64.ends_with('=')) in_base64.pop_back();
  in_base64.resize(text.size() / 3 * 4);  // of whole groups alone: what follows the secret would change the last one
  add(std::move(in_base64));
  add(as_in_json(text));
  add(text);
}

std::string discretion::without(std::string_view text) const {
  std::string made(text);
  for (const std::string& form : forms_) {
    take_out(made, form);
    take_out_cut(made, form);
  }
  return made;
}

}  // namespace flipback
