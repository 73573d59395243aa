#include "probes/net/http_exchange.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ranges>

namespace flipback::net {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t head_limit = 64 * 1024;
constexpr std::size_t read_at_once = 4 * 1024;  ///< bytes, some 0.25 ms of reading JSON: other probes take their turns between
constexpr std::size_t read_at_the_end = 16 * 1024;  ///< up to here a body is read as JSON when somebody asks, beyond it as it comes
constexpr int most_informational = 16;  ///< answers (1xx) before the real one

instant now() {
  return std::chrono::steady_clock::now();
}

bool names_agent(const std::pair<std::string, std::string>& header) {
  return beast::iequals(header.first, "User-Agent");
}

std::string written(const http_request& ask, bool keep_alive) {
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: flipback/" FLIPBACK_VERSION, ask.method, ask.to.target, host_of(ask));
  for (const auto& header : ask.headers | std::views::filter(names_agent)) text += " " + header.second;
  fmt::format_to(std::back_inserter(text), "\r\nConnection: {}\r\n", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : ask.headers | std::views::filter(std::not_fn(names_agent)))
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  if (!ask.body.empty() || ask.method == "POST" || ask.method == "PUT") {
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", ask.body.size());
  }
  text += "\r\n";
  text += ask.body;
  return text;
}

using answer_parser = http::response_parser<http::string_body>;

failure bad_answer(const beast::error_code& error, std::size_t limit) {
  if (error == http::error::body_limit)
    return {reason::too_large, fmt::format("the answer is longer than {}", format_size(static_cast<double>(limit)))};
  if (error == http::error::header_limit) return {reason::too_large, "the answer's head is longer than 64KiB"};
  if (error == http::error::end_of_stream) return {reason::closed, "the server hung up without an answer"};
  if (error == http::error::partial_message) return {reason::closed, "the server hung up in the middle of its answer"};
  return {reason::bad_answer, fmt::format("the answer is not well-formed HTTP: {}", error.message())};
}

/// The space after the status is missing in the answers of some servers that give no reason (RFC 9112, 4: it is to be there); Beast's
/// parser wants it.
void complete_status_line(beast::flat_buffer& buffer) {
  constexpr std::size_t size = std::string_view("HTTP/1.1 200").size();
  const std::string_view head(static_cast<const char*>(buffer.data().data()), buffer.size());
  if (!head.starts_with("HTTP/1.") || head.size() <= size || head[size] != '\r') return;
  const std::string rest(head.substr(size));
  buffer.commit(buffer.prepare(1).size());
  char* const at = static_cast<char*>(buffer.data().data()) + size;
  *at = ' ';
  std::ranges::copy(rest, at + 1);
}

/// Reads one answer out of the bytes that come. What Beast bounds is the head, and the body once it is decoded; what a sender may put
/// around the parts of a body (extensions of chunks, trailers) is bounded here.
class answer_reader {
 public:
  explicit answer_reader(const http_request& ask) : limit_(ask.answer_limit) {
    parser_.eager(true);
    parser_.skip(ask.method == "HEAD");
    parser_.body_limit(ask.answer_limit);
    parser_.header_limit(head_limit);
  }

  /// Takes what has been read, as far as it goes. True when the answer is whole.
  result<bool> take(beast::flat_buffer& buffer) {
    if (!parser_.is_header_done()) complete_status_line(buffer);
    while (buffer.size() > 0 && !parser_.is_done()) {
      beast::error_code error;
      const std::size_t used = parser_.put(buffer.data(), error);
      taken_ += used;
      buffer.consume(used);
      if (error == http::error::need_more) break;
      if (error) return std::unexpected(bad_answer(error, limit_));
      if (used == 0) break;
    }
    if (may_be_long_json()) json_.take(parser_.get().body());
    if (!parser_.is_done() && (buffer.size() > head_limit || taken_ > limit_ + 2 * head_limit))
      return std::unexpected(failure{reason::too_large, "what stands around the answer's body is longer than 64KiB"});
    return parser_.is_done();
  }

  answer_parser& parser() { return parser_; }

  /// The answer, once it is whole.
  http_answer taken() {
    http_answer answer;
    const bool read_in_parts = may_be_long_json();
    auto message = parser_.release();
    answer.status = message.result_int();
    for (const auto& field : message) answer.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    answer.body = std::move(message.body());
    if (read_in_parts) answer.read_in_parts = json_.whole(answer.body);
    return answer;
  }

 private:
  [[nodiscard]] bool may_be_long_json() {
    const std::string_view body = parser_.get().body();
    if (body.size() <= read_at_the_end) return false;
    const std::size_t first = body.substr(0, read_at_the_end).find_first_not_of("\xef\xbb\xbf \t\r\n");
    return first == std::string_view::npos || body[first] == '{' || body[first] == '[';
  }

  std::size_t limit_;
  answer_parser parser_;
  json_in_parts json_;
  std::size_t taken_ = 0;  ///< bytes as they came
};

}  // namespace

asio::awaitable<result<exchanged>> exchange_on(stream& on, const http_request& ask, bool keep_alive, run& r, bool& answering) {
  r.now = phase::asking;
  const std::string request = written(ask, keep_alive);
  const auto sent = co_await on.write(asio::buffer(request));
  if (!sent) co_return std::unexpected(sent.error());
  const instant asked = now();
  instant head{};
  beast::flat_buffer buffer;
  exchanged done;
  for (int before_it = 0;; ++before_it) {
    if (before_it > most_informational) co_return std::unexpected(failure{reason::bad_answer, "informational answers (1xx) do not end"});
    answer_reader reader(ask);
    answer_parser& parser = reader.parser();
    for (;;) {
      const auto whole = reader.take(buffer);
      if (!whole) co_return std::unexpected(whole.error());
      if (parser.is_header_done() && head == instant{}) head = now();
      if (*whole) break;
      const auto size = co_await on.read_some(buffer.prepare(read_at_once));
      if (!size) co_return std::unexpected(size.error());
      r.now = phase::reading;
      if (*size == 0) {
        beast::error_code error;
        if (!parser.got_some())
          error = http::error::end_of_stream;
        else
          parser.put_eof(error);
        if (error) co_return std::unexpected(bad_answer(error, ask.answer_limit));
        break;
      }
      answering = true;
      buffer.commit(*size);
    }
    const unsigned status = parser.get().result_int();
    if (status >= 100 && status < 200 && status != 101) {
      head = {};
      continue;
    }
    done.reusable = parser.keep_alive() && buffer.size() == 0 && status != 101;
    done.answer = reader.taken();
    break;
  }
  done.answer.times.first_byte = head - asked;
  done.answer.times.transfer = now() - head;
  done.answer.certificate_days = on.certificate_days();
  done.answer.certificate_demanded = on.certificate_demanded();
  co_return done;
}

}  // namespace flipback::net
