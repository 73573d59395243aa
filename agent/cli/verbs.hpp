#pragma once

#include "agent/config/configuration.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace flipback::cli {

/// The verbs that talk to the running agent: `status`, `rules`, `explain`, `rollback`, `hold`, … (packaging/docs/verbs.md: "Verbs").
class verbs {
 public:
  /// Adds them to the command line. `configuration` is the file that --config names, once it is parsed.
  verbs(CLI::App& to, const std::string& configuration);

  [[nodiscard]] bool asked() const { return !verb_.empty(); }
  /// Whether an agent's socket was named though nothing is asked of it.
  [[nodiscard]] bool names_a_socket_for_nothing() const { return verb_.empty() && !socket_.empty(); }
  /// Asks the agent and prints its answer. 0 where it did what was asked, 1 where not, 2 where what was typed can't be meant, the agent
  /// could not be asked, or gave no answer. `healthy` gives 1 for the last two.
  [[nodiscard]] int run() const;

 private:
  [[nodiscard]] std::optional<config::agent> configured() const;
  [[nodiscard]] std::string socket() const;
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::string typed() const;
  [[nodiscard]] int ask_whether_healthy() const;
  [[nodiscard]] int watch_status() const;

  const std::string& configuration_;
  std::string verb_;
  std::string socket_;
  std::string rule_;
  std::string incident_;
  std::string target_;
  std::string until_;
  std::optional<std::string> reason_;  ///< one that is empty is another thing than none
  std::string stable_;
  std::string slot_;
  std::string length_;
  bool yes_ = false;
  bool force_ = false;
  bool json_ = false;
  bool markdown_ = false;
  bool svg_ = false;
};

}  // namespace flipback::cli
