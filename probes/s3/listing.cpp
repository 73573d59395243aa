#include "probes/s3/listing.hpp"

#include "flipback/percent.hpp"
#include "flipback/timestamp.hpp"

#include "probes/net/url.hpp"
#include "probes/s3/xml.hpp"

#include <algorithm>
#include <charconv>

namespace flipback::s3 {

namespace {

/// encoding-type=url writes a space as +.
std::optional<std::string> decoded_key(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decoded(spaced);
}

}  // namespace

net::result<listing> parse_listing(std::string_view body) {
  const auto root = parse_xml(body);
  if (!root) return std::unexpected(root.error());
  if (root->name != "ListBucketResult")
    return std::unexpected(net::failure{reason::bad_answer, "the body is XML, but no ListBucketResult: it is no S3"});
  listing made;
  for (const element& one : root->children) {
    if (one.name != "Contents") continue;
    const auto key = decoded_key(one.text_of("Key"));
    const auto modified = parse_timestamp(one.text_of("LastModified"));
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
