#pragma once

#include "agent/notify/outbox.hpp"

#include <expected>
#include <string>
#include <vector>

/// The outbox on disk: "flipback.outbox.db" beside the state. All of this blocks.
namespace flipback::notify {

/// What an earlier life left: the rows in the order in which they were first written, and what the desk kept ("" where it kept nothing).
struct outbox_on_disk {
  std::vector<outbox::row> rows;
  std::string desk;
};
std::expected<outbox_on_disk, std::string> read_outbox(const std::string& file);

/// Changes both in one transaction. What it gives is what had to be put aside, or ""; an error is one sentence, and nothing was written.
std::expected<std::string, std::string> write_outbox(const std::string& file, const std::vector<outbox::row>& rows,
                                                     const std::string& desk);

}  // namespace flipback::notify
