#include "agent/store/fact_keeper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <exception>

namespace flipback {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> wait_on(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

/// A name's fact: what it is to say, and what of that is on disk.
struct fact_keeper::fact {
  fact(const asio::any_io_executor& loop, std::string of) : name(std::move(of)), again(loop), changed(loop) {}

  std::string name;
  std::optional<std::string> text;  ///< to say; nothing: to be none
  std::uint64_t wanted = 0;         ///< counts what it was to say
  std::uint64_t kept = 0;           ///< the newest of these that is on disk
  std::uint64_t tried = 0;          ///< the newest of these whose write came to something
  standing now;
  bool writing = false;
  asio::steady_timer again;    ///< until it is tried again
  asio::steady_timer changed;  ///< cancelled whenever a write came to something
};

struct fact_keeper::parts {
  parts(asio::any_io_executor on, fact_store& into) : loop(std::move(on)), store(into), ended(loop) {}

  asio::any_io_executor loop;
  fact_store& store;
  std::map<std::string, std::shared_ptr<fact>> facts;
  listener listening;
  std::size_t writers = 0;
  asio::steady_timer ended;  ///< cancelled when the last writer ends
  bool ending = false;       ///< no more than one more try each
  bool gone = false;

  void heard(fact& of, standing came, std::uint64_t version) {
    of.tried = version;
    if (came) of.kept = version;
    const bool is_news = came.has_value() != of.now.has_value() || (!came && came.error() != of.now.error());
    of.now = std::move(came);
    of.changed.cancel();
    if (is_news && listening) listening(of.name, of.now);
  }
};

fact_keeper::fact_keeper(asio::any_io_executor loop, fact_store& store) : parts_(std::make_shared<parts>(std::move(loop), store)) {}

fact_keeper::~fact_keeper() {
  parts_->gone = true;
  parts_->listening = {};
  for (auto& [name, of] : parts_->facts) {
    of->again.cancel();
    of->changed.cancel();
  }
}

void fact_keeper::tell(listener listening) {
  parts_->listening = std::move(listening);
}

asio::awaitable<void> fact_keeper::write(std::shared_ptr<parts> own, std::shared_ptr<fact> of) {
  while (!own->gone && of->kept < of->wanted) {
    const std::uint64_t version = of->wanted;
    standing came;
    try {
      if (of->text) {
        came = co_await own->store.put(of->name, *of->text);
      } else {
        came = co_await own->store.forget(of->name);
      }
    } catch (const std::exception& error) {
      came = std::unexpected(error.what());
    }
    if (own->gone) break;
    own->heard(*of, std::move(came), version);
    if (of->kept >= version || of->wanted > version) continue;
    if (own->ending) break;
    of->again.expires_after(again_after);
    co_await wait_on(of->again);
  }
  // In the same step as the last look at what is wanted: whoever wants more after it finds no writer, and makes one.
  of->writing = false;
}

std::shared_ptr<fact_keeper::fact> fact_keeper::want(const std::string& name, std::optional<std::string> text) {
  auto& of = parts_->facts[name];
  if (!of) of = std::make_shared<fact>(parts_->loop, name);
  of->text = std::move(text);
  ++of->wanted;
  of->again.cancel();
  if (of->writing || parts_->ending) return of;
  of->writing = true;
  ++parts_->writers;
  // Posted, so that a store that answers at once calls nobody back before this has returned.
  asio::post(parts_->loop, [own = parts_, of] {
    asio::co_spawn(own->loop, write(own, of), [own](const std::exception_ptr&) {
      if (--own->writers == 0) own->ended.cancel();
    });
  });
  return of;
}

void fact_keeper::keep(const std::string& name, std::string text) {
  want(name, std::move(text));
}

void fact_keeper::forget(const std::string& name) {
  want(name, std::nullopt);
}

asio::awaitable<fact_keeper::standing> fact_keeper::outcome(std::shared_ptr<fact> of, std::uint64_t version) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto own = parts_;
  const instant limit = std::chrono::steady_clock::now() + patience;
  while (!own->gone && of->tried < version && std::chrono::steady_clock::now() < limit) {
    of->changed.expires_at(limit);
    co_await wait_on(of->changed);
  }
  if (of->kept >= version) co_return standing();
  if (of->tried >= version) co_return of->now;
  co_return std::unexpected(fmt::format("the disk has not taken it within {}", format_duration(patience)));
}

asio::awaitable<fact_keeper::standing> fact_keeper::keep_now(std::string name, std::string text) {
  const auto of = want(name, std::move(text));
  co_return co_await outcome(of, of->wanted);
}

asio::awaitable<fact_keeper::standing> fact_keeper::forget_now(std::string name) {
  const auto of = want(name, std::nullopt);
  co_return co_await outcome(of, of->wanted);
}

asio::awaitable<fact_keeper::standing> fact_keeper::settled(std::string name) {
  const auto found = parts_->facts.find(name);
  if (found == parts_->facts.end()) co_return standing();
  const auto of = found->second;
  co_return co_await outcome(of, of->wanted);
}

std::map<std::string, std::string> fact_keeper::not_kept() const {
  std::map<std::string, std::string> found;
  for (const auto& [name, of] : parts_->facts) {
    if (!of->now) found.emplace(name, of->now.error());
  }
  return found;
}

asio::awaitable<std::vector<std::string>> fact_keeper::stop() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto own = parts_;
  own->ending = true;
  for (auto& [name, of] : own->facts) of->again.cancel();
  const instant limit = std::chrono::steady_clock::now() + patience;
  while (own->writers > 0 && std::chrono::steady_clock::now() < limit) {
    own->ended.expires_at(limit);
    co_await wait_on(own->ended);
  }
  std::vector<std::string> lost;
  for (const auto& [name, of] : own->facts) {
    if (of->kept >= of->wanted) continue;
    lost.push_back(fmt::format("{}: {}", name, of->now ? "the disk has not taken it" : of->now.error()));
  }
  own->gone = true;
  co_return lost;
}

}  // namespace flipback
