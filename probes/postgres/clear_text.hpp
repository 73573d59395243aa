#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flipback::postgres {

/// What a server says before it has let us in, looked at before libpq hears it: libpq sends the password in clear text to whoever asks for
/// that, and libpq 15 can't be told not to. (PostgreSQL's "Message Formats"; AuthenticationCleartextPassword is 'R', 8, 3.)
struct greeting {
  enum class kind : std::uint8_t {
    harmless,       ///< libpq may hear it
    asks_in_clear,  ///< it asks for the password as it stands
    incomplete,     ///< more is needed to tell: `needed` bytes
    odd,            ///< no server speaks so
  };
  kind is = kind::harmless;
  std::size_t needed = 0;
};
/// The least that a message which asks for a password has: its letter, its length, and which kind it is.
inline constexpr std::size_t shortest_request = 9;

greeting look_at(std::string_view bytes);

}  // namespace flipback::postgres
