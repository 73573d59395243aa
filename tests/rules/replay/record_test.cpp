#include "rules/replay/record.hpp"

#include "rules/replay/record_format.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <expected>
#include <limits>

using namespace flipback;
using namespace flipback::rules::replay;
using namespace std::chrono;

namespace {

constexpr instant start{hours(1000)};

sample at(seconds when, std::optional<measured> value, bool quiet = false) {
  return {start + when - 1s, start + when, std::move(value), quiet};
}

/// One of every kind of entry, and of every kind of value.
std::vector<entry> everything() {
  sketch latencies;
  for (const double value : {0.0, 1e-9, 0.004, 0.25, 3600.0, 1e9}) latencies.add(value, 3);
  histogram counted;
  counted.add(0.1, 5);
  counted.add(std::numeric_limits<double>::infinity(), 7);
  const ratios counted_by_path{{std::make_shared<const std::string>("/checkout"), 3, 4},
                               {std::make_shared<const std::string>("/"), 0, 300}};
  std::vector<entry> all{beginning{start, wall_time(1795762000s), true},
                         declared{0, {"traffic.p95", signal_kind::distribution, unit::seconds, 15s, 0.95, "traffic.latencies"}},
                         declared{1,
                                  {"traffic.error_rate", signal_kind::ratio, unit::ratio, 15s, 0, "traffic.error_rate",
                                   "traffic.live.error_rate", true, 1s, telling::errors}},
                         cut_over{start + 1s, true},
                         cut_over{start + 1s, false, true},
                         window_changed{start + 1s, true},
                         unwatched{start + 2s, start + 5s},
                         hold_changed{start + 5s, "held by ann: the sale"},
                         hold_changed{start + 5s, ""},
                         unlatched{start + 5s},
                         resumed{start + 9s, {"a rule", start + 2s, start + 5s, 1s}}};
  std::uint32_t series = 0;
  for (const std::optional<measured>& value : std::vector<std::optional<measured>>{
           std::nullopt, 0.0, -0.0, 1.0, 0.1, -5.0, 1e300, std::numeric_limits<double>::infinity(), pooled{3, 100}, pooled{0.5, 1e18},
           std::make_shared<const sketch>(latencies), std::make_shared<const sketch>(), std::make_shared<const histogram>(counted),
           std::make_shared<const ratios>(), std::make_shared<const ratios>(counted_by_path)}) {
    all.emplace_back(sampled{series, at(seconds(6 + series), value, series % 2 == 0)});
    ++series;
  }
  all.emplace_back(sampled{300, at(1s, 2.0)});  // a past that was caught up with lies before
  return all;
}

/// What a value is, told apart to the last bit.
std::string written(const std::vector<entry>& entries) {
  record_writer made;
  for (const entry& e : entries) made.write(e);
  return made.take();
}

std::vector<entry> read_all(std::string_view file) {
  std::vector<entry> all;
  record_reader reader(file);
  for (;;) {
    auto frame = reader.next();
    REQUIRE(frame.has_value());
    if (frame->empty()) return all;
    for (entry& e : *frame) all.push_back(std::move(e));
  }
}

/// What is said of a frame of this, with its right checksum.
std::string complaint_of(const byte_writer& payload) {
  const std::uint32_t sum = checksum(payload.bytes());
  std::string file = std::string(magic) + static_cast<char>(payload.bytes().size()) + payload.bytes();
  for (unsigned shift = 0; shift < 32; shift += 8) file.push_back(static_cast<char>(sum >> shift & 0xFFU));
  record_reader reader(file);
  return reader.next().error().says;
}

}  // namespace

TEST_CASE("what_was_recorded_is_read_again_to_the_last_bit") {
  const auto entries = everything();
  const auto read = read_all(std::string(magic) + written(entries));
  REQUIRE(read.size() == entries.size());
  CHECK(written(read) == written(entries));
  const auto& latencies = std::get<std::shared_ptr<const sketch>>(*std::get<sampled>(read[21]).is.value);
  CHECK(latencies->count() == 18);
  CHECK(latencies->quantile(0.5) == doctest::Approx(0.004).epsilon(0.011));
  CHECK(std::signbit(std::get<double>(*std::get<sampled>(read[13]).is.value)));
  CHECK(std::get<beginning>(read[0]).wall == wall_time(1795762000s));
  CHECK(std::get<declared>(read[1]).is.samples == "traffic.latencies");
  CHECK(std::get<declared>(read[1]).is.tells == telling::nothing);
  CHECK(std::get<declared>(read[2]).is.tells == telling::errors);
  CHECK((std::get<cut_over>(read[3]).forgive && !std::get<cut_over>(read[3]).recalled));
  CHECK((!std::get<cut_over>(read[4]).forgive && std::get<cut_over>(read[4]).recalled));
  CHECK(std::get<hold_changed>(read[7]).says == "held by ann: the sale");
  CHECK(std::get<hold_changed>(read[8]).says.empty());
  CHECK(std::get<unlatched>(read[9]).at == start + 5s);
  CHECK(std::get<resumed>(read[10]).what.meaning == "a rule");
  CHECK(std::get<resumed>(read[10]).what.since == start + 2s);
  CHECK(std::get<resumed>(read[10]).what.until == start + 5s);
  CHECK(std::get<resumed>(read[10]).what.bridged == 1s);
  CHECK(std::get<sampled>(read.back()).is.at == start + 1s);
}

