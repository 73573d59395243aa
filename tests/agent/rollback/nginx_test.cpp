#include "agent/rollback/nginx.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <filesystem>

using namespace flipback;

// A worker that ends between the opening and the reading of its file in /proc makes the read fail; a folder's read fails likewise. Both
// once threw out of the watch and ended it.
TEST_CASE("a_file_whose_reading_fails_means_that_workers_can_not_be_seen") {
  boost::asio::io_context loop;
  config::nginx settings;
  settings.pid = std::filesystem::temp_directory_path().string();
  const rollback::nginx watched(settings, loop.get_executor());
  CHECK_FALSE(watched.see_workers().has_value());
}
