#include "flipback/quoted.hpp"

#include "agent/rollback/file_image.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "agent/rollback/switches/files.hpp"
#include "agent/rollback/switches/links.hpp"
#include "agent/rollback/switches/text_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace flipback::rollback {

namespace {

using deployment::intent;

/// A live file's bytes and where they are.
struct live_text {
  std::string path;
  file_image image;
};

class text_switch final : public file_switch {
 public:
  explicit text_switch(const config::configuration& configured)
      : file_switch(configured.deployment->in_place, !configured.nginx.helper.empty()), files_(configured.deployment->live_files) {
    for (const config::slot& s : configured.slots) slots_.push_back({.slot = s.name, .pieces = s.text});
    problems_ = problems_with(slots_);
  }

  [[nodiscard]] intent names() override;
  [[nodiscard]] std::expected<std::vector<change>, std::string> changes_to(slot_number to) override;
  [[nodiscard]] std::vector<std::string> obstacles() override;
  [[nodiscard]] std::vector<std::string> notes() override;
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return paths_of(files_); }

 protected:
  [[nodiscard]] std::vector<std::string> changed_paths() const override { return with_files_behind(files_); }

 private:
  static std::expected<live_text, std::string> read(const config::live_file& f);
  [[nodiscard]] std::expected<std::vector<live_text>, std::string> read_all() const;
  /// Of all live files together; `says` is what was found, where that names no slot.
  [[nodiscard]] intent named_by(const std::vector<live_text>& files) const;
  /// What was looked for and where, if no slot's piece stands anywhere: then there is nothing to replace.
  [[nodiscard]] std::string nothing_there(const std::vector<live_text>& files) const;

  const std::vector<config::live_file>& files_;
  std::vector<pieces_of_slot> slots_;
  std::vector<std::string> problems_;
};

std::expected<live_text, std::string> text_switch::read(const config::live_file& f) {
  live_text found;
  auto image = read_behind(f.live, found.path);
  if (!image) return std::unexpected(image.error());
  if (image->is != file_image::kind::regular)
    return std::unexpected(fmt::format("{} does not exist: name the file in which the pieces stand", f.live));
  found.image = std::move(*image);
  return found;
}

std::expected<std::vector<live_text>, std::string> text_switch::read_all() const {
  std::vector<live_text> all;
  for (const config::live_file& f : files_) {
    auto one = read(f);
    if (!one) return std::unexpected(one.error());
    // Two live paths may lead to one file, which is changed once.
    if (std::ranges::find(all, one->path, &live_text::path) == all.end()) all.push_back(std::move(*one));
  }
  return all;
}

intent text_switch::named_by(const std::vector<live_text>& files) const {
  std::vector<bool> whole(slots_.size(), true);
  std::vector<bool> any(slots_.size(), false);
  std::vector<std::string> told;
  for (slot_number s = 0; s < slots_.size(); ++s) {
    for (const std::string& piece : slots_[s].pieces) {
      std::size_t times = 0;
      for (const live_text& f : files) times += occurrences_of(piece, f.image.bytes).size();
      whole[s] = whole[s] && times > 0;
      any[s] = any[s] || times > 0;
      told.push_back(times == 0 ? fmt::format("not {}'s \"{}\"", slots_[s].slot, flipback::quoted(piece))
                                : fmt::format("{}'s \"{}\"", slots_[s].slot, flipback::quoted(piece)));
    }
  }
  for (slot_number s = 0; s < slots_.size(); ++s) {
    if (whole[s] && std::ranges::count(any, true) == 1) return {.is = intent::kind::names, .slot = s, .says = {}, .changed = {}};
  }
  std::vector<std::string> paths;
  for (const live_text& f : files) paths.push_back(f.path);
  return {.is = intent::kind::neither,
          .slot = 0,
          .says = fmt::format("{} {} {}", listed(paths), paths.size() == 1 ? "says" : "together say", listed(told)),
          .changed = {}};
}

