#include "probes/s3/round_trip.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>

#include <array>

namespace flipback::s3 {

namespace {

constexpr std::string_view mark = "flipback-probe-";
constexpr auto left_behind = std::chrono::minutes(10);
constexpr int most_swept = 20;  // a run

std::string random_text() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::bad_alloc();
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

asio::awaitable<void> sweep(const std::string& bucket, const std::string& prefix, session& asks, findings& into) {
  const std::string ours = prefix + std::string(mark);
  const auto listed = co_await asks.list(bucket, ours, {}, most_swept);
  if (!listed && listed.error().why == reason::forbidden) co_return into.note("without s3:ListBucket what a run leaves behind stays");
  if (!listed) co_return into.unwell(listed.error());
  for (const object& one : listed->objects) {
    // Whatever else a server lists there is not ours to delete.
    if (!asks.goes_on() || !one.key.starts_with(ours) || asks.now() - one.modified < left_behind) continue;
    const auto deleted = co_await asks.expect(204, "DELETE", fmt::format("/{}/{}", bucket, one.key));
    if (!deleted) co_return into.unwell(deleted.error());
  }
}

double seconds_since(instant began) {
  return to_seconds(std::chrono::steady_clock::now() - began);
}

}  // namespace

asio::awaitable<void> round_trip(std::string bucket, std::string prefix, session& asks, findings& into) {
  const std::string path = fmt::format("/{}/{}{}{}", bucket, prefix, mark, random_text());
  const std::string content = random_text();
  const instant began = std::chrono::steady_clock::now();
  const auto written = co_await asks.expect(200, "PUT", path, {}, content);
  if (!written) co_return into.unwell(written.error());
  const double wrote = seconds_since(began);
  const instant asked = std::chrono::steady_clock::now();
  const auto read = co_await asks.expect(200, "GET", path);
  const double took = seconds_since(asked);
  query version;  // of a bucket that keeps versions: without it, deleting would only hide the object
  if (const std::string* kept = written->header("x-amz-version-id"); kept != nullptr && *kept != "null")
    version.emplace_back("versionId", *kept);
  const auto deleted = co_await asks.expect(204, "DELETE", path, std::move(version));
  into.measure("write_seconds", wrote);
  if (read && read->body == content)
    into.measure("read_seconds", took);
  else if (read)
    into.unwell(reason::expectation, fmt::format("{} is not read as it was written", asks.quoted(path)));
  else
    into.unwell(read.error());
  if (!deleted) co_return into.unwell(deleted.error());
  into.well(fmt::format("written in {:.0f} ms, read in {:.0f} ms", wrote * 1000, took * 1000));
  co_await sweep(bucket, prefix, asks, into);
}

}  // namespace flipback::s3
