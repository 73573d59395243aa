#include "probes/s3/newest.hpp"

#include <fmt/format.h>

namespace flipback::s3 {

namespace {

constexpr int most_pages = 20;

struct search {
  std::optional<object> newest;
  bool finished = false;
};

asio::awaitable<net::result<search>> search_newest(const series_of_objects& of, session& asks, instant until) {
  search made;
  std::string from;
  for (int page = 0; page < most_pages && std::chrono::steady_clock::now() < until; ++page) {
    auto listed = co_await asks.list(of.bucket, of.prefix, std::move(from));
    if (!listed) co_return std::unexpected(listed.error());
    for (object& one : listed->objects) {
      const bool counts = one.key.ends_with(of.suffix) && !one.key.ends_with('/');  // "db/" alone stands for a folder
      if (counts && (!made.newest || one.modified > made.newest->modified)) made.newest = std::move(one);
    }
    from = std::move(listed->next);
    made.finished = from.empty();
    if (made.finished) break;
  }
  co_return made;
}

}  // namespace

std::vector<series_of_objects> read_newest(settings::section& from, declarations& declared) {
  std::vector<series_of_objects> all;
  for (auto& [name, inner] : from.inners("newest")) {
    series_of_objects read;
    read.name = name;
    if (!declarations::is_name(name)) inner.report_here("is no name of a signal, expected letters, digits, _ and -");
    read.bucket = inner.required_text("bucket", "backups");
    read.prefix = inner.text("prefix", "");
    read.suffix = inner.text("suffix", "");
    read.max_age = inner.span("max_age", std::chrono::seconds(1), duration::max());
    read.min_size = inner.size("min_size", 0, 0, UINT64_MAX);
    read.age_measured_as = declared.add_of(name, "age", signal_kind::gauge, unit::seconds);
    read.size_measured_as = declared.add_of(name, "size", signal_kind::gauge, unit::bytes);
    inner.finish();
    all.push_back(std::move(read));
  }
  return all;
}

asio::awaitable<void> look_at_newest(const series_of_objects& of, session& asks, instant until, findings& into) {
  const std::string where = asks.quoted(fmt::format("{}/{}{}", of.bucket, of.prefix, of.suffix.empty() ? "" : "*" + of.suffix));
  const auto found = co_await search_newest(of, asks, until);
  if (!found) co_return into.unwell(found.error());
  if (!found->newest && found->finished) co_return into.unwell(reason::absent, fmt::format("nothing is under {}", where));
  const std::string more = fmt::format("{} not measured: too many objects under {}, give a longer prefix", of.name, where);
  if (!found->newest) co_return into.unwell(reason::no_prerequisite, more);
  const auto age = std::max<duration>(asks.now() - found->newest->modified, duration{});
  const bool long_ago = age >= std::chrono::hours(1);
  const std::string said =
      format_duration(long_ago ? std::chrono::floor<std::chrono::minutes>(age) : std::chrono::floor<std::chrono::seconds>(age));
  const bool old = of.max_age && age > *of.max_age;
  if (!found->finished) {
    if (old) co_return into.unwell(reason::no_prerequisite, more);
    co_return into.note(more);
  }
  into.measure(of.age_measured_as, to_seconds(age));
  into.measure(of.size_measured_as, static_cast<double>(found->newest->size));
  const std::string who = asks.quoted(found->newest->key);
  const std::string size = format_size(static_cast<double>(found->newest->size));
  if (old)
    into.unwell(reason::expectation,
                fmt::format("the newest under {}, {}, is {} old, expected at most {}", where, who, said, format_duration(*of.max_age)));
  if (found->newest->size < of.min_size)
    into.unwell(reason::expectation, fmt::format("the newest under {}, {}, has {}, expected at least {}", where, who, size,
                                                 format_size(static_cast<double>(of.min_size))));
  into.well(fmt::format("{} {} old, {}", of.name, said, size));
}

}  // namespace flipback::s3
