#include "probes/exposition/ledger.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

// What Flipback makes of scrapes, to be held against what Prometheus does. On standard input: scrapes, a form feed after each. Arguments:
// a counter's name, a histogram's name, quantiles. Prints the counter's increase and the quantiles of what the histogram grew by, from
// the first scrape to the last.

using namespace flipback;
using namespace flipback::exposition;

int main(int count, char** arguments) {
  const std::string all(std::istreambuf_iterator<char>(std::cin), {});
  selection looked_at;
  looked_at.metrics = {{arguments[1], {}, signal_kind::counter}, {arguments[2], {}, signal_kind::distribution}};
  ledger into(std::move(looked_at));
  std::optional<double> first;
  double last = 0;
  histogram grown;
  for (std::string_view rest = all; !rest.empty();) {
    const std::size_t end = rest.find('\f');
    reader r(rest.substr(0, end), format::prometheus);
    rest.remove_prefix(end + 1);
    for (;;) {
      const auto more = r.next();
      if (!more) {
        fmt::print(stderr, "{}\n", to_string(more.error()));
        return 1;
      }
      if (!*more) break;
      into.take(r.current());
    }
    const reading seen = into.close(1);
    last = std::get<double>(*seen.metrics[0]);
    if (first)
      grown.merge(*std::get<std::shared_ptr<const histogram>>(*seen.metrics[1]));
    else
      first = last;
  }
  fmt::print("{}", last - first.value_or(0));
  for (int i = 3; i < count; ++i) fmt::print(" {}", grown.quantile(std::stod(arguments[i])));
  fmt::print("\n");
}
