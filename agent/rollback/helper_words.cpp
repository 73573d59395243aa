#include "agent/rollback/helper_words.hpp"

#include "flipback/one_line.hpp"

#include "probes/s3/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::rollback {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t hexadecimal_sha256 = 64;

struct verb_name {
  std::string_view name;
  order::verb is;
};
constexpr std::array verbs{verb_name{"test", order::verb::test}, verb_name{"install", order::verb::install},
                           verb_name{"could", order::verb::could}, verb_name{"restore", order::verb::restore},
                           verb_name{"reload", order::verb::reload}};

struct answer_name {
  std::string_view name;
  answer is;
};
constexpr std::array answers{answer_name{"yes", answer::yes}, answer_name{"no", answer::no}, answer_name{"can't tell", answer::cant_tell}};

bool is_hash(std::string_view word) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return word == "absent" || (word.size() == hexadecimal_sha256 && std::ranges::all_of(word, is_digit));
}

bool is_name(std::string_view word) {
  const auto is_letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  return !word.empty() && word.size() <= longest_name && std::ranges::all_of(word, is_letter);
}

bool takes_changes(order::verb verb) {
  return verb == order::verb::install || verb == order::verb::could;
}

/// One blank between two words, and none elsewhere.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::expected<order, std::string> order_in(std::string_view line) {
  if (line.size() >= longest_order) return std::unexpected(fmt::format("the order has {} bytes or more", longest_order));
  const std::vector<std::string_view> words = words_of(line);
  const auto* const verb = std::ranges::find(verbs, words.front(), &verb_name::name);
  if (verb == verbs.end()) return std::unexpected("the order is none of test, install, could, restore and reload");
  order read{.is = verb->is, .slot = {}, .changes = {}};
  if (!takes_changes(read.is)) {
    if (words.size() > 1) return std::unexpected(fmt::format("{} takes no more words", verb->name));
    return read;
  }
  if (words.size() < 2 || !is_name(words[1])) return std::unexpected(fmt::format("{} takes a slot's name", verb->name));
  read.slot = words[1];
  if (words.size() % 2 != 0) return std::unexpected(fmt::format("{} takes two hashes for each file", verb->name));
  for (std::size_t i = 2; i < words.size(); i += 2) {
    if (!is_hash(words[i]) || !is_hash(words[i + 1]))
      return std::unexpected(fmt::format("what stands behind {} and the slot is no SHA-256", verb->name));
    read.changes.push_back({std::string(words[i]), std::string(words[i + 1])});
  }
  return read;
}

std::string to_text(const order& what) {
  std::string text(std::ranges::find(verbs, what.is, &verb_name::is)->name);
  if (takes_changes(what.is)) text += " " + what.slot;
  for (const hashed_change& c : what.changes) text += fmt::format(" {} {}", c.before, c.after);
  return text;
}

std::string to_text(const done& answered) {
  const std::string_view name = std::ranges::find(answers, answered.is, &answer_name::is)->name;
  if (answered.is == answer::yes) return std::string(name);
  std::string text = fmt::format("{}: {}", name, one_line(answered.says));
  if (text.size() >= longest_answer) text = one_line(text.substr(0, longest_answer / 2)) + "…";
  return text;
}

std::optional<done> done_in(std::string_view line) {
  for (const answer_name& a : answers) {
    if (a.is == answer::yes ? line == a.name : line.starts_with(fmt::format("{}: ", a.name)))
      return done{a.is, a.is == answer::yes ? std::string() : one_line(line.substr(a.name.size() + 2))};
  }
  return std::nullopt;
}

std::string hash_of(const file_image& image) {
  if (image.is == file_image::kind::absent) return "absent";
  return s3::sha256_in_hex(image.is == file_image::kind::link ? image.target : image.bytes);
}

std::vector<hashed_change> hashed(std::span<const change> changes) {
  std::vector<hashed_change> all;
  for (const change& c : changes) {
    if (const auto* file = std::get_if<file_change>(&c)) all.push_back({hash_of(file->before), hash_of(file->after)});
  }
  return all;
}

}  // namespace flipback::rollback
