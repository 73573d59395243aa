#include "agent/rollback/journal.hpp"

#include "agent/rollback/journal_frames.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

using namespace flipback;
using namespace flipback::rollback;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace asio = boost::asio;

namespace {

using result = std::expected<void, std::string>;

struct folder {
  folder() {
    std::string name = (fs::temp_directory_path() / "flipback-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
  [[nodiscard]] std::string file() const { return (path / "rollback.journal").string(); }
  [[nodiscard]] std::string bytes() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  [[nodiscard]] std::vector<fs::path> aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().string().contains(".unreadable-")) found.push_back(entry.path());
    }
    return found;
  }
  fs::path path;
};

/// A disk that does what it is told, and remembers how often it was asked.
class faulty_disk final : public disk {
 public:
  int write_at(int fd, std::string_view bytes, off_t at) override {
    ++writes;
    hang();
    if (torn_after) {
      real_->write_at(fd, bytes.substr(0, *torn_after), at);
      return EIO;
    }
    if (full_from && static_cast<std::size_t>(at) + bytes.size() > *full_from) return ENOSPC;
    return write_error != 0 ? write_error.load() : real_->write_at(fd, bytes, at);
  }
  int sync(int fd) override {
    ++syncs;
    return sync_error != 0 ? sync_error.load() : real_->sync(fd);
  }
  int allocate(int fd, off_t bytes) override { return allocate_error != 0 ? allocate_error.load() : real_->allocate(fd, bytes); }

  void hang(bool is) {
    const std::scoped_lock alone(mutex_);
    hangs_ = is;
    changed_.notify_all();
  }

  std::atomic<int> writes = 0;
  std::atomic<int> syncs = 0;
  std::atomic<int> write_error = 0;
  std::atomic<int> sync_error = 0;
  std::atomic<int> allocate_error = 0;
  std::optional<std::size_t> torn_after;
  std::optional<std::size_t> full_from;

 private:
  void hang() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !hangs_; });
  }
  std::shared_ptr<disk> real_ = make_disk();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
};

result done(asio::awaitable<result> doing) {
  asio::io_context loop(1);
  result came = std::unexpected("did not end");
  asio::co_spawn(loop, std::move(doing), [&](const std::exception_ptr&, result r) { came = std::move(r); });
  loop.run();
  return came;
}

row first(std::string id, std::size_t bytes = 100) {
  row made;
  made.of.id = std::move(id);
  made.of.from = {"green", "2"};
  made.of.to = {"blue", "1"};
  made.of.changes = {
      file_change{"/etc/live", {file_image::kind::regular, std::string(bytes, '\xfe')}, {file_image::kind::regular, "after"}}};
  return made;
}

row next(std::uint64_t number, row::kind kind = row::kind::go, std::string says = "so") {
  row made;
  made.number = number;
  made.is = kind;
  made.says = std::move(says);
  return made;
}

std::vector<row> read(const std::string& file) {
  journal j(file, make_disk());
  auto found = j.read();
  REQUIRE_MESSAGE(found.has_value(), found.error());
  return std::move(*found);
}

std::string trouble_of(const std::string& file) {
  journal j(file, make_disk());
  const auto found = j.read();
  return found ? "" : found.error();
}

/// Writes such an attempt with rows up to this number.
void begin(const std::string& file, const std::string& id, std::uint64_t last, std::size_t bytes = 100) {
  journal j(file, make_disk());
  REQUIRE(j.read().has_value());
  REQUIRE(done(j.write(first(id, bytes))));
  for (std::uint64_t n = 1; n <= last; ++n) REQUIRE(done(j.write(next(n))));
}

}  // namespace

TEST_CASE("the_rows_of_an_attempt_are_there_after_a_crash_and_go_on") {
  const folder f;
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
  const folder f;
  ::umask(0);
  begin(f.file(), "a", 0);
  ::umask(022);
  struct stat is{};
  REQUIRE(::stat(f.file().c_str(), &is) == 0);
  CHECK((is.st_mode & 07777) == 0600);
}

