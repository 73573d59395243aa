#include "rules/replay/record.hpp"
#include "rules/replay/record_format.hpp"

#include <cmath>
#include <utility>

namespace flipback::rules::replay {

namespace {

constexpr double most_exact = 9007199254740992.0;  // 2^53

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

void write_histogram(const histogram& of, byte_writer& into) {
  into.number(of.buckets().size());
  for (const histogram::bucket& b : of.buckets()) {
    into.real(b.upper);
    into.real(b.count);
    into.number(b.parts);
  }
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
  void operator()(const std::shared_ptr<const ratios>& counted) const {
    head(shape::ratios);
    into_.number(counted->size());
    for (const keyed_ratio& r : *counted) {
      into_.text(*r.of);
      into_.number(r.numerator);
      into_.number(r.denominator);
    }
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
  payload_.text(e.is.narrowed);
  payload_.byte(e.is.of_live ? 1 : 0);
  payload_.number(static_cast<std::uint64_t>(e.is.every.count()));
  payload_.byte(static_cast<std::uint8_t>(e.is.tells));
}

void record_writer::put(const sampled& e) {
  begin(of(tag::sampled), e.is.at);
  payload_.number(e.series);
  payload_.number(static_cast<std::uint64_t>((e.is.at - e.is.from).count()));
  write_value(e.is, payload_);
}

void record_writer::put(const cut_over& e) {
  begin(of(tag::cut_over), e.at);
  payload_.byte(e.forgive ? 1 : 0);
  payload_.byte(e.recalled ? 1 : 0);
}

void record_writer::put(const window_changed& e) {
  begin(of(tag::window_changed), e.at);
  payload_.byte(e.open ? 1 : 0);
}

void record_writer::put(const unwatched& e) {
  begin(of(tag::unwatched), e.to);
  payload_.number(static_cast<std::uint64_t>((e.to - e.from).count()));
}

void record_writer::put(const hold_changed& e) {
  begin(of(tag::hold_changed), e.at);
  payload_.text(e.says);
}

void record_writer::put(const unlatched& e) {
  begin(of(tag::unlatched), e.at);
}

void record_writer::put(const resumed& e) {
  begin(of(tag::resumed), e.at);
  for (const instant at : {e.what.since, e.what.until}) payload_.integer((at - std::exchange(last_, at)).count());
  payload_.number(static_cast<std::uint64_t>(e.what.bridged.count()));
  payload_.text(e.what.meaning);
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

}  // namespace flipback::rules::replay
