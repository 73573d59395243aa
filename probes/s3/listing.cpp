#include "probes/s3/listing.hpp"

#include "probes/net/url.hpp"
#include "probes/s3/xml.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>

namespace flipback::s3 {

namespace {

/// A time in UTC as strptime reads it, and what follows it in the text.
std::optional<std::pair<wall_time, std::string>> parse_time(std::string_view text, const char* format) {
  std::tm read{};
  const std::string whole(text);
  const char* rest = strptime(whole.c_str(), format, &read);
  const bool representable = read.tm_year >= 70 && read.tm_year < 300;  // 1970 to 2199: a wall_time counts nanoseconds
  if (rest == nullptr || !representable) return std::nullopt;
  return std::pair(std::chrono::system_clock::from_time_t(timegm(&read)), std::string(rest));
}

/// encoding-type=url writes a space as +.
std::optional<std::string> decoded_key(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return net::percent_decoded(spaced);
}

}  // namespace

std::optional<wall_time> parse_iso_time(std::string_view text) {
  const auto read = parse_time(text, "%Y-%m-%dT%H:%M:%S");
  if (!read || !read->second.ends_with('Z')) return std::nullopt;
  const std::string_view fraction = std::string_view(read->second).substr(0, read->second.size() - 1);
  if (fraction.empty()) return read->first;
  double seconds = 0;
  const auto [end, error] = std::from_chars(fraction.data(), fraction.data() + fraction.size(), seconds, std::chars_format::fixed);
  if (!fraction.starts_with('.') || error != std::errc{} || end != fraction.data() + fraction.size()) return std::nullopt;
  return read->first + std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

std::optional<wall_time> parse_http_date(std::string_view text) {
  const auto read = parse_time(text, "%a, %d %b %Y %H:%M:%S GMT");
  if (!read || !read->second.empty()) return std::nullopt;
  return read->first;
}

net::result<listing> parse_listing(std::string_view body) {
  const auto root = parse_xml(body);
  if (!root) return std::unexpected(root.error());
  if (root->name != "ListBucketResult")
    return std::unexpected(net::failure{reason::bad_answer, "the body is XML, but no ListBucketResult: it is no S3"});
  listing made;
  for (const element& one : root->children) {
    if (one.name != "Contents") continue;
    const auto key = decoded_key(one.text_of("Key"));
    const auto modified = parse_iso_time(one.text_of("LastModified"));
    const std::string_view size = one.text_of("Size");
    object read;
    std::from_chars(size.data(), size.data() + size.size(), read.size);
    if (!key || key->empty() || !modified) continue;
    read.key = *key;
    read.modified = *modified;
    made.objects.push_back(std::move(read));
  }
  if (root->text_of("IsTruncated") == "true") made.next = root->text_of("NextContinuationToken");
  return made;
}

}  // namespace flipback::s3
