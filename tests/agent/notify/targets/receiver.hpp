#pragma once

#include "agent/notify/target.hpp"

#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// An HTTP server in the place of the services that letters go to: it answers as a test tells it, and remembers what it was asked.
namespace flipback::notify {

struct asked {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;
  [[nodiscard]] std::string header(std::string_view name) const;  ///< "" where there is none
  [[nodiscard]] boost::json::value json() const;
};

struct reply {
  unsigned status = 200;
  std::string body = "{}";
  std::string headers;  ///< more of them, each with its line end
};

class receiver {
 public:
  /// Answers each request with the next of these; once there are none it hangs up.
  explicit receiver(std::vector<reply> replies);
  ~receiver();

  [[nodiscard]] std::string address() const;  ///< "127.0.0.1:41234"
  [[nodiscard]] std::string url() const { return "http://" + address(); }
  /// Delivers a letter to a target of this kind, made of a table of these keys, in which `{url}` is this server's.
  attempt deliver(std::string_view type, std::string keys, const letter& what, const std::string& kept = "");
  [[nodiscard]] const std::vector<asked>& requests() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Does something with a target of this kind that a table of these keys makes. What is wrong with the keys fails the test.
void with_target(std::string_view type, const std::string& keys, void (*look)(const target&));
/// What is wrong with a table of these keys, as "line:column: sentence".
std::vector<std::string> problems(std::string_view type, const std::string& keys);

}  // namespace flipback::notify
