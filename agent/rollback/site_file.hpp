#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

namespace flipback::rollback {

/// A site file of nginx as it stands on disk: a regular file, or a link.
struct site_file {
  std::string path;
  bool exists = false;
  std::string link;      ///< where the link points, as written; empty: a regular file
  std::string resolved;  ///< the real file behind it
  std::string bytes;     ///< of the real file
  mode_t mode = 0644;
  uid_t owner = 0;
  gid_t group = 0;

  /// Byte for byte the same, and linked the same way.
  [[nodiscard]] bool same_as(const site_file& other) const { return exists == other.exists && link == other.link && bytes == other.bytes; }
};

/// Reads it; an error is one sentence. A file that does not exist, or a link that leads nowhere, is no error.
std::expected<site_file, std::string> read_site(const std::string& path);

/// Makes `live` say what `slot` says: beside it in a dotfile, which nginx's include patterns pass over, fsync, rename, fsync of the folder.
/// A crash leaves the old file or the new one, whole. Owner and mode of the live file are kept. A link to one of the slots' own files is
/// replaced by a link to the other's; a link to any other file has that file replaced; a slot's file is never rewritten.
std::expected<void, std::string> install(const site_file& live, const site_file& slot, bool links_to_a_slot);

/// Puts back what `read_site` found before.
std::expected<void, std::string> restore(const site_file& before);

/// Takes away what an attempt that was cut off left beside the live file.
void sweep(const std::string& live_path);

}  // namespace flipback::rollback
