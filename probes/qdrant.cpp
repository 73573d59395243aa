#include "flipback/percent.hpp"

#include "probes/declarations.hpp"
#include "probes/exposition/scrape.hpp"
#include "probes/exposition/traffic.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

namespace json = net::json;

constexpr std::size_t most_collections = 50;  // of those that nobody named; a run has a deadline

/// One collection that is looked at.
struct collection {
  std::string name;
  std::string_view points_measured_as;  ///< empty: nobody named it
  double most_points = 0;               ///< since this probe was made
};

struct terms {
  net::api_access access;
  std::vector<collection> collections;  ///< empty: whichever exist
  bool search = true;
  double max_drop = 1;
  bool metrics = false;
  std::string metrics_prefix;
};

/// How Qdrant counts what it answers over HTTP (src/common/metrics.rs): reads and writes of points, no health checks; durations of those
/// that it answered 200.
exposition::selection counted_by_qdrant(const std::string& prefix) {
  exposition::selection made;
  made.namings.push_back({prefix + "rest_responses_total", {prefix + "rest_responses_duration_seconds"}, "status", "endpoint", "method"});
  return made;
}

/// What a search needs to know of a collection's vectors.
struct vectors {
  std::string name;  ///< empty: the unnamed one
  std::size_t size = 0;
  bool several = false;  ///< a point has a list of them (multivector)
  bool sparse = false;
};

std::optional<vectors> vectors_of(const json::value& info) {
  const auto dense = [](std::string name, const json::value& of) -> std::optional<vectors> {
    const auto size = net::number_at(of, "/size");
    if (!size || *size < 1 || *size > 65536) return std::nullopt;  // 65536: the most that Qdrant takes
    return vectors{std::move(name), static_cast<std::size_t>(*size), net::value_at(of, "/multivector_config") != nullptr, false};
  };
  if (const json::value* found = net::value_at(info, "/result/config/params/vectors"); found != nullptr && found->is_object()) {
    if (found->as_object().contains("size")) return dense("", *found);
    for (const auto& [name, of] : found->as_object()) {
      if (auto made = dense(name, of)) return made;
    }
  }
  if (const json::value* found = net::value_at(info, "/result/config/params/sparse_vectors"); found != nullptr && found->is_object()) {
    if (!found->as_object().empty()) return vectors{found->as_object().begin()->key(), 0, false, true};
  }
  return std::nullopt;
}

/// A vector that every distance accepts: none of its parts is zero, and they are not all the same.
json::value example(const vectors& of) {
  if (of.sparse) return {{"indices", {1, 2}}, {"values", {1.0, 0.5}}};
  json::array parts;
  for (std::size_t i = 0; i < of.size; ++i) parts.emplace_back(i % 2 == 0 ? 1.0 : 0.5);
  if (!of.several) return parts;
  json::array list;  // braces would copy the array instead of making one around it
  list.emplace_back(std::move(parts));
  return list;
}

class qdrant_probe final : public probe {
 public:
  qdrant_probe(const surroundings& in, terms t, declarations declared)
      : through_(in.network),
        terms_(std::move(t)),
        declared_(std::move(declared)),
        scraper_(in.executor, counted_by_qdrant(terms_.metrics_prefix), exposition::usual_gap(in.every)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session session(through_, terms_.access, r);
    const bool lets_us_in = co_await look(session, found);
    if (lets_us_in && terms_.metrics) co_await look_at_metrics(session, found);
    if (const auto left = session.certificate_left()) found.measure("certificate_left", *left);
    co_return found.take();
  }

