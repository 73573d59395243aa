#pragma once

#include "agent/deployment/slots.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What one look at the world found: plain data, taken at one time. What follows from it is the tracker's to say.
namespace flipback::deployment {

/// The slot that the switch names: what whoever operates this host last asked for.
struct intent {
  enum class kind : std::uint8_t {
    unreadable,  ///< nobody knows: the file can't be read, the command failed
    neither,     ///< it was read, and names no slot: a person is changing it, or it is a third thing
    names        ///< it names `slot`
  };
  kind is = kind::unreadable;
  slot_number slot = 0;
  std::string says;                  ///< for people, where it names no slot: which file says what
  std::optional<wall_time> changed;  ///< when the switch was last changed, where that can be told
  std::string nearest{};  ///< for people, where it was read and is no slot's: whose it is nearest to, where it differs, what to type

  [[nodiscard]] std::optional<slot_number> named() const { return is == kind::names ? std::optional(slot) : std::nullopt; }
};

/// What the front door, or a slot asked directly, answered.
struct reply {
  enum class kind : std::uint8_t {
    silent,     ///< no answer: refused, timed out, no HTTP
    failing,    ///< an answer, but none that a well release gives: 5xx
    anonymous,  ///< an answer that says nothing of itself
    identified  ///< an answer that says which release, or slot, it is
  };
  kind is = kind::silent;
  unsigned status = 0;
  std::string identity;  ///< what tells slots apart, where identified
  std::string release;   ///< what tells releases apart, where identified; the same as `identity` unless configured otherwise
  std::string says;      ///< for people
  std::string lacks{};   ///< for people: what it should say of itself and does not, and what it has instead; empty: nothing
};

/// A slot, asked directly.
struct slot_reply {
  bool well = false;  ///< its health is as expected
  reply self;
  std::string says;        ///< of its health, for people
  bool not_asked = false;  ///< it could not be, by our own doing (descriptors, resolver): nothing is known of it
};

/// Which slots nginx's access log says that requests went to since the look before. Lines that name no slot are not counted.
struct log_sighting {
  bool readable = false;                    ///< a log that names upstreams was read
  std::vector<std::uint64_t> answered;      ///< by slot: requests of anyone, begun after the look before, whose last attempt it was
  std::optional<slot_number> our_question;  ///< the slot to which nginx passed the question that this look sent; nothing: no line of it yet
  std::string says;                         ///< for people, where it can't be read
};

/// nginx's workers, as far as they can be seen from here.
struct workers_sighting {
  bool visible = false;
  bool all_since_change = false;  ///< every worker that accepts was started after the switch was last changed
};

struct sighting {
  moment at;     ///< when it was whole
  moment begun;  ///< when the first question was sent
  intent names;
  reply front_door;
  bool fresh = false;             ///< the question to the front door could not be answered by a cache that knows only its address
  std::vector<slot_reply> slots;  ///< in the configuration's order
  log_sighting log;
  workers_sighting workers;
  bool configuration_changed = false;  ///< a file that nginx is configured by is another than when it was looked whether all is ready
};

}  // namespace flipback::deployment
