#pragma once

#include "agent/deployment/slots.hpp"
#include "agent/notify/manners.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flipback::notify {

using deployment::moment;

/// How soon people are to hear of something.
enum class urgency : std::uint8_t {
  at_once,  ///< a moment later: what follows from it belongs to the same letter
  in_time   ///< with what else happens until the half minute after the letter before is over
};

/// When people are told of something that lasts, and up to which level. Pure.
class matter {
 public:
  static constexpr duration settles_in = std::chrono::seconds(1);
  static constexpr duration in_time_every = std::chrono::seconds(30);

  /// `escalates`: it is bad enough that somebody has to acknowledge it.
  matter(std::string id, const moment& began, bool escalates) : id_(std::move(id)), began_(began), escalates_(escalates) {}

  void hear(urgency how, instant now);
  void wait_until(instant at) { write_at_ = at; }
  /// It has become so bad that somebody has to acknowledge it, whoever acknowledged what it was before.
  void escalate_anew(instant now);
  void acknowledge(const std::string& by, instant now);
  /// It is over: the next letter is the last one.
  void end(instant now);
  void go_on() { over_ = false; }

  /// Whether a letter is to be written now. It then counts as written, and the level may have risen.
  bool is_due(const manners& by, instant now);
  /// When that is to be asked next; nothing: once something happens.
  [[nodiscard]] std::optional<instant> next(const manners& by) const;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const moment& began() const { return began_; }
  [[nodiscard]] unsigned told() const { return told_; }  ///< letters that were written
  [[nodiscard]] bool is_over() const { return over_; }
  [[nodiscard]] unsigned level() const { return level_; }
  [[nodiscard]] bool reminds() const { return reminds_; }  ///< the letter that is due says nothing new
  [[nodiscard]] const std::string& acknowledged() const { return acknowledged_; }

  [[nodiscard]] boost::json::object kept(const moment& now) const;
  /// Nothing: it is none.
  static std::optional<matter> restored(const boost::json::object& from, const moment& now);

 private:
  [[nodiscard]] std::optional<instant> raises_at(const manners& by) const;
  [[nodiscard]] std::optional<instant> reminds_at(const manners& by) const;

  std::string id_;
  moment began_;
  bool escalates_;
  bool over_ = false;
  std::optional<instant> write_at_;  ///< something happened: the next letter
  unsigned told_ = 0;
  instant written_{};  ///< the newest letter
  unsigned level_ = 1;
  instant raised_{};  ///< to that level
  bool reminds_ = false;
  std::string acknowledged_;
};

}  // namespace flipback::notify
