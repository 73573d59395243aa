#include "rules/replay/record.hpp"
#include "rules/replay/record_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace flipback::rules::replay {

namespace {

/// Nanoseconds, 36 years: no time of a record is further away, so that none overflows.
constexpr std::int64_t longest = std::int64_t{1} << 60U;

std::optional<sketch> read_sketch(byte_reader& from) {
  sketch::parts parts;
  parts.zeros = from.number();
  parts.first = static_cast<std::int32_t>(from.integer());
  parts.buckets.resize(from.count());
  for (std::uint64_t& count : parts.buckets) count = from.number();
  return from.good() ? sketch::of(std::move(parts)) : std::nullopt;
}

std::optional<histogram> read_histogram(byte_reader& from) {
  std::vector<histogram::bucket> buckets(from.count());
  for (histogram::bucket& b : buckets) {
    b.upper = from.real();
    b.count = from.real();
    b.parts = static_cast<std::uint32_t>(from.number());
  }
  return from.good() ? histogram::of(std::move(buckets)) : std::nullopt;
}

std::optional<ratios> read_ratios(byte_reader& from) {
  ratios read(from.count());
  for (keyed_ratio& r : read) {
    r.of = std::make_shared<const std::string>(from.text());
    r.numerator = static_cast<std::uint32_t>(from.number());
    r.denominator = static_cast<std::uint32_t>(from.number());
  }
  return from.good() ? std::optional(std::move(read)) : std::nullopt;
}

/// Reads the entries of one frame.
class frame {
 public:
  explicit frame(std::string_view payload) : from_(payload) {}

  /// Nothing where a frame holds what no writer writes.
  std::optional<std::vector<entry>> read() {
    std::vector<entry> all;
    while (!from_.empty()) {
      auto one = read_entry();
      if (!one || !from_.good() || !good_) return std::nullopt;
      all.push_back(std::move(*one));
    }
    return all;
  }

 private:
  std::optional<entry> read_entry() {
    const std::uint8_t kind = from_.byte();
    if (kind < of(tag::beginning) || kind > of(tag::resumed)) return std::nullopt;
    switch (static_cast<tag>(kind)) {
      case tag::beginning: {
        beginning made;
        made.at = time();
        made.wall = wall_time(std::chrono::nanoseconds(std::clamp(from_.integer(), -2 * longest, 2 * longest)));
        made.continues = from_.byte() != 0;
        return made;
      }
      case tag::declared:
        return read_signal();
      case tag::sampled: {
        sampled made;
        made.is.at = time();
        made.series = static_cast<std::uint32_t>(from_.number());
        made.is.from = made.is.at - length();
        if (!read_value(made.is)) return std::nullopt;
        return made;
      }
      case tag::cut_over: {
        const instant at = time();
        const bool forgive = from_.byte() != 0;
        return cut_over{at, forgive, from_.byte() != 0};
      }
      case tag::window_changed: {
        const instant at = time();
        return window_changed{at, from_.byte() != 0};
      }
      case tag::unwatched: {
        const instant to = time();
        return unwatched{to - length(), to};
      }
      case tag::hold_changed: {
        const instant at = time();
        return hold_changed{at, std::string(from_.text())};
      }
      case tag::unlatched:
        return unlatched{time()};
      case tag::resumed: {
        resumed made{.at = time(), .what = {}};
        made.what.since = time();
        made.what.until = time();
        made.what.bridged = length();
        made.what.meaning = from_.text();
        return made;
      }
    }
    return std::nullopt;
  }

  /// A span, or zero where it is longer than any can be, and the frame is bad.
  duration span(std::int64_t nanoseconds) {
    const bool fits = nanoseconds >= -longest && nanoseconds <= longest;
    good_ = good_ && fits;
    return duration(fits ? nanoseconds : 0);
  }
  duration length() { return span(static_cast<std::int64_t>(std::min(from_.number(), std::uint64_t{INT64_MAX}))); }

  instant time() {
    last_ = instant(span((last_ + span(from_.integer())).time_since_epoch().count()));
    return last_;
  }

