#include "probes/files/disk_probe.hpp"
#include "probes/files/failure.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/off_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"free_ratio", signal_kind::gauge, unit::ratio},
    measurement_declaration{"free_bytes", signal_kind::gauge, unit::bytes},
    measurement_declaration{"inodes_free_ratio", signal_kind::gauge, unit::ratio},
};

class disk_probe final : public probe {
 public:
  using look_at = std::function<net::result<files::space>(const std::string& path)>;

  disk_probe(const asio::any_io_executor& executor, files::disk_terms t, look_at look)
      : off_loop_(executor), terms_(std::move(t)), look_(std::move(look)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared; }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    least of_all;
    bool whole = true;
    for (const std::string& path : terms_.paths) {
      r.part = path;
      r.now = phase::asking;
      const auto seen = co_await off_loop_.look<files::space>(path, [look = look_, path] { return look(path); });
      if (seen) {
        hold(path, *seen, found);
        of_all.add(path, *seen);
        continue;
      }
      whole = false;
      found.unwell(seen.error());
      if (off_loop_.hangs()) break;
    }
    if (whole) of_all.tell(terms_.paths.size(), found);
    co_return found.take();
  }

 private:
  /// The fullest of the file systems, and the one with the fewest inodes left.
  struct least {
    std::string_view path;
    files::space seen;
    std::optional<double> inodes;

    void add(std::string_view at, const files::space& s) {
      if (path.empty() || s.free_ratio < seen.free_ratio) {
        path = at;
        seen = s;
      }
      if (s.inodes_free_ratio) inodes = std::min(inodes.value_or(1), *s.inodes_free_ratio);
    }
    void tell(std::size_t of, findings& to) const {
      to.measure("free_ratio", seen.free_ratio);
      to.measure("free_bytes", seen.free_bytes);
      if (inodes) to.measure("inodes_free_ratio", *inodes);
      to.well(of == 1 ? free_of(path, seen) : fmt::format("the least of {}: {}", of, free_of(path, seen)));
      if (inodes) to.well(fmt::format("{} of inodes", format_ratio(*inodes)));
    }
  };

  static std::string free_of(std::string_view path, const files::space& s) {
    return fmt::format("{} has {} free, {}", path, format_size(s.free_bytes), format_ratio(s.free_ratio));
  }

  void hold(std::string_view path, const files::space& s, findings& to) const {
    if (terms_.min_free && s.free_ratio < *terms_.min_free)
      to.unwell(reason::expectation, fmt::format("{}, expected at least {}", free_of(path, s), format_ratio(*terms_.min_free)));
  }

  off_loop off_loop_;
  files::disk_terms terms_;
  look_at look_;
};

std::vector<std::string> read_paths(settings::section& from) {
  constexpr std::size_t most = 50;
  const settings::node* const given = from.raw("paths");
  if (given == nullptr) return {"/"};
  std::vector<std::string> read = from.texts("paths");
  const auto* const several = std::get_if<settings::array>(&given->value);
  if (several != nullptr && several->empty()) from.report("paths", "is empty, expected a path such as \"/var\"");
  if (read.size() > most) from.report("paths", fmt::format("has {} paths, expected at most {}", read.size(), most));
  for (const settings::node& one : several != nullptr ? std::span(*several) : std::span(given, 1)) {
    const auto* const path = std::get_if<std::string>(&one.value);
    if (path != nullptr && !files::is_absolute(*path))
      from.report("paths", fmt::format("found {}, expected an absolute path such as \"/var\"", settings::shown(one)));
  }
  return read;
}

}  // namespace

std::unique_ptr<probe> files::make_disk_probe(const asio::any_io_executor& executor, disk_terms terms,
                                              std::function<net::result<space>(const std::string& path)> look) {
  return std::make_unique<disk_probe>(executor, std::move(terms), std::move(look));
}

std::unique_ptr<probe> make_disk_probe(settings::section& from, const surroundings& in) {
  files::disk_terms t;
  t.paths = read_paths(from);
  if (from.has("min_free")) t.min_free = from.ratio("min_free", 0);
  from.finish();
  return files::make_disk_probe(in.executor, std::move(t), files::look_at_space);
}

}  // namespace flipback
