#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::access_log {

/// What a log line may say, under a key that the configuration names. The defaults are the recommended format's.
enum class field : std::uint8_t {
  time,             ///< $msec, $time_iso8601 or $time_local
  status,           ///< $status
  host,             ///< $host
  method,           ///< $request_method
  path,             ///< $request_uri, as the client sent it; of $request the same; with $uri what nginx made of it
  agent,            ///< $http_user_agent
  client,           ///< $remote_addr
  request_time,     ///< $request_time, seconds
  upstream,         ///< $upstream_addr: every attempt
  upstream_status,  ///< $upstream_status
  header_time,      ///< $upstream_header_time, seconds
  response_time,    ///< $upstream_response_time, seconds
  pid               ///< $pid
};
inline constexpr std::size_t field_count = 13;
std::string_view name_of(field f);

/// The keys under which a log has its fields; an empty one: the log has no such field.
using field_keys = std::array<std::string, field_count>;
field_keys recommended_keys();

/// A line's values as they stand in it: views into the line, JSON escapes left as they are. Where nginx had no value (it writes "-" or
/// nothing: a 502 has no time to a header) the view is empty; where the line has no such field it is none at all.
struct line {
  std::array<std::string_view, field_count> values;

  [[nodiscard]] std::string_view text(field f) const { return values[static_cast<std::size_t>(f)]; }
  /// Whether the line has the field, with a value or without.
  [[nodiscard]] bool has(field f) const { return text(f).data() != nullptr; }
  [[nodiscard]] std::optional<double> number(field f) const;
  [[nodiscard]] std::optional<double> time() const;  ///< seconds since 1970

  /// Method and, if wanted, path of a request line, "GET /a?b HTTP/1.1"; nothing of one that is none.
  void take_request(std::string_view text, bool with_path);
};
std::string_view without_query(std::string_view address);

/// Reads lines of nginx's JSON formats (escape=json). Keys come in any order, unknown ones are passed over, with all that is inside them.
/// A value may stand without quotes though it is no JSON then: a list of attempts, or nothing at all.
class line_reader {
 public:
  explicit line_reader(field_keys keys) : keys_(std::move(keys)) {}

  /// False where the line is no such object: cut short, garbage, another format.
  bool read(std::string_view text, line& into);

 private:
  void assign(std::string_view key, std::string_view value, line& into);

  field_keys keys_;
  std::size_t next_ = 0;  ///< where the key was in the line before: a format repeats its order
};

}  // namespace flipback::access_log
