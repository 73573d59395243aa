#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"
#include "probes/s3/minio.hpp"
#include "probes/s3/newest.hpp"
#include "probes/s3/round_trip.hpp"
#include "probes/s3/session.hpp"
#include "probes/s3/xml.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

struct terms {
  net::api_access access;  ///< without a header that says who we are: each request is signed
  s3::credentials as;
  std::optional<bool> minio;  ///< absent: where its answers say so
  std::vector<std::string> buckets;
  std::vector<s3::series_of_objects> newest;
  std::string round_trip_bucket;  ///< empty: nothing is written
  std::string round_trip_prefix;
  [[nodiscard]] bool has_credentials() const { return !as.access_key.empty(); }
};

class s3_probe final : public probe {
 public:
  s3_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session asks(through_, terms_.access, r);
    co_await look(asks, r, found);
    if (const auto left = asks.certificate_left()) found.measure("certificate_left", *left);
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(net::api_session& asks, const run& r, findings& found) const {
    if (terms_.minio.value_or(true)) {
      const s3::health told = co_await s3::ask_health(asks, terms_.minio.value_or(false), found);
      if (told == s3::health::silent) co_return;
      if (told == s3::health::no_minio && !terms_.has_credentials())
        co_return found.unwell(reason::bad_answer,
                               "its answer does not say that it is a MinIO, and without credentials nothing else can be asked");
    }
    if (!terms_.has_credentials()) co_return;
    s3::session signed_in(asks, terms_.access, terms_.as);
    co_await look_signed_in(signed_in, r, found);
    if (const std::string& region = signed_in.region_asked_for(); !region.empty())
      found.note(fmt::format("the server asks for the region {}, not {}", region, terms_.as.region));
  }

  asio::awaitable<void> look_signed_in(s3::session& signed_in, const run& r, findings& found) const {
    const instant until = r.deadline - (r.deadline - r.started) / 5;
    if (terms_.buckets.empty() && terms_.newest.empty() && terms_.round_trip_bucket.empty())
      co_await count_buckets(signed_in, found);
    else
      co_await look_at_buckets(signed_in, found);
    for (const s3::series_of_objects& one : terms_.newest) {
      if (signed_in.goes_on()) co_await s3::look_at_newest(one, signed_in, until, found);
    }
    if (!terms_.round_trip_bucket.empty() && signed_in.goes_on())
      co_await s3::round_trip(terms_.round_trip_bucket, terms_.round_trip_prefix, signed_in, found);
  }

  /// Whichever the credentials may see.
  static asio::awaitable<void> count_buckets(s3::session& asks, findings& found) {
    const auto answer = co_await asks.expect(200, "GET", "/");
    if (!answer) co_return found.unwell(answer.error());
    const auto root = s3::parse_xml(answer->body);
    if (!root) co_return found.unwell(root.error().why, fmt::format("GET /: {}", root.error().says));
    if (root->name != "ListAllMyBucketsResult")
      co_return found.unwell(reason::bad_answer, "GET / answered XML, but no ListAllMyBucketsResult: it is no S3");
    const s3::element* all = root->child("Buckets");
    const std::size_t count = all == nullptr ? 0 : all->children.size();
    found.measure("buckets", static_cast<double>(count));
    found.well(fmt::format("{} buckets", count));
  }

  /// A bucket is asked for its objects, not for its head: any web server answers HEAD with 200, and an error has no words there.
  asio::awaitable<void> look_at_buckets(s3::session& asks, findings& found) const {
    double there = 0;
    for (const std::string& bucket : terms_.buckets) {
      if (!asks.goes_on()) co_return;
      const auto listed = co_await asks.list(bucket, {}, {}, 1);
      if (listed)
        ++there;
      else
        found.unwell(listed.error());
    }
    if (terms_.buckets.empty()) co_return;
    found.measure("buckets", there);
    found.well(fmt::format("{} bucket{}", terms_.buckets.size(), terms_.buckets.size() == 1 ? "" : "s"));
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
};

void read_credentials(settings::section& from, terms& into) {
  // A session token is a header; of the two others one is a part of a header, and one is not sent. Spaces and letters of whatever language
  // are good in them.
  const auto has_control_characters = [](const secret& s) {
    return std::ranges::any_of(s.reveal(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
  };
  const auto take = [&](const char* key, secret& place) {
    auto read = from.hidden(key);
    if (!read) return;
    if (has_control_characters(*read)) from.report(key, "has a control character in it, such as a line end");
    into.access.secrets.push_back(*read);
    place = std::move(*read);
  };
  take("access_key", into.as.access_key);
  take("secret_key", into.as.secret_key);
  take("session_token", into.as.session_token);
  if (into.as.access_key.empty() != into.as.secret_key.empty()) from.report_here("has one of access_key and secret_key, expected both");
  if (std::ranges::any_of(into.as.session_token.reveal(), [](unsigned char c) { return c == ' ' || c > '~'; }))
    from.report("session_token", "has a space or a letter beyond ASCII in it");
  if (into.as.access_key.empty() && !into.as.session_token.empty()) from.report("session_token", "needs access_key and secret_key");
}

/// "bucket/prefix"; the prefix may be empty.
void read_round_trip(settings::section& from, terms& into) {
  const auto place = from.text("round_trip");
  if (!place) return;
  const std::size_t slash = std::min(place->find('/'), place->size());
  into.round_trip_bucket = place->substr(0, slash);
  into.round_trip_prefix = place->substr(std::min(slash + 1, place->size()));
  if (into.round_trip_bucket.empty())
    from.report("round_trip", fmt::format("found {}, expected \"bucket/prefix\"", from.shown("round_trip")));
}

}  // namespace

std::unique_ptr<probe> make_s3_probe(settings::section& from, const surroundings& in) {
  constexpr std::size_t longest_answer = 8 * 1024 * 1024;  // a page of 1000 keys of 1 KiB, each byte of them encoded
  terms t;
  t.access = net::read_api_access(from, "http://127.0.0.1:9000");
  t.access.ask.answer_limit = longest_answer;
  read_credentials(from, t);
  t.as.region = from.text("region", "us-east-1");
  t.minio = from.boolean("minio");
  declarations declared;
  if (t.minio.value_or(true)) declared.add({"drives_healing", signal_kind::gauge, unit::number});
  t.buckets = from.texts("buckets");
  t.newest = s3::read_newest(from, declared);
  read_round_trip(from, t);
  const bool asks = !t.buckets.empty() || !t.newest.empty() || !t.round_trip_bucket.empty();
  if (t.has_credentials() && (!t.buckets.empty() || !asks)) declared.add({"buckets", signal_kind::gauge, unit::number});
  if (!t.round_trip_bucket.empty()) {
    declared.add({"write_seconds", signal_kind::gauge, unit::seconds});
    declared.add({"read_seconds", signal_kind::gauge, unit::seconds});
  }
  if (asks && !t.has_credentials()) from.report_here("needs access_key and secret_key for buckets, newest and round_trip");
  if (!t.has_credentials() && t.minio == false) from.report_here("has neither credentials nor a MinIO's health to ask for");
  declared.add_certificate(t.access.ask.to);
  from.finish();
  return std::make_unique<s3_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
