#include "agent/replay/scrapes.hpp"
#include "probes/exposition/ledger.hpp"

#include <cmath>
#include <cstdlib>
#include <string_view>

// An input is a few scrapes, a form feed between them; its first byte says in which format they are. Whatever they hold: nothing is read
// past the text, nothing has grown by less than nothing, and no quantile is above the largest bound. The same as a dump: its scrapes
// come in the order of time, none of them empty.

using namespace flipback;
using namespace flipback::exposition;

namespace {

void hold(bool condition) {
  if (!condition) std::abort();
}

selection everything() {
  selection s;
  s.namings = {{"http_requests_total", {"d"}, "status", "handler", "method"},
               {"starlette_requests_total", {"e"}, "status_code", "path", "method"}};
  s.left_out_paths = {"/health"};
  s.left_out_prefixes = {"/admin"};
  s.metrics = {{"a", {}, signal_kind::gauge}, {"b_total", {{"x", "1"}}, signal_kind::counter}, {"c", {}, signal_kind::distribution}};
  return s;
}

void hold(const histogram& h) {
  if (!h.is_uniform()) return;
  for (const double q : {0.0, 0.5, 0.95, 1.0}) {
    const double value = h.quantile(q);
    hold(!std::isfinite(value) || value <= h.largest_bound() + std::abs(h.largest_bound()) * 1e-9);
  }
}

void scrape(ledger& into, std::string_view text, format f) {
  reader r(text, f);
  for (;;) {
    const auto more = r.next();
    if (!more) {
      hold(more.error().line > 0 && more.error().column > 0 && !more.error().says.empty());
      return into.abandon();
    }
    if (!*more) break;
    hold(!r.current().name.empty());
    hold(r.current().is_type || r.current().written.size() <= text.size());
    hold(into.take(r.current()));
  }
  const reading seen = into.close(1000);
  hold(seen.grown.requests >= 0 && seen.grown.errors >= 0 && seen.so_far.requests >= 0);
  if (seen.latencies) hold(*seen.latencies);
}

void replayed(std::string_view text) {
  replay::scrapes all([](std::string_view name) { return name != "b_total"; });
  if (const auto taken = all.read(text); !taken) return hold(!taken.error().empty());
  all.sort();
  std::int64_t last = 0;
  all.each([&](const replay::scrapes::scrape& one) {
    hold(one.at >= last && !one.items.empty());
    last = one.at;
    for (const item& i : one.items) hold(!i.name.empty() && !std::isnan(i.value));
  });
  hold(!all.step() || *all.step() > duration());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const format f = (text.front() & 1) != 0 ? format::openmetrics : format::prometheus;
  text.remove_prefix(1);
  replayed(text);
  ledger into(everything());
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find('\f');
    scrape(into, text.substr(0, end), f);
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return 0;
}
