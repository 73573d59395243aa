#pragma once

#include "probes/findings.hpp"
#include "probes/s3/session.hpp"

namespace flipback::s3 {

/// Writes a small object of its own, reads it, compares, and deletes it, however the comparison ends. What a run that was cut off left
/// behind has the prefix `flipback-probe-`; a later run deletes what is older than ten minutes. Needs s3:PutObject, s3:GetObject,
/// s3:DeleteObject, and s3:ListBucket for what was left behind.
asio::awaitable<void> round_trip(std::string bucket, std::string prefix, session& asks, findings& into);

}  // namespace flipback::s3
