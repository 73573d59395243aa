#pragma once

#include "flipback/probe.hpp"

#include "probes/files/space.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::files {

struct disk_terms {
  std::vector<std::string> paths;
  std::optional<double> min_free;  ///< ratio
};

/// `look` runs on a thread, and may block for ever.
std::unique_ptr<probe> make_disk_probe(const asio::any_io_executor& executor, disk_terms terms,
                                       std::function<net::result<space>(const std::string& path)> look);

}  // namespace flipback::files
