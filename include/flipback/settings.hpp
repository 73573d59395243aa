#pragma once

#include "flipback/secret.hpp"
#include "flipback/units.hpp"

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Settings as the rooms read them: plain nodes with positions, whatever they were parsed from. Each room reads its own tables through a
/// `section`, which collects every error instead of stopping at the first.
namespace flipback::settings {

struct position {
  std::string file;  ///< as the person named it; for a value from the environment the variable's name
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const position&, const position&) = default;
};

struct problem {
  position at;
  std::string says;  ///< "probes.api.every: found \"5 parsecs\", expected a duration such as \"5s\" or \"1m30s\""
};
std::string to_string(const problem& p);  ///< "file:line:column: says"

/// Every problem found, in the order of the file.
class diagnostics {
 public:
  void add(position at, std::string says);
  /// What is said of this place from now on only follows from what was said before, and is dropped.
  void silence(const position& at) { silent_.push_back(at); }
  [[nodiscard]] bool clean() const { return problems_.empty(); }
  [[nodiscard]] std::size_t count() const { return problems_.size(); }
  [[nodiscard]] std::vector<problem> sorted() const;
  /// A secret that was read: whoever makes something of the settings learns what that must never repeat.
  void keep(const secret& s) { secrets_.push_back(s); }
  [[nodiscard]] const std::vector<secret>& secrets() const { return secrets_; }

 private:
  std::vector<problem> problems_;
  std::vector<position> silent_;
  std::vector<secret> secrets_;
};

struct node;
using array = std::vector<node>;

struct member {
  position at;              ///< of the key
  std::vector<node> value;  ///< exactly one; a vector because node is incomplete here
  friend bool operator==(const member&, const member&) = default;
};
using table = std::map<std::string, member, std::less<>>;

struct node {
  std::variant<std::string, std::int64_t, double, bool, array, table> value;
  position at;
  std::size_t order = 0;  ///< place in the file, so that tables can be walked as the person wrote them
  std::string written{};  ///< of a string that took something from the environment: its text before that, which is all that messages show
  position inside{};      ///< of a string: its first character inside the quotes
  friend bool operator==(const node&, const node&) = default;
};

std::string_view kind_of(const node& n);  ///< "a string", "an integer", …
std::string shown(const node& n);         ///< the value as the person wrote it, for messages: shortened, without what the environment gave

/// Reads one table. Every key asked for is known; `finish()` reports the others with the nearest known name.
/// A key that is absent gives nothing (or the fallback); one that is wrong is reported and gives the same.
class section {
 public:
  /// `path` is the table's name in messages: "probes.postgres". The node must hold a table and outlive the section.
  section(const node& from, std::string path, diagnostics& into);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool has(std::string_view key);
  [[nodiscard]] position where(std::string_view key) const;  ///< of the key's value, or of the table where it is absent

  std::optional<std::string> text(std::string_view key);
  std::string text(std::string_view key, std::string fallback);
  std::string required_text(std::string_view key, std::string_view example);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t low, std::int64_t high);
  std::optional<double> number(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  bool boolean(std::string_view key, bool fallback);
  std::optional<duration> span(std::string_view key, duration low, duration high);
  duration span(std::string_view key, duration fallback, duration low, duration high);
  std::uint64_t size(std::string_view key, std::uint64_t fallback, std::uint64_t low, std::uint64_t high);
  double ratio(std::string_view key, double fallback);
  std::vector<std::string> texts(std::string_view key);  ///< an array of strings, or one string alone
  /// One of a few words; an unknown one is reported with the nearest.
  std::string choice(std::string_view key, std::string_view fallback, std::initializer_list<std::string_view> words);
  /// The same of an enumeration whose words `name_of` tells.
  template <typename Enumeration>
  Enumeration one_of(std::string_view key, Enumeration fallback, std::initializer_list<Enumeration> all);
  /// `key`, or the contents of the file that `key_file` names without its last line end. Both is an error.
  std::optional<secret> hidden(std::string_view key);
  /// What is a secret by what stands around it: a password in an address, a name and its password as HTTP says them.
  void keep(const secret& s) { into_->keep(s); }
  /// The table or array under a key, raw. The key counts as known.
  const node* raw(std::string_view key);
  std::optional<section> inner(std::string_view key);                         ///< the table under `key`
  std::vector<std::pair<std::string, section>> inners(std::string_view key);  ///< a table of tables, in the file's order
  std::vector<section> items(std::string_view key);                           ///< an array of tables

  /// The value under a key for a message of the caller's own: `shown(node)`, "nothing" where it is absent.
  [[nodiscard]] std::string shown(std::string_view key) const;
  void report(std::string_view key, std::string says);  ///< "path.key: says" at the value's place
  void report_here(std::string says);                   ///< "path: says" at the table's place
  void know(std::string_view key);                      ///< counts as known without being read
  /// A key that was there in an earlier version: where it is still written, that it is unknown, and what to do instead.
  void retired(std::string_view key, std::string_view instead);
  void finish();

 private:
  /// The place among `words` of the one that stands under `key`; nothing where it is absent or reported.
  std::optional<std::size_t> place_among(std::string_view key, std::span<const std::string_view> words);
  const node* find(std::string_view key);
  secret kept(secret s);
  void mismatch(std::string_view key, const node& found, std::string_view expected);

  const node* from_;
  std::string path_;
  diagnostics* into_;
  std::set<std::string, std::less<>> known_;
};

template <typename Enumeration>
Enumeration section::one_of(std::string_view key, Enumeration fallback, std::initializer_list<Enumeration> all) {
  std::vector<std::string_view> words;
  for (const Enumeration each : all) words.push_back(name_of(each));
  const auto place = place_among(key, words);
  return place ? all.begin()[*place] : fallback;
}

/// The candidate with the smallest edit distance (Damerau–Levenshtein), where one is near enough to be meant; else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace flipback::settings
