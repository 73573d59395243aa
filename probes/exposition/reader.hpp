#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::exposition {

/// The two texts in which metrics are exposed: Prometheus' own (0.0.4), and OpenMetrics 1.0, which says where it ends.
enum class format : std::uint8_t { prometheus, openmetrics };

struct label {
  std::string_view name;
  std::string_view value;  ///< as it stands in the text: see `unescaped`
};

/// Text without its escapes: \\ \" \n; another one stands for itself, as Prometheus reads it.
std::string unescaped(std::string_view text);

/// A number as both formats write it: "0.25", "1e+06", "+Inf", "NaN".
std::optional<double> number_in(std::string_view text);

/// What a line says: one sample, or the type of a family of them. Views into the text, and into the reader until it goes on.
struct item {
  bool is_type = false;
  std::string_view name;
  std::string_view type;     ///< "counter"
  std::string_view written;  ///< of a sample: its name and labels as they stand in the text
  std::span<const label> labels;
  double value = 0;
  std::optional<double> time;  ///< its timestamp, where it has one, in seconds since 1970; any number
};

/// Why a text is none: where, counted from 1, in bytes, and what was found there.
struct malformed {
  std::size_t line = 0;
  std::size_t column = 0;
  std::string says;
};
std::string to_string(const malformed& m);  ///< "line 3, column 7: …"

/// How long a text may be; as it stands, one scrape's.
struct text_bounds {
  std::size_t bytes = 16 * 1024 * 1024;
  std::size_t samples = 200'000;
};

/// Reads an exposition from its begin to its end. Pure, and bounded: a text of at most so many bytes and samples, with `most_labels`
/// each; time grows with the text's size alone, memory with a line's. Exemplars are checked and passed over; native histograms have no
/// text. A metric's name may stand among the labels, as `__name__`.
class reader {
 public:
  static constexpr std::size_t most_labels = 64;

  reader(std::string_view text, format f, text_bounds most = {}) : text_(text), format_(f), most_(most) {}

  /// Goes on to the next item; false at the end. After an error it must not be asked again.
  std::expected<bool, malformed> next();
  [[nodiscard]] const item& current() const { return current_; }
  /// The current item's line, counted from 1.
  [[nodiscard]] std::size_t line() const { return lines_; }

 private:
  [[nodiscard]] const char* line_end() const { return line_.data() + line_.size(); }
  bool begin_line();
  bool comment();
  std::expected<void, malformed> sample();
  bool take_name();
  std::expected<void, malformed> labels(std::vector<label>& into, bool name_inside);
  std::expected<void, malformed> after_value();
  std::expected<std::string_view, malformed> quoted();
  std::expected<double, malformed> number(std::string_view what);
  std::string_view word();
  std::string_view identifier(bool colons);
  bool skip(char c);
  void skip_space();
  [[nodiscard]] malformed at(const char* where, std::string says) const;
  [[nodiscard]] malformed unexpected(std::string_view expected) const;

  std::string_view text_;
  format format_;
  text_bounds most_;
  std::string_view line_;  ///< the one being read, without its end
  const char* at_ = nullptr;
  std::size_t next_line_ = 0;  ///< where it begins
  std::size_t lines_ = 0;
  std::size_t samples_ = 0;
  bool terminated_ = true;  ///< whether the line has an end
  bool ended_ = false;      ///< `# EOF` was there
  item current_;
  std::vector<label> labels_;
  std::vector<label> exemplar_;
};

}  // namespace flipback::exposition
