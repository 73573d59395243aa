#include "flipback/quoted.hpp"

#include "probes/files/failure.hpp"
#include "probes/files/newest.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/off_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"age", signal_kind::gauge, unit::seconds},
    measurement_declaration{"size", signal_kind::gauge, unit::bytes},
    measurement_declaration{"files", signal_kind::gauge, unit::number},
};

struct terms {
  std::string path;  ///< as the person wrote it
  files::file_pattern pattern;
  std::optional<duration> max_age;
  std::uint64_t min_size = 0;
};

class file_probe final : public probe {
 public:
  file_probe(const asio::any_io_executor& executor, terms t) : off_loop_(executor), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared; }

  asio::awaitable<observation> observe(run& r) override {
    r.part = terms_.path;
    r.now = phase::asking;
    findings found;
    const auto seen =
        co_await off_loop_.look<files::file_search>(terms_.path, [pattern = terms_.pattern] { return files::search_files(pattern); });
    if (seen)
      tell(*seen, found);
    else
      found.unwell(seen.error());
    co_return found.take();
  }

 private:
  void tell(const files::file_search& seen, findings& to) const {
    const std::string more = fmt::format("not measured: more than {} entries in {}", files::most_entries, terms_.pattern.folder);
    if (!seen.finished && !seen.newest) return to.unwell(reason::no_prerequisite, more);
    if (seen.finished) to.measure("files", static_cast<double>(seen.matching));
    if (!seen.newest) return to.unwell(reason::absent, fmt::format("there is no file {}", terms_.path));
    const duration age = std::max<duration>(std::chrono::system_clock::now() - seen.newest->modified, {});
    const bool old = terms_.max_age && age > *terms_.max_age;
    if (!seen.finished) return old || !terms_.max_age ? to.unwell(reason::no_prerequisite, more) : to.well(more);
    to.measure("age", to_seconds(age));
    to.measure("size", static_cast<double>(seen.newest->size));
    hold(*seen.newest, age, old, to);
  }

  void hold(const files::newest_file& newest, duration age, bool old, findings& to) const {
    const std::string who = flipback::quoted(newest.name);
    const bool long_ago = age >= std::chrono::hours(1);
    const std::string said =
        format_duration(long_ago ? std::chrono::floor<std::chrono::minutes>(age) : std::chrono::floor<std::chrono::seconds>(age));
    const std::string size = format_size(static_cast<double>(newest.size));
    if (old) to.unwell(reason::expectation, fmt::format("{} is {} old, expected at most {}", who, said, format_duration(*terms_.max_age)));
    if (newest.size < terms_.min_size)
      to.unwell(reason::expectation,
                fmt::format("{} has {}, expected at least {}", who, size, format_size(static_cast<double>(terms_.min_size))));
    to.well(fmt::format("{} {} old, {}", who, said, size));
  }

  off_loop off_loop_;
  terms terms_;
};

/// The last part of a path is the pattern; the rest is a folder as it stands.
files::file_pattern read_path(settings::section& from, std::string& path) {
  path = from.required_text("path", "/var/backups/backup_*.sql");
  if (path.empty()) return {};
  const std::size_t slash = path.find_last_of('/');
  const auto refuse = [&](std::string_view expected) {
    from.report("path", fmt::format("found {}, expected {}", from.shown("path"), expected));
    return files::file_pattern{};
  };
  if (!files::is_absolute(path)) return refuse("an absolute path such as \"/var/backups/backup_*.sql\"");
  files::file_pattern made{path.substr(0, std::max<std::size_t>(slash, 1)), path.substr(slash + 1)};
  if (made.name.empty()) return refuse("the name of a file, or a pattern of names, after the last /");
  if (made.folder.find_first_of("*?") != std::string::npos) return refuse("a pattern after the last / alone");
  return made;
}

}  // namespace

std::unique_ptr<probe> make_file_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.pattern = read_path(from, t.path);
  t.max_age = from.span("max_age", std::chrono::seconds(1), duration::max());
  t.min_size = from.size("min_size", 0, 0, UINT64_MAX);
  from.finish();
  return std::make_unique<file_probe>(in.executor, std::move(t));
}

}  // namespace flipback
