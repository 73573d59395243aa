#include "agent/rollback/journal_row.hpp"

#include "agent/deployment/fact_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <limits>

namespace flipback::rollback {

namespace json = boost::json;
using deployment::fact_bytes;
using deployment::fact_reader;
using deployment::fact_value;

namespace {

constexpr std::uint64_t version = 1;

// Each in the order of its enum.
constexpr std::array<std::string_view, 8> row_kinds{"begun", "put", "tested", "reloading", "reloaded", "looked", "undoing", "ended"};
constexpr std::array<std::string_view, 2> ends{"before", "after"};
constexpr std::array<std::string_view, 3> answers{"no", "yes", "can't tell"};
constexpr std::array<std::string_view, 3> image_kinds{"absent", "regular", "link"};
constexpr std::array<std::string_view, 2> change_kinds{"file", "command"};

template <typename Enum>
json::string word_of(const auto& words, Enum value) {
  return json::string(words.at(static_cast<std::size_t>(value)));
}

json::object value_of(const file_image& image) {
  json::object made{{"is", word_of(image_kinds, image.is)}};
  if (image.is == file_image::kind::link) made["target"] = fact_value(image.target);
  if (image.is == file_image::kind::regular) made["bytes"] = fact_bytes(image.bytes);
  // Whatever the kind: an image reads back as it was.
  made["mode"] = std::uint64_t{image.mode};
  made["owner"] = std::uint64_t{image.owner};
  made["group"] = std::uint64_t{image.group};
  return made;
}

file_image image_from(fact_reader from) {
  const auto number = [&from](std::string_view key) {
    const std::uint64_t found = from.count(key);
    if (found > std::numeric_limits<std::uint32_t>::max()) from.refuse(key, "is larger than any that there is");
    return static_cast<std::uint32_t>(found);
  };
  file_image made;
  made.is = static_cast<file_image::kind>(from.one_of("is", image_kinds));
  if (made.is == file_image::kind::link) made.target = from.text("target");
  if (made.is == file_image::kind::regular) made.bytes = from.bytes("bytes");
  made.mode = number("mode");
  made.owner = number("owner");
  made.group = number("group");
  return made;
}

json::object value_of(const change& what) {
  if (const auto* file = std::get_if<file_change>(&what)) {
    return {{"is", "file"}, {"path", fact_value(file->path)}, {"before", value_of(file->before)}, {"after", value_of(file->after)}};
  }
  const auto& command = std::get<command_change>(what);
  return {{"is", "command"}, {"from", fact_value(command.from)}, {"to", fact_value(command.to)}};
}

change change_from(fact_reader from) {
  if (from.one_of("is", change_kinds) == 0) {
    file_change made;
    made.path = from.text("path");
    made.before = image_from(from.object("before"));
    made.after = image_from(from.object("after"));
    return made;
  }
  command_change made;
  made.from = from.text("from");
  made.to = from.text("to");
  return made;
}

json::object value_of(const named_slot& slot) {
  return {{"name", fact_value(slot.name)}, {"release", fact_value(slot.release)}};
}

named_slot slot_from(fact_reader from) {
  named_slot made;
  made.name = from.text("name");
  made.release = from.text("release");
  return made;
}

json::object value_of(const attempt& what) {
  json::array changes;
  for (const change& c : what.changes) changes.push_back(value_of(c));
  return {{"id", fact_value(what.id)},       {"from", value_of(what.from)},   {"to", value_of(what.to)},
          {"rule", fact_value(what.rule)},   {"why", fact_value(what.why)},   {"by", fact_value(what.by)},
          {"begun", fact_value(what.begun)}, {"changes", std::move(changes)}, {"flip", what.flip}};
}

attempt attempt_from(fact_reader from) {
  attempt made;
  made.id = from.text("id");
  made.from = slot_from(from.object("from"));
  made.to = slot_from(from.object("to"));
  made.rule = from.text("rule");
  made.why = from.text("why");
  made.by = from.text("by");
  made.begun = from.wall("begun");
  made.flip = from.has("flip") && from.yes_or_no("flip");
  for (fact_reader& c : from.objects("changes")) made.changes.push_back(change_from(c));
  return made;
}

bool says_a_change(row::kind kind) {
  return kind == row::kind::put || kind == row::kind::undoing;
}

}  // namespace

std::string_view name_of(row::kind kind) {
  return row_kinds.at(static_cast<std::size_t>(kind));
}

std::string to_text(const row& what) {
  json::object made{{"version", version}, {"number", what.number}, {"is", word_of(row_kinds, what.is)}};
  if (what.is == row::kind::begun) {
    made["of"] = value_of(what.of);
    return json::serialize(made);
  }
  if (says_a_change(what.is)) {
    made["change"] = std::uint64_t{what.change};
    made["to"] = word_of(ends, what.to);
  }
  made["answer"] = word_of(answers, what.answer);
  made["says"] = fact_value(what.says);
  return json::serialize(made);
}

std::expected<row, std::string> row_from(std::string_view text) {
  fact_reader from(text, "a row of the rollback's journal");
  // First of all, since what follows may mean something else in another version.
  const std::uint64_t written = from.count("version");
  if (from.good() && written != version) {
    from.refuse("version", fmt::format("found {}, and this flipback ({}) reads {}", written, FLIPBACK_VERSION, version));
  }
  if (!from.good()) return from.finish(row{});
  row made;
  made.number = from.count("number");
  made.is = static_cast<row::kind>(from.one_of("is", row_kinds));
  if (!from.good()) return from.finish(row{});
  if (made.is == row::kind::begun) {
    made.of = attempt_from(from.object("of"));
    return from.finish(std::move(made));
  }
  if (says_a_change(made.is)) {
    made.change = from.count("change");
    made.to = static_cast<end>(from.one_of("to", ends));
  }
  made.answer = static_cast<deployment::answer>(from.one_of("answer", answers));
  made.says = from.text("says");
  return from.finish(std::move(made));
}

}  // namespace flipback::rollback