intent text_switch::names() {
  if (!problems_.empty()) return {.is = intent::kind::unreadable, .slot = 0, .says = problems_.front(), .changed = {}};
  const auto files = read_all();
  if (!files) return {.is = intent::kind::unreadable, .slot = 0, .says = files.error(), .changed = {}};
  intent found = named_by(*files);
  for (const config::live_file& f : files_) found.changed = std::max(found.changed, changed_at(f.live));
  for (const live_text& f : *files) found.changed = std::max(found.changed, changed_at(f.path));
  return found;
}

std::expected<std::vector<change>, std::string> text_switch::changes_to(slot_number to) {
  if (!problems_.empty()) return std::unexpected(problems_.front());
  auto files = read_all();
  if (!files) return std::unexpected(files.error());
  std::vector<replacement> pieces;
  for (slot_number s = 0; s < slots_.size(); ++s) {
    for (std::size_t i = 0; s != to && i < slots_[s].pieces.size(); ++i)
      pieces.push_back({.from = slots_[s].pieces[i], .to = slots_[to].pieces[i]});
  }
  std::vector<change> changes;
  for (live_text& f : *files) {
    auto made = replaced(f.image.bytes, pieces);
    if (!made) return std::unexpected(fmt::format("in {}: {}", f.path, made.error()));
    if (*made == f.image.bytes) continue;
    file_change c{.path = f.path, .before = f.image, .after = f.image};
    c.after.bytes = *made;
    f.image.bytes = std::move(*made);
    changes.emplace_back(std::move(c));
  }
  if (const intent then = named_by(*files); then.named() != to)
    return std::unexpected(fmt::format("with its pieces replaced it would not say {}: {}", slots_[to].slot, then.says));
  return changes;
}

std::string text_switch::nothing_there(const std::vector<live_text>& files) const {
  std::vector<std::string> looked_for;
  std::optional<near_line> nearest;
  std::string in;
  for (const pieces_of_slot& s : slots_) {
    for (const std::string& piece : s.pieces) {
      looked_for.push_back(fmt::format("{}'s \"{}\"", s.slot, flipback::quoted(piece)));
      for (const live_text& f : files) {
        if (!occurrences_of(piece, f.image.bytes).empty()) return {};
        auto near = nearest_line(piece, f.image.bytes);
        if (!near || (nearest && nearest->alike >= near->alike)) continue;
        nearest = std::move(near);
        in = f.path;
      }
    }
  }
  std::vector<std::string> paths;
  for (const live_text& f : files) paths.push_back(f.path);
  const std::string instead = nearest ? fmt::format(" (line {} of {} says \"{}\")", nearest->number, in, nearest->says) : "";
  return fmt::format("{} says neither {}{}: write the slots' text as it stands there, blank for blank", listed(paths),
                     fmt::join(looked_for, " nor "), instead);
}

std::vector<std::string> text_switch::obstacles() {
  std::vector<std::string> found = problems_;
  if (const auto files = read_all(); files && problems_.empty()) add_once(found, nothing_there(*files));
  for (const config::live_file& f : files_) {
    const auto one = read(f);
    add_once(found, one ? obstacle_to_write(one->path) : one.error());
  }
  return found;
}

std::vector<std::string> text_switch::notes() {
  std::vector<std::string> found;
  const auto files = read_all();
  if (!files) return found;
  const auto named = names().named();
  for (const live_text& f : *files) {
    for (slot_number s = 0; s < slots_.size(); ++s) {
      for (const std::string& piece : slots_[s].pieces) {
        const auto places = occurrences_of(piece, f.image.bytes);
        if (places.empty() && named && *named != s) continue;
        add_once(found, fmt::format("{}: {}'s \"{}\" occurs {} {}{}", f.path, slots_[s].slot, flipback::quoted(piece), places.size(),
                                    places.size() == 1 ? "time" : "times",
                                    places.empty() ? "" : fmt::format(" (line {})", fmt::join(lines_of(places, f.image.bytes), ", "))));
      }
    }
    add_once(found, second_name(f.path));
  }
  return found;
}

}  // namespace

std::unique_ptr<slot_switch> make_text_switch(const config::configuration& configured) {
  return std::make_unique<text_switch>(configured);
}

}  // namespace flipback::rollback
