#pragma once

#include "probes/findings.hpp"
#include "probes/net/api.hpp"

#include <cstdint>

namespace flipback::s3 {

enum class health : std::uint8_t {
  told,      ///< what was found is in the findings; S3 may be asked all the same
  no_minio,  ///< it does not say that it is one; nothing is in the findings
  silent     ///< no answer, or not ready: nothing else is worth asking
};

/// What MinIO tells of itself without credentials: live, ready, and whether the cluster has its quorum. `surely`: it is a MinIO even where
/// its answers don't say so (a proxy before it may hide that).
asio::awaitable<health> ask_health(net::api_session& session, bool surely, findings& into);

}  // namespace flipback::s3
