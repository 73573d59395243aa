#include "agent/rollback/journal.hpp"

#include "agent/rollback/journal_frames.hpp"
#include "tests/agent/rollback/journaling.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <array>
#include <fstream>

using namespace flipback;
using namespace flipback::test;
namespace fs = std::filesystem;

TEST_CASE("the_rows_of_an_attempt_are_there_after_a_crash_and_go_on") {
  const journal_folder f;
  CHECK(read(f.file()).empty());
  begin(f.file(), "a", 2, 1024 * 1024);
  {
    journal j(f.file(), make_disk());
    const auto found = j.read();
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 3);
    CHECK((found->front() == first("a", 1024 * 1024)));
    CHECK(done(j.write(next(3, row::kind::undoing))));
  }
  CHECK(read(f.file()).size() == 4);
}

TEST_CASE("a_journal_is_its_owners_alone") {
  const journal_folder f;
  ::umask(0);
  begin(f.file(), "a", 0);
  ::umask(022);
  struct stat is{};
  REQUIRE(::stat(f.file().c_str(), &is) == 0);
  CHECK((is.st_mode & 07777) == 0600);
}

TEST_CASE("a_forgotten_attempt_is_never_read_again_nor_are_its_rows_behind_a_shorter_one") {
  const journal_folder f;
  journal j(f.file(), make_disk());
  REQUIRE(j.read().has_value());
  REQUIRE(done(j.write(first("long"))));
  for (std::uint64_t n = 1; n <= 8; ++n) REQUIRE(done(j.write(next(n))));
  REQUIRE(done(j.forget()));
  CHECK(read(f.file()).empty());
  REQUIRE(done(j.write(first("short"))));
  CHECK(read(f.file()).size() == 1);
  CHECK(read(f.file()).front().of.id == "short");
  REQUIRE(done(j.write(next(1, row::kind::ended))));
  CHECK(read(f.file()).size() == 2);
  REQUIRE(done(j.forget()));
  CHECK(read(f.file()).empty());
}

TEST_CASE("what_was_cut_off_at_any_byte_is_the_end_and_no_error") {
  const journal_folder f;
  begin(f.file(), "a", 1);
  const std::string whole = f.bytes();
  const std::size_t last = frames::first_frame + frames::block;
  const std::size_t end = whole.find_last_not_of('\0') + 1;
  REQUIRE(end > last);
  for (std::size_t size = last; size < end; ++size) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(size), torn.end(), '\0');
    f.write(torn);
    REQUIRE(read(f.file()).size() == 1);
    torn.resize(size);
    f.write(torn);
    REQUIRE(read(f.file()).size() == 1);
  }
  // The first row alone: nothing was begun.
  f.write(whole.substr(0, frames::first_frame + 50));
  CHECK(read(f.file()).empty());
  // And it can go on from there.
  begin(f.file(), "c", 3);
  CHECK(read(f.file()).size() == 4);
}

TEST_CASE("a_row_that_was_cut_off_is_written_over") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  {
    journal j(f.file(), faulty);
    REQUIRE(done(j.write(first("a"))));
    faulty->torn_after = 40;
    CHECK_FALSE(done(j.write(next(1, row::kind::tested, std::string(10'000, 'x')))));
  }
  journal j(f.file(), make_disk());
  REQUIRE(j.read().value().size() == 1);
  CHECK(done(j.write(next(1))));
  CHECK(read(f.file()).size() == 2);
}

TEST_CASE("a_forgetting_that_was_cut_off_leaves_the_attempt_as_it_was") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  for (int attempt = 0; attempt < 4; ++attempt) {
    REQUIRE(done(j.write(first("a"))));
    REQUIRE(done(j.write(next(1))));
    faulty->torn_after = 20;  // within what counts in a head
    CHECK_FALSE(done(j.forget()));
    CHECK(read(f.file()).size() == 2);
    faulty->torn_after.reset();
    REQUIRE(done(j.forget()));
    CHECK(read(f.file()).empty());
  }
}

TEST_CASE("a_damaged_row_before_others_is_told_and_never_the_end") {
  const journal_folder f;
  begin(f.file(), "a", 4);
  const std::string whole = f.bytes();
  for (std::size_t n = 0; n < 4; ++n) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{13}, std::size_t{20}, std::size_t{40}}) {
      std::string spoilt = whole;
      spoilt[frames::first_frame + n * frames::block + at] ^= 1;
      f.write(spoilt);
      CHECK_MESSAGE(trouble_of(f.file()).contains(fmt::format("is damaged after its row {}", n)), trouble_of(f.file()));
    }
  }
}

TEST_CASE("what_is_no_journal_or_a_newer_one_is_told_and_never_none") {
  const journal_folder f;
  begin(f.file(), "a", 1);
  const std::string whole = f.bytes();
  struct line {
    std::string bytes;
    std::string_view says;
  };
  const auto with_head = [&whole](const frames::head& h) {
    std::string made = whole;
    const std::string bytes = to_bytes(h);
    return made.replace(place_of(h), bytes.size(), bytes);
  };
  const auto with_row = [&whole](const std::string& text, std::uint64_t number = 1) {
    std::string made = whole;
    const std::string bytes = to_bytes(frames::frame{1, number, text});
    return made.replace(frames::first_frame + frames::block, bytes.size(), bytes);
  };
  const std::array lines{
      line{std::string(10'000, 'x'), "does not begin as one"},
      line{std::string(frames::first_frame, '\0') + whole.substr(frames::first_frame), "does not begin as one"},
      line{with_head({7, 0, 2}), "was written by a newer flipback, in its form 2"},
      line{with_row(R"({"version":2,"number":1,"is":"go"})"), "version: found 2"},
      line{with_row(R"({"version":1,"number":1,"is":"asked"})"), "\"asked\" is none of the words"},
      line{with_row("no json"), "is no JSON"},
      line{with_row(to_text(next(5))), "out of order"},
      line{with_row(to_text(next(5)), 5), "is damaged after its row 1"},
  };
  for (const line& l : lines) {
    f.write(l.bytes);
    CHECK_MESSAGE(trouble_of(f.file()).contains(l.says), l.says);
    CHECK_MESSAGE(trouble_of(f.file()).contains(f.file()), l.says);
  }
}

TEST_CASE("what_can_not_be_opened_is_told_and_never_none") {
  const journal_folder f;
  std::ofstream(f.at / "file") << "x";
  CHECK(trouble_of((f.at / "file" / "rollback.journal").string()).contains("can't be opened"));
  fs::create_directory(f.file());
  CHECK(trouble_of(f.file()).contains("can't be opened"));
}

TEST_CASE("a_damaged_journal_is_kept_beside_when_an_attempt_begins") {
  const journal_folder f;
  f.write("spoilt");
  {
    journal j(f.file(), make_disk());
    REQUIRE_FALSE(j.read().has_value());
    CHECK_FALSE(done(j.write(next(1))));
    CHECK_FALSE(done(j.forget()));
    CHECK(f.bytes() == "spoilt");
    REQUIRE(done(j.write(first("a"))));
    CHECK(done(j.write(next(1))));
  }
  CHECK(read(f.file()).size() == 2);
  REQUIRE(f.aside().size() == 1);
  // Cut off between the two.
  fs::remove(f.file());
  CHECK(trouble_of(f.file()).contains("is kept as " + f.aside().front().string()));
}