 private:
  /// Its collections by name.
  static asio::awaitable<net::result<std::vector<std::string>>> list(net::api_session& session) {
    const auto ready = co_await session.get("/readyz");
    if (!ready) co_return std::unexpected(ready.error());
    if (ready->status == 503) co_return std::unexpected(net::failure{reason::starting, "GET /readyz: " + session.quoted(ready->body)});
    if (ready->status != 200 && ready->status != 404) co_return std::unexpected(net::unexpected(*ready, "GET /readyz"));  // 404: before 1.5
    const auto listed = co_await session.get_json("/collections");
    if (!listed) co_return std::unexpected(listed.error());
    const json::array* all = net::array_at(*listed, "/result/collections");
    if (all == nullptr)
      co_return std::unexpected(
          net::failure{reason::bad_answer, "GET /collections answered JSON without result.collections: it is no Qdrant"});
    std::vector<std::string> names;
    for (const json::value& one : *all) names.push_back(net::text_at(one, "/name").value_or(""));
    co_return names;
  }

  /// False where no more is to be asked.
  asio::awaitable<bool> look(net::api_session& session, findings& found) {
    const auto all = co_await list(session);
    if (!all) {
      found.unwell(all.error());
      co_return false;
    }
    found.measure("collections", static_cast<double>(all->size()));
    std::vector<collection> unnamed;
    if (terms_.collections.empty()) {
      for (const std::string& name : *all) {
        if (unnamed.size() < most_collections) unnamed.push_back({name, {}, 0});
      }
      if (unnamed.empty()) found.unwell(reason::absent, "has no collections");
      if (unnamed.size() < all->size())
        found.note(fmt::format("only the first {} are looked at: name others under collections", most_collections));
    }
    looked sums;
    std::vector<collection>& looked_at = terms_.collections.empty() ? unnamed : terms_.collections;
    for (collection& c : looked_at) co_await look_at(c, session, found, sums);
    if (sums.counted == looked_at.size()) found.measure("points", sums.points);
    std::string says = fmt::format("{} collections, {:.0f} points", all->size(), sums.points);
    if (sums.slowest) {
      found.measure("search_seconds", *sums.slowest);
      says += fmt::format(", search {:.0f} ms", *sums.slowest * 1000);
    }
    if (!all->empty()) found.well(std::move(says));
    co_return true;
  }

  struct looked {
    double points = 0;
    std::size_t counted = 0;        ///< collections that told theirs
    std::optional<double> slowest;  ///< search, in seconds
  };

  asio::awaitable<void> look_at(collection& c, net::api_session& session, findings& found, looked& sums) const {
    const std::string path = "/collections/" + percent_encoded(c.name);
    const std::string who = session.quoted(c.name);
    const auto answer = co_await session.get(path);
    if (!answer) co_return found.unwell(answer.error());
    if (answer->status == 404) co_return found.unwell(reason::absent, fmt::format("the collection {} does not exist", who));
    if (answer->status != 200) co_return found.unwell(net::unexpected(*answer, "GET " + path));
    const auto info = answer->json();
    if (!info) co_return found.unwell(info.error().why, fmt::format("GET {}: {}", path, info.error().says));
    const auto status = net::text_at(*info, "/result/status");
    if (!status) co_return found.unwell(reason::bad_answer, fmt::format("GET {} answered JSON without result.status", path));
    if (const auto broken = net::text_at(*info, "/result/optimizer_status/error"))
      found.unwell(reason::expectation, fmt::format("{}'s optimizer fails: {}", who, session.quoted(*broken)));
    if (*status == "red") found.unwell(reason::expectation, fmt::format("{} is red: an operation on it failed", who));
    if (*status == "yellow") found.note(fmt::format("{} is being optimised", who));
    count(c, *info, who, found, sums);
    if (const auto of = vectors_of(*info); terms_.search && of) co_await search(path, who, *of, session, found, sums);
  }

  void count(collection& c, const json::value& info, const std::string& who, findings& found, looked& sums) const {
    const auto points = net::number_at(info, "/result/points_count");
    if (!points) return;
    sums.counted += 1;
    sums.points += *points;
    if (!c.points_measured_as.empty()) found.measure(c.points_measured_as, *points);
    c.most_points = std::max(c.most_points, *points);
    if (*points < c.most_points * (1 - terms_.max_drop))
      found.unwell(reason::expectation, fmt::format("{} has {:.0f} points, down from {:.0f}", who, *points, c.most_points));
  }

