#include "probes/files/space.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using files::space_of;

namespace {

/// 1000 blocks of 4 KiB, of which 50 are kept for root.
struct statvfs file_system(fsblkcnt_t free) {
  struct statvfs told{};
  told.f_bsize = 1024 * 1024;  // what is best to read at once, which is no block
  told.f_frsize = 4096;
  told.f_blocks = 1000;
  told.f_bfree = free;
  told.f_bavail = free < 50 ? 0 : free - 50;
  return told;
}

}  // namespace

TEST_CASE("free_space_is_a_share_of_what_users_can_have_as_df_counts_it") {
  const auto seen = space_of(file_system(240));
  REQUIRE(seen);
  CHECK(seen->free_ratio == doctest::Approx(190.0 / (760 + 190)));
  CHECK(seen->free_bytes == 190 * 4096);
}

TEST_CASE("a_file_system_that_has_only_roots_reserve_left_has_nothing_free") {
  CHECK(space_of(file_system(50))->free_ratio == 0);
  CHECK(space_of(file_system(20))->free_ratio == 0);
  CHECK(space_of(file_system(1000))->free_ratio == 1);
}

TEST_CASE("inodes_are_measured_where_there_is_a_number_of_them") {
  struct statvfs told = file_system(500);
  CHECK_FALSE(space_of(told)->inodes_free_ratio);
  told.f_files = 100;
  told.f_ffree = 25;
  told.f_favail = 25;
  CHECK(space_of(told)->inodes_free_ratio == 0.25);
}

TEST_CASE("a_file_system_without_a_size_gives_no_space") {
  CHECK_FALSE(space_of({}));
}

TEST_CASE("a_path_that_is_not_there_or_has_no_size_is_named") {
  const auto gone = files::look_at_space("/nowhere/at all");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().why == reason::absent);
  CHECK(gone.error().says == "/nowhere/at all does not exist");
  const auto proc = files::look_at_space("/proc");
  REQUIRE_FALSE(proc);
  CHECK(proc.error().why == reason::no_prerequisite);
  CHECK(proc.error().says == "/proc is on a file system without a size");
}
