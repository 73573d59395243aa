#include "probes/exposition/measure.hpp"
#include "probes/exposition/scrape.hpp"
#include "probes/exposition/terms.hpp"
#include "probes/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

namespace ex = exposition;

class exposition_probe final : public probe {
 public:
  exposition_probe(const surroundings& in, ex::terms t, declarations declared, std::string alone)
      : through_(in.network),
        terms_(std::move(t)),
        declared_(std::move(declared)),
        scraper_(in.executor, terms_.look_at, terms_.longest_gap),
        alone_(std::move(alone)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  [[nodiscard]] std::string unfit_to_act() const override {
    if (alone_.empty()) return {};
    return fmt::format("it counts what reaches {} whether users reach it or not; ask for its metrics through the front door", alone_);
  }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session session(through_, terms_.access, r);
    const auto answer = co_await session.get("");
    if (const auto left = session.certificate_left()) found.measure("certificate_left", *left);
    if (!answer) {
      found.unwell(answer.error());
    } else if (const auto taken = co_await scraper_.take(*answer, "GET " + path())) {
      ex::measure(found, terms_, taken->seen, taken->since, taken->now);
    } else {
      found.unwell(taken.error());
    }
    co_return found.take();
  }

 private:
  [[nodiscard]] std::string path() const {
    const std::string& target = terms_.access.ask.to.target;
    return target.substr(0, target.find('?'));
  }

  net::network& through_;
  ex::terms terms_;
  declarations declared_;
  ex::scraper scraper_;
  std::string alone_;  ///< the one slot whose metrics these are
};

/// The slot whose own address this is, past the front door.
std::string slot_at(const net::endpoint& to, const std::vector<slot_upstreams>& slots) {
  for (const slot_upstreams& s : slots) {
    if (std::ranges::find(s.upstreams, to_string(to)) != s.upstreams.end()) return s.slot;
  }
  return {};
}

}  // namespace

std::unique_ptr<probe> make_exposition_probe(settings::section& from, const surroundings& in) {
  declarations declared;
  ex::terms t = ex::read_terms(from, in.every, declared);
  std::string alone = slot_at(t.access.ask.to.to, in.slots);
  return std::make_unique<exposition_probe>(in, std::move(t), std::move(declared), std::move(alone));
}

}  // namespace flipback