TEST_CASE("a_frame_needs_none_before_it_and_nothing_written_is_no_frame") {
  record_writer made;
  CHECK(made.take().empty());
  made.write(cut_over{start});
  const std::string first = made.take();
  made.write(cut_over{start});
  CHECK(made.take() == first);
}

TEST_CASE("a_last_frame_that_is_not_whole_is_passed_over_wherever_it_ends") {
  const std::string first = written({cut_over{start}, window_changed{start, true}});
  const std::string second = written(everything());
  for (std::size_t size = 0; size < second.size(); ++size) {
    CAPTURE(size);
    const std::string file = std::string(magic) + first + second.substr(0, size);
    record_reader reader(file);
    const auto whole = reader.next();
    REQUIRE(whole.has_value());
    CHECK(whole->size() == 2);
    const auto none = reader.next();
    REQUIRE(none.has_value());
    CHECK(none->empty());
    CHECK(reader.torn() == size);
  }
}

TEST_CASE("a_byte_that_was_changed_is_noticed_wherever_it_is") {
  const std::string good = std::string(magic) + written(everything()) + written({cut_over{start}}) + written({cut_over{start}});
  std::size_t noticed = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    record_reader reader(bad);
    for (;;) {
      const auto frame = reader.next();
      if (!frame || (frame->empty() && reader.torn() > 0)) ++noticed;
      if (!frame || frame->empty()) break;
    }
  }
  CHECK(noticed == good.size());
}

TEST_CASE("a_record_that_ends_before_its_size_or_is_not_given_any_further_is_an_error_and_no_end") {
  const std::string whole = std::string(magic) + written(everything()) + written({cut_over{start}});
  for (std::size_t there = 0; there < whole.size(); ++there) {
    CAPTURE(there);
    for (const bool is_told : {false, true}) {
      record_reader reader(whole.size(), [&](std::size_t at, std::size_t bytes) -> std::expected<std::string_view, std::string> {
        if (is_told && at + bytes > there) return std::unexpected("the disk gave nothing");
        return std::string_view(whole).substr(0, there).substr(std::min(at, there), bytes);
      });
      auto more = reader.skip();
      while (more && *more) more = reader.skip();
      REQUIRE_FALSE(more.has_value());
      CHECK(more.error().says == (is_told ? "the disk gave nothing" : "the file was made shorter while it was read"));
      CHECK(reader.torn() == 0);
    }
  }
}

TEST_CASE("a_frame_longer_than_any_is_said_before_it_is_read") {
  byte_writer size;
  size.number(longest_frame + 1);
  const std::string begin = std::string(magic) + size.bytes();
  std::size_t most = 0;
  std::string kept;
  record_reader reader(std::size_t{1} << 30U, [&](std::size_t at, std::size_t bytes) -> std::expected<std::string_view, std::string> {
    most = std::max(most, bytes);
    const std::string_view there = std::string_view(begin).substr(at);
    std::string padded(there.substr(0, bytes));
    padded.resize(bytes);
    kept = std::move(padded);
    return kept;
  });
  const auto found = reader.skip();
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().says.contains("which none has"));
  CHECK(most < 100);
}

TEST_CASE("what_is_no_record_is_said") {
  const auto says = [](std::string_view file) { return record_reader(file).next().error().says; };
  CHECK(says("") == "it does not begin with \"flipback record 3\": it is no record");
  CHECK(says("SQLite format 3").ends_with("it is no record"));
}

TEST_CASE("a_frame_with_the_right_checksum_that_nobody_wrote_is_an_error") {
  for (const shape s : {shape::sketch, shape::histogram, shape::ratios}) {
    byte_writer payload;
    payload.byte(of(tag::sampled));
    for (int i = 0; i < 3; ++i) payload.number(0);
    payload.byte(static_cast<std::uint8_t>(s));
    if (s == shape::sketch) payload.byte(0), payload.byte(0);
    payload.number(1 << 30);  // a billion of its parts
    CHECK(complaint_of(payload) == "it holds what this version does not write");
  }
}
