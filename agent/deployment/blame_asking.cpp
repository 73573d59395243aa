#include "agent/deployment/blame_asking.hpp"

#include "agent/deployment/ask.hpp"
#include "agent/task_group.hpp"

#include <utility>

namespace flipback::deployment {

namespace {

slot_did result_of(const net::result<net::http_answer>& got) {
  if (got) return {slot_did::kind::answered, got->status};
  switch (got.error().why) {
    case reason::too_large:
      return {slot_did::kind::answered, 0};
    case reason::own_limits:
    case reason::no_resolver:
    case reason::no_prerequisite:
      return {slot_did::kind::nothing, 0};
    case reason::timed_out:
      return {slot_did::kind::slow, 0};
    default:
      return {slot_did::kind::failed, 0};
  }
}

asio::awaitable<void> put(net::network& through, std::string url, std::string host, question what, duration limit, slot_did& into) {
  auto to = net::parse_url(url);
  if (!to) co_return;
  net::http_request request;
  request.method = std::move(what.method);
  request.to = std::move(*to);
  request.to.target = std::move(what.target);
  request.host = std::move(host);
  const auto got = co_await ask(through, std::move(request), limit);
  into = result_of(got);
}

}  // namespace

asio::awaitable<std::vector<tried>> ask_both(asio::io_context& loop, net::network& through, config::slot live, config::slot stable,
                                             std::string host, std::vector<question> questions, duration limit) {
  std::vector<tried> all(questions.size());
  task_group asked(loop, [](const std::string&) {});  // what fails otherwise leaves the question unasked
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].of = std::move(questions[i]);
    asked.spawn(put(through, live.url, host, all[i].of, limit, all[i].live));
    asked.spawn(put(through, stable.url, host, all[i].of, limit, all[i].stable));
  }
  co_await asked.join();
  co_return all;
}

}  // namespace flipback::deployment
