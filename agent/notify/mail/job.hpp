#pragma once

#include "flipback/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the agent tells flipback-mail, and what that tells it.
namespace flipback::notify::mail {

/// One mail, and how it is handed over.
struct job {
  std::string server;  ///< "smtp.example.com:587"
  std::string name;    ///< what its certificate must name
  bool tls = false;    ///< from the first byte on
  bool starttls = false;
  bool verify = true;
  std::string ca_file, client_certificate, client_key;  ///< empty: as the machine has it; none
  bool newest_only = false;                             ///< nothing older than TLS 1.3
  std::string user;
  secret password;
  std::string from;             ///< an address
  std::vector<std::string> to;  ///< addresses
  std::string message;          ///< with its headers
  unsigned seconds = 0;         ///< for all of it
};
std::string job_text(const job& what);
/// Nothing: it is none.
std::optional<job> job_in(std::string_view text);

/// flipback-mail's exit status, from sysexits.h. On standard output it says in one line what came of it.
enum class ending : int {
  delivered = 0,
  refused = 65,
  in_part = 68,  ///< some of the receivers were refused
  not_yet = 75
};

}  // namespace flipback::notify::mail