  asio::awaitable<void> search(const std::string& path, const std::string& who, const vectors& of, net::api_session& session,
                               findings& found, looked& sums) const {
    json::object question{{"query", example(of)}, {"limit", 1}};
    if (!of.name.empty()) question["using"] = of.name;
    instant began = std::chrono::steady_clock::now();
    std::string asked = path + "/points/query";
    auto answer = co_await session.post(asked, json::serialize(question));
    if (answer && answer->status == 404 && !of.sparse && !of.several) {  // before 1.10
      question = {{"vector", of.name.empty() ? example(of) : json::value{{"name", of.name}, {"vector", example(of)}}}, {"limit", 1}};
      began = std::chrono::steady_clock::now();
      asked = path + "/points/search";
      answer = co_await session.post(asked, json::serialize(question));
    }
    if (!answer) co_return found.unwell(answer.error());
    const auto said = answer->json();
    if (answer->status != 200) {
      net::failure what = net::unexpected(*answer, fmt::format("a search in {}", who));
      if (said) what.says += ": " + session.quoted(net::text_at(*said, "/status/error").value_or(""));
      co_return found.unwell(std::move(what));
    }
    if (!said) co_return found.unwell(said.error().why, fmt::format("POST {}: {}", asked, said.error().says));
    if (net::value_at(*said, "/result") == nullptr)
      co_return found.unwell(reason::bad_answer, fmt::format("POST {} answered JSON without a result", asked));
    sums.slowest = std::max(sums.slowest.value_or(0), to_seconds(std::chrono::steady_clock::now() - began));
  }

  asio::awaitable<void> look_at_metrics(net::api_session& session, findings& found) {
    const auto answer = co_await session.get("/metrics");
    if (!answer) co_return found.unwell(answer.error());
    const auto taken = co_await scraper_.take(*answer, "GET /metrics");
    if (!taken) co_return found.unwell(taken.error());
    const exposition::reading& seen = taken->seen;
    if (seen.by == nullptr) co_return found.note("its metrics count no requests yet");
    exposition::note_limits(found, seen, true);
    if (seen.how != exposition::growth::none) exposition::measure_traffic(found, seen, true, taken->since, taken->now);
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
  exposition::scraper scraper_;
};

}  // namespace

std::unique_ptr<probe> make_qdrant_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.access = net::read_api_access(from, "http://127.0.0.1:6333");
  if (const auto key = from.hidden("api_key")) t.access.say("api-key", "", *key);
  t.search = from.boolean("search", true);
  t.max_drop = from.ratio("max_drop", 1);
  t.metrics = from.boolean("metrics", false);
  t.metrics_prefix = from.text("metrics_prefix", "");
  if (from.has("max_drop") && !from.has("collections")) from.report("max_drop", "stands without collections, whose points are compared");
  if (!t.metrics && from.has("metrics_prefix")) from.report("metrics_prefix", "stands without metrics = true");
  declarations declared;
  declared.add({"collections", signal_kind::gauge, unit::number});
  declared.add({"points", signal_kind::gauge, unit::number});
  if (t.search) declared.add({"search_seconds", signal_kind::gauge, unit::seconds});
  if (t.metrics) exposition::declare_traffic(declared, true);
  for (std::string& name : from.texts("collections")) {
    const std::string_view measured_as = declared.add_of(name, "points", signal_kind::gauge, unit::number);
    t.collections.push_back({std::move(name), measured_as, 0});
  }
  declared.add_certificate(t.access.ask.to);
  from.finish();
  return std::make_unique<qdrant_probe>(in, std::move(t), std::move(declared));
}

}  // namespace flipback
