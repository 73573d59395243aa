#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is asked over HTTP and what is answered, as plain data: the server alone knows the bytes.
namespace flipback::serve {

using headers = std::vector<std::pair<std::string, std::string>>;

/// A request, whole.
struct request {
  std::string method;  ///< "GET"
  std::string path;    ///< as it was written, without the query
  std::string query;   ///< what stands after the "?"
  serve::headers headers;
  std::string body;
  boost::asio::ip::address from;  ///< the peer's
  boost::asio::ip::address to;    ///< our own, which it reached

  /// The value of a header that stands there once, whatever the case of its name. Nothing: it is absent, or there are several.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
};

/// What is told for as long as somebody listens.
class feed {
 public:
  virtual ~feed() = default;
  /// The next bytes, waited for; empty: it is over.
  virtual boost::asio::awaitable<std::string> next() = 0;
  /// Whoever listened has gone: `next` gives nothing more.
  virtual void end() = 0;
};

struct answer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  serve::headers headers{};                ///< beside those that every answer has
  std::shared_ptr<feed> followed_by = {};  ///< what comes after the head instead of the body, until one side ends it; null: the body alone
};

}  // namespace flipback::serve