  std::optional<entry> read_signal() {
    declared made;
    made.series = static_cast<std::uint32_t>(from_.number());
    const std::uint8_t kind = from_.byte();
    const std::uint8_t in = from_.byte();
    made.is.kind = static_cast<signal_kind>(kind);
    made.is.in = static_cast<unit>(in);
    made.is.stale = length();
    made.is.quantile = from_.real();
    made.is.name = from_.text();
    made.is.samples = from_.text();
    made.is.narrowed = from_.text();
    made.is.of_live = from_.byte() != 0;
    made.is.every = length();
    const std::uint8_t tells = from_.byte();
    made.is.tells = static_cast<telling>(tells);
    const bool known = kind <= static_cast<std::uint8_t>(signal_kind::ratios) && in <= static_cast<std::uint8_t>(unit::per_second) &&
                       tells <= static_cast<std::uint8_t>(telling::slowness);
    return known && !made.is.name.empty() ? std::optional<entry>(std::move(made)) : std::nullopt;
  }

  bool read_value(sample& into) {
    const std::uint8_t head = from_.byte();
    into.quiet = (head & is_quiet) != 0;
    switch (static_cast<shape>(head & ~is_quiet)) {
      case shape::absent:
        return true;
      case shape::number:
        into.value = from_.real();
        return true;
      case shape::whole:
        into.value = static_cast<double>(from_.number());
        return true;
      case shape::pooled: {
        const double numerator = from_.real();
        into.value = pooled{numerator, from_.real()};
        return true;
      }
      case shape::whole_pooled: {
        const auto numerator = static_cast<double>(from_.number());
        into.value = pooled{numerator, static_cast<double>(from_.number())};
        return true;
      }
      case shape::sketch:
        if (auto read = read_sketch(from_)) into.value = std::make_shared<const sketch>(std::move(*read));
        return into.value.has_value();
      case shape::histogram:
        if (auto read = read_histogram(from_)) into.value = std::make_shared<const histogram>(std::move(*read));
        return into.value.has_value();
      case shape::ratios:
        if (auto read = read_ratios(from_)) into.value = std::make_shared<const ratios>(std::move(*read));
        return into.value.has_value();
    }
    return false;
  }

  byte_reader from_;
  instant last_{};
  bool good_ = true;  ///< every time so far was one
};

}  // namespace

std::expected<std::string_view, damaged> record_reader::ahead(std::size_t bytes) {
  auto found = piece_(at_, bytes);
  if (!found) return std::unexpected(damaged{at_, std::move(found.error())});
  if (found->size() < bytes) return std::unexpected(damaged{at_, "the file was made shorter while it was read"});
  return *found;
}

std::expected<std::optional<std::string_view>, damaged> record_reader::payload() {
  if (at_ == 0) {
    const auto begin = ahead(std::min(size_, magic.size()));
    if (!begin) return std::unexpected(begin.error());
    if (*begin != magic) {
      return std::unexpected(damaged{0, fmt::format("it does not begin with \"{}\": it is no record", magic.substr(0, magic.size() - 1))});
    }
    at_ = magic.size();
  }
  const std::size_t rest = size_ - at_;
  const auto ends_here = [&] {
    torn_ = rest;
    at_ = size_;
    return std::nullopt;
  };
  if (rest == 0) return std::nullopt;
  const auto begins = ahead(std::min(rest, byte_reader::longest_number));
  if (!begins) return std::unexpected(begins.error());
  byte_reader head(*begins);
  const std::uint64_t size = head.number();
  const std::size_t begin = begins->size() - head.left();
  if (!head.good() || size > rest - begin || rest - begin - size < checksum_size) return ends_here();
  if (size > longest_frame) return std::unexpected(damaged{at_, fmt::format("a frame says that it has {} bytes, which none has", size)});
  const std::size_t whole = begin + size + checksum_size;
  const auto frame = ahead(whole);
  if (!frame) return std::unexpected(frame.error());
  const std::string_view found = frame->substr(begin, size);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < checksum_size; ++i)
    sum |= static_cast<std::uint32_t>(static_cast<unsigned char>((*frame)[begin + size + i])) << (8 * i);
  if (sum != checksum(found)) {
    if (whole != rest) return std::unexpected(damaged{at_, "the checksum is wrong"});
    return ends_here();  // a file's size may be on disk before what is in it
  }
  at_ += whole;
  return found;
}

std::expected<bool, damaged> record_reader::skip() {
  const auto found = payload();
  if (!found) return std::unexpected(found.error());
  return found->has_value();
}

std::expected<std::vector<entry>, damaged> record_reader::next() {
  const std::size_t begin = at_ == 0 ? magic.size() : at_;
  const auto found = payload();
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  auto entries = frame(**found).read();
  if (!entries) return std::unexpected(damaged{begin, "it holds what this version does not write"});
  return std::move(*entries);
}

}  // namespace flipback::rules::replay
