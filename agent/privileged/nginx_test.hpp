#pragma once

#include "agent/rollback/nginx.hpp"

namespace flipback::privileged {

/// What `nginx -t` comes to. It is killed at [nginx] command_timeout, and of what it prints at most 64 KiB are kept.
rollback::done test_of(const config::nginx& settings);

}  // namespace flipback::privileged