TEST_CASE("a_forgotten_attempt_is_never_read_again_nor_are_its_rows_behind_a_shorter_one") {
  const folder f;
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
  const folder f;
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
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  {
    journal j(f.file(), faulty);
    REQUIRE(done(j.write(first("a"))));
    faulty->torn_after = 40;
    CHECK_FALSE(done(j.write(next(1, row::kind::go, std::string(10'000, 'x')))));
  }
  journal j(f.file(), make_disk());
  REQUIRE(j.read().value().size() == 1);
  CHECK(done(j.write(next(1))));
  CHECK(read(f.file()).size() == 2);
}

TEST_CASE("a_forgetting_that_was_cut_off_leaves_the_attempt_as_it_was") {
  const folder f;
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
  const folder f;
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
  const folder f;
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
  const folder f;
  std::ofstream(f.path / "file") << "x";
  CHECK(trouble_of((f.path / "file" / "rollback.journal").string()).contains("can't be opened"));
  fs::create_directory(f.file());
  CHECK(trouble_of(f.file()).contains("can't be opened"));
}

TEST_CASE("a_damaged_journal_is_kept_beside_when_an_attempt_begins") {
  const folder f;
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

TEST_CASE("a_row_that_can_not_be_written_is_an_error_and_is_written_before_the_next") {
  struct line {
    std::string_view what;
    std::atomic<int> faulty_disk::* fault;
  };
  for (const line& l : {line{"write", &faulty_disk::write_error}, line{"sync", &faulty_disk::sync_error}}) {
    CAPTURE(l.what);
    const folder f;
    const auto faulty = std::make_shared<faulty_disk>();
    journal j(f.file(), faulty);
    REQUIRE(j.read().has_value());
    *faulty.*l.fault = EIO;
    const result begun = done(j.write(first("a")));
    REQUIRE_FALSE(begun.has_value());
    CHECK(begun.error().contains(f.file()));
    CHECK(begun.error().contains("Input/output error"));
    CHECK_FALSE(done(j.write(next(1))));
    *faulty.*l.fault = 0;
    CHECK(done(j.write(next(2))));
    CHECK(read(f.file()).size() == 3);
    *faulty.*l.fault = EIO;
    CHECK_FALSE(done(j.forget()));
    *faulty.*l.fault = 0;
    // What could not be forgotten is forgotten before another begins.
    CHECK(done(j.write(first("b"))));
    REQUIRE(read(f.file()).size() == 1);
    CHECK(read(f.file()).front().of.id == "b");
  }
}

TEST_CASE("each_row_is_synced_before_it_is_said_to_be_written") {
  const folder f;
  const auto watched = std::make_shared<faulty_disk>();
  journal j(f.file(), watched);
  REQUIRE(done(j.write(first("a"))));
  const int before = watched->syncs;
  REQUIRE(done(j.write(next(1))));
  CHECK(watched->syncs == before + 1);
}

TEST_CASE("a_full_disk_does_not_stop_an_attempt_that_has_its_room") {
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(j.read().has_value());
  const row begun = first("a", 300'000);
  const std::size_t room = room_for(begun.of);
  REQUIRE(done(j.reserve(room)));
  CHECK(f.bytes().size() == room);
  CHECK(read(f.file()).empty());
  faulty->full_from = room;
  for (int attempt = 0; attempt < 3; ++attempt) {
    REQUIRE(done(j.write(begun)));
    for (std::uint64_t n = 1; n <= 64; ++n) REQUIRE(done(j.write(next(n))));
    const result more = done(j.write(next(65)));
    REQUIRE_FALSE(more.has_value());
    CHECK(more.error().contains("No space left"));
    REQUIRE(done(j.forget()));
  }
  CHECK(f.bytes().size() == room);
  faulty->allocate_error = ENOSPC;
  CHECK_FALSE(done(j.reserve(2 * room)));
  CHECK(done(j.write(begun)));
}

TEST_CASE("a_disk_that_hangs_is_not_waited_for_and_what_it_takes_late_is_in_order") {
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->hang(true);
  const auto began = std::chrono::steady_clock::now();
  const result hung = done(j.write(next(1)));
  REQUIRE_FALSE(hung.has_value());
  CHECK(hung.error().contains("2s"));
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  asio::io_context loop(1);
  std::vector<bool> came;
  for (std::uint64_t n = 2; n <= 4; ++n) {
    asio::co_spawn(loop, j.write(next(n)), [&came](const std::exception_ptr&, const result& r) { came.push_back(r.has_value()); });
  }
  loop.poll();
  faulty->hang(false);
  loop.run();
  CHECK(came == std::vector{true, true, true});
  CHECK(read(f.file()).size() == 5);
}

TEST_CASE("nothing_is_written_after_it_was_forgotten_however_late") {
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->hang(true);
  asio::io_context loop(1);
  std::vector<std::string> came;
  const auto note = [&came](std::string name) {
    return [&came, name](const std::exception_ptr&, const result& r) { came.push_back(name + (r ? " yes" : " no")); };
  };
  asio::co_spawn(loop, j.write(next(1)), note("1"));
  loop.poll();
  while (faulty->writes < 3) std::this_thread::yield();  // its head, its first row, and this one, in which it hangs
  asio::co_spawn(loop, j.write(next(2)), note("2"));
  loop.poll();
  asio::co_spawn(loop, j.forget(), note("forgotten"));
  loop.poll();
  asio::co_spawn(loop, j.write(first("b")), note("b"));
  loop.poll();
  faulty->write_error = 0;
  faulty->hang(false);
  loop.run();
  CHECK(came == std::vector<std::string>{"2 no", "1 yes", "forgotten yes", "b yes"});
  REQUIRE(read(f.file()).size() == 1);
  CHECK(read(f.file()).front().of.id == "b");
}

TEST_CASE("a_row_that_fails_late_is_not_tried_again_once_it_is_forgotten") {
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->torn_after = 10;
  CHECK_FALSE(done(j.write(next(1))));
  faulty->torn_after.reset();
  CHECK(done(j.forget()));
  CHECK(read(f.file()).empty());
  CHECK(done(j.write(first("b"))));
  CHECK(read(f.file()).size() == 1);
}

TEST_CASE("a_row_that_does_not_follow_is_refused_and_stops_nothing") {
  const folder f;
  journal j(f.file(), make_disk());
  REQUIRE(j.read().has_value());
  CHECK_FALSE(done(j.write(next(1))));
  REQUIRE(done(j.write(first("a"))));
  CHECK_FALSE(done(j.write(first("b"))));
  CHECK_FALSE(done(j.write(next(2))));
  CHECK(done(j.write(next(1))));
  CHECK(read(f.file()).size() == 2);
  CHECK(read(f.file()).front().of.id == "a");
}

TEST_CASE("a_disk_that_hangs_for_good_does_not_hold_up_the_end") {
  const folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  const auto began = std::chrono::steady_clock::now();
  {
    journal j(f.file(), faulty);
    REQUIRE(j.read().has_value());
    faulty->hang(true);
    asio::io_context loop(1);
    asio::co_spawn(loop, j.write(first("a")), [](const std::exception_ptr&, const result&) {});
    loop.poll();
  }
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  faulty->hang(false);
  while (faulty.use_count() > 1) std::this_thread::yield();
}
