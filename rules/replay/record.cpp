#include "rules/replay/record.hpp"

#include <boost/crc.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace flipback::rules::replay {

namespace {

enum class tag : std::uint8_t { beginning = 1, declared, sampled, cut_over, window_changed, unwatched };
enum class shape : std::uint8_t { absent, number, whole, pooled, whole_pooled, sketch, histogram };
constexpr std::uint8_t is_quiet = 0x80;
constexpr std::size_t checksum_size = 4;
constexpr std::int64_t longest = std::int64_t{1}
                                 << 60U;           // nanoseconds, 36 years: no time of a record is further away, so that none overflows
constexpr double most_exact = 9007199254740992.0;  // 2^53

std::uint32_t checksum(std::string_view bytes) {
  boost::crc_32_type sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

bool is_whole(double value) {
  return value >= 0 && value < most_exact && value == static_cast<double>(static_cast<std::uint64_t>(value)) && !std::signbit(value);
}

void write_sketch(const sketch& of, byte_writer& into) {
  const sketch::parts parts = of.taken_apart();
  into.number(parts.zeros);
  into.integer(parts.first);
  into.number(parts.buckets.size());
  for (const std::uint64_t count : parts.buckets) into.number(count);
}

std::optional<sketch> read_sketch(byte_reader& from) {
  sketch::parts parts;
  parts.zeros = from.number();
  parts.first = static_cast<std::int32_t>(from.integer());
  parts.buckets.resize(from.count());
  for (std::uint64_t& count : parts.buckets) count = from.number();
  return from.good() ? sketch::of(std::move(parts)) : std::nullopt;
}

void write_histogram(const histogram& of, byte_writer& into) {
  into.number(of.buckets().size());
  for (const histogram::bucket& b : of.buckets()) {
    into.real(b.upper);
    into.real(b.count);
    into.number(b.parts);
  }
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

/// What a sample's value is written as, before it: a byte with its shape, and whether it is quiet.
class value_writer {
 public:
  value_writer(bool quiet, byte_writer& into) : quiet_(quiet), into_(into) {}

  void operator()(double number) const {
    if (is_whole(number)) {
      head(shape::whole);
      into_.number(static_cast<std::uint64_t>(number));
    } else {
      head(shape::number);
      into_.real(number);
    }
  }
  void operator()(const pooled& ratio) const {
    if (is_whole(ratio.numerator) && is_whole(ratio.denominator)) {
      head(shape::whole_pooled);
      into_.number(static_cast<std::uint64_t>(ratio.numerator));
      into_.number(static_cast<std::uint64_t>(ratio.denominator));
    } else {
      head(shape::pooled);
      into_.real(ratio.numerator);
      into_.real(ratio.denominator);
    }
  }
  void operator()(const std::shared_ptr<const sketch>& seen) const {
    head(shape::sketch);
    write_sketch(*seen, into_);
  }
  void operator()(const std::shared_ptr<const histogram>& counted) const {
    head(shape::histogram);
    write_histogram(*counted, into_);
  }
  void nothing() const { head(shape::absent); }

 private:
  void head(shape s) const { into_.byte(static_cast<std::uint8_t>(static_cast<std::uint8_t>(s) | (quiet_ ? is_quiet : 0))); }

  bool quiet_;
  byte_writer& into_;
};

void write_value(const sample& s, byte_writer& into) {
  const value_writer write(s.quiet, into);
  s.value ? std::visit(write, *s.value) : write.nothing();
}

constexpr std::uint8_t of(tag t) {
  return static_cast<std::uint8_t>(t);
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
    if (kind < of(tag::beginning) || kind > of(tag::unwatched)) return std::nullopt;
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
      case tag::cut_over:
        return cut_over{time()};
      case tag::window_changed: {
        const instant at = time();
        return window_changed{at, from_.byte() != 0};
      }
      case tag::unwatched: {
        const instant to = time();
        return unwatched{to - length(), to};
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
    const bool known = kind <= static_cast<std::uint8_t>(signal_kind::distribution) && in <= static_cast<std::uint8_t>(unit::per_second);
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
    }
    return false;
  }

  byte_reader from_;
  instant last_{};
  bool good_ = true;  ///< every time so far was one
};

}  // namespace

void record_writer::write(const entry& e) {
  std::visit([this](const auto& each) { put(each); }, e);
}

void record_writer::begin(std::uint8_t tag, instant at) {
  payload_.byte(tag);
  payload_.integer((at - std::exchange(last_, at)).count());
}

void record_writer::put(const beginning& e) {
  begin(of(tag::beginning), e.at);
  payload_.integer(std::chrono::duration_cast<std::chrono::nanoseconds>(e.wall.time_since_epoch()).count());
  payload_.byte(e.continues ? 1 : 0);
}

void record_writer::put(const declared& e) {
  payload_.byte(of(tag::declared));
  payload_.number(e.series);
  payload_.byte(static_cast<std::uint8_t>(e.is.kind));
  payload_.byte(static_cast<std::uint8_t>(e.is.in));
  payload_.number(static_cast<std::uint64_t>(e.is.stale.count()));
  payload_.real(e.is.quantile);
  payload_.text(e.is.name);
  payload_.text(e.is.samples);
}

void record_writer::put(const sampled& e) {
  begin(of(tag::sampled), e.is.at);
  payload_.number(e.series);
  payload_.number(static_cast<std::uint64_t>((e.is.at - e.is.from).count()));
  write_value(e.is, payload_);
}

void record_writer::put(const cut_over& e) {
  begin(of(tag::cut_over), e.at);
}

void record_writer::put(const window_changed& e) {
  begin(of(tag::window_changed), e.at);
  payload_.byte(e.open ? 1 : 0);
}

void record_writer::put(const unwatched& e) {
  begin(of(tag::unwatched), e.to);
  payload_.number(static_cast<std::uint64_t>((e.to - e.from).count()));
}

std::string record_writer::take() {
  if (payload_.bytes().empty()) return {};
  byte_writer made;
  made.number(payload_.bytes().size());
  std::string whole = made.bytes() + payload_.bytes();
  std::uint32_t sum = checksum(payload_.bytes());
  for (std::size_t i = 0; i < checksum_size; ++i, sum >>= 8U) whole.push_back(static_cast<char>(sum & 0xFFU));
  payload_.clear();
  last_ = {};
  return whole;
}

std::expected<std::optional<std::string_view>, damaged> record_reader::payload() {
  if (at_ == 0) {
    if (!file_.starts_with(magic)) {
      return std::unexpected(damaged{0, fmt::format("it does not begin with \"{}\": it is no record", magic.substr(0, magic.size() - 1))});
    }
    at_ = magic.size();
  }
  const std::string_view rest = file_.substr(at_);
  const auto ends_here = [&] {
    torn_ = rest.size();
    at_ = file_.size();
    return std::nullopt;
  };
  if (rest.empty()) return std::nullopt;
  byte_reader head(rest);
  const std::uint64_t size = head.number();
  if (!head.good() || size > head.left() || head.left() - size < checksum_size) return ends_here();
  const std::size_t begin = rest.size() - head.left();
  const std::string_view found = rest.substr(begin, size);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < checksum_size; ++i)
    sum |= static_cast<std::uint32_t>(static_cast<unsigned char>(rest[begin + size + i])) << (8 * i);
  const std::size_t whole = begin + size + checksum_size;
  if (sum != checksum(found)) {
    if (whole != rest.size()) return std::unexpected(damaged{at_, "the checksum is wrong"});
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
