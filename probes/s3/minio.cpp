#include "probes/s3/minio.hpp"

#include <fmt/format.h>

#include <charconv>

namespace flipback::s3 {

namespace {

std::string_view header_of(const net::http_answer& answer, std::string_view name) {
  const std::string* found = answer.header(name);
  return found == nullptr ? std::string_view() : *found;
}

// MinIO's cmd/healthcheck-handler.go: live and ready answer 200 even while it is not initialised, and say so only in this header; neither
// looks at the quorum. Bodies are empty.
std::string_view status_of(const net::http_answer& answer) {
  return header_of(answer, "x-minio-server-status");
}

asio::awaitable<health> ask_cluster(net::api_session& session, findings& into) {
  const auto answer = co_await session.get("/minio/health/cluster");
  if (!answer) {
    into.unwell(answer.error());
    co_return health::silent;
  }
  const std::string quorum = session.quoted(header_of(*answer, "x-minio-write-quorum"));
  if (answer->status == 200) {
    const std::string_view healing = header_of(*answer, "x-minio-healing-drives");  // absent where none is
    double drives = 0;
    std::from_chars(healing.data(), healing.data() + healing.size(), drives);
    into.measure("drives_healing", drives);
    into.well(quorum.empty() ? std::string("MinIO, ready") : fmt::format("MinIO, ready, write quorum {}", quorum));
    co_return health::told;
  }
  if (answer->status == 503 && !status_of(*answer).empty()) {
    into.unwell(reason::starting, fmt::format("the cluster is not initialised: {}", session.quoted(status_of(*answer))));
    co_return health::silent;
  }
  if (answer->status != 503) {
    into.unwell(net::unexpected(*answer, "GET /minio/health/cluster"));
    co_return health::told;
  }
  const auto read = co_await session.get("/minio/health/cluster/read");
  const bool can_read = read && read->status == 200;
  into.unwell(reason::expectation,
              fmt::format("the cluster has lost its write quorum{}: it can{} be read",
                          quorum.empty() ? "" : fmt::format(" (of {} drives)", quorum), can_read ? " still" : "'t even"));
  co_return health::told;
}

}  // namespace

asio::awaitable<health> ask_health(net::api_session& session, bool surely, findings& into) {
  for (const char* path : {"/minio/health/live", "/minio/health/ready"}) {
    const auto answer = co_await session.get(path);
    if (!answer) {
      into.unwell(answer.error());
      co_return health::silent;
    }
    if (!surely && !header_of(*answer, "Server").starts_with("MinIO")) co_return health::no_minio;
    surely = true;
    const std::string asked = fmt::format("GET {}", path);
    if (answer->status != 200) {
      into.unwell(net::unexpected(*answer, asked));
      co_return health::silent;
    }
    if (!status_of(*answer).empty()) {
      into.unwell(reason::starting,
                  fmt::format("{} answered 200, but x-minio-server-status: {}", asked, session.quoted(status_of(*answer))));
      co_return health::silent;
    }
  }
  co_return co_await ask_cluster(session, into);
}

}  // namespace flipback::s3
