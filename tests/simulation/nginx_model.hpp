#pragma once

#include "agent/deployment/sighting.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/disk_model.hpp"
#include "tests/simulation/slots_model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flipback::simulation {

/// What one live file makes nginx do.
struct server_says {
  std::optional<slot_number> first;
  std::optional<slot_number> backup;
  std::optional<slot_number> second;  ///< takes a fifth of the requests
};

/// nginx: a master, workers by generation, and the files that it reads when it is told to.
class nginx_model {
 public:
  struct generation {
    std::uint64_t number = 0;
    std::vector<server_says> servers;
    duration born{};
    duration accepts_until{};  ///< of one that was told to leave
    bool leaving = false;
  };

  nginx_model(const setup& how, agenda& time, dice& chance, disk_model& disk, slots_model& slots);

  // How the switch is written, and what it says.
  [[nodiscard]] std::string live_path(std::size_t file) const;
  [[nodiscard]] file_image image_for(slot_number n, std::size_t file) const;
  /// The slot that one of the live files names; nothing: it says something else.
  [[nodiscard]] std::optional<slot_number> named_by(std::size_t file) const;
  [[nodiscard]] deployment::intent intent() const;
  /// What leads to `to` from what stands there now; nothing where it can't be written.
  [[nodiscard]] std::optional<std::vector<rollback::change>> changes_to(slot_number to) const;

  // What nginx does.
  bool broken_elsewhere = false;  ///< somebody has broken another of nginx's files
  bool lingers = false;           ///< old workers go on accepting for a while after a reload
  [[nodiscard]] bool takes_its_files() const;
  void reload();
  void start();
  void stop() { generations_.clear(); }
  [[nodiscard]] bool runs() const { return !generations_.empty(); }

  // What is seen of it.
  [[nodiscard]] std::vector<const generation*> accepting() const;
  [[nodiscard]] std::size_t complaints() const { return complaints_; }
  [[nodiscard]] bool only_workers_since(duration change) const;
  /// The share of new connections that each slot gets.
  [[nodiscard]] std::vector<double> users() const;
  /// The slot that gets all of them; nothing: there are several.
  [[nodiscard]] std::optional<slot_number> reached() const;
  /// To which slot a question to the front door is passed, and by workers of which generation; nothing: nginx refuses it.
  struct passed {
    slot_number slot = 0;
    std::uint64_t generation = 0;
  };
  [[nodiscard]] std::optional<passed> pass_question();
  /// The answer of the front door to a question, with or without a query that no cache has seen.
  deployment::reply ask_door(bool fresh, std::optional<passed>& went);
  /// The slot that every worker that accepts passes users to, whatever is weighed or stands behind it; nothing: there are several.
  [[nodiscard]] std::optional<slot_number> leads_to() const;
  [[nodiscard]] duration last_reload() const { return last_reload_; }

 private:
  [[nodiscard]] server_says understood(const std::string& path) const;
  [[nodiscard]] slot_number stands_in(const server_says& s, dice& chance) const;

  const setup& how_;
  agenda& time_;
  dice& chance_;
  disk_model& disk_;
  slots_model& slots_;
  std::vector<generation> generations_;
  std::uint64_t next_ = 1;
  std::size_t complaints_ = 0;
  duration last_reload_{};
  struct {
    std::optional<deployment::reply> reply;
    duration at{};
  } cached_;
};

}  // namespace flipback::simulation
