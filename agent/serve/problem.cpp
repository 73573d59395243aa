#include "agent/serve/problem.hpp"

#include "flipback/one_line.hpp"

#include <boost/json.hpp>

#include <string_view>

namespace flipback::serve {

namespace {

std::string_view title_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

answer problem(unsigned status, const std::string& detail) {
  const boost::json::object page{{"status", status}, {"title", title_of(status)}, {"detail", one_line(detail)}};
  return {status, "application/problem+json", escaped_json(boost::json::serialize(page)) + "\n"};
}

}  // namespace flipback::serve
