#pragma once

#include "agent/rollback/change.hpp"

#include <string>

/// The one step in which a path comes to say something else.
namespace flipback::rollback {

/// How: an exchange shows afterwards what it replaced; a plain rename is for file systems that know no exchange (NFS).
enum class step_kind : std::uint8_t { exchange, rename };

/// Whether what stands at the path says the same as the image; what can't be read does not.
bool says(const std::string& path, const file_image& image);

/// Lets `source`, a finished file or link beside the path, stand at the path, where `other` stands now; what stood there is then at `kept`.
/// Foreign where something else stood there: that stands there again. What is left over at `source` is the caller's to unlink.
put_result replace(const std::string& path, const std::string& source, const std::string& kept, const file_image& other, step_kind how);

/// The same for a path at which nothing stands.
put_result appear(const std::string& path, const std::string& source);

/// The same for a path at which nothing is to stand; what stood there is then at `kept`.
put_result vanish(const std::string& path, const std::string& kept, const file_image& other);

}  // namespace flipback::rollback
