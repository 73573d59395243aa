#pragma once

#include "flipback/units.hpp"

#include "agent/store/fact_store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback {

/// Sees to it that a fact that can't be stored is stored as soon as it can be. The newest text of a name wins; of a name one write is under
/// way at a time; one that failed is tried again every second. For the loop's thread, which it never holds up.
///
/// Whose it is must call `stop` before the end, and outlive neither the store nor the loop.
class fact_keeper {
 public:
  using standing = std::expected<void, std::string>;  ///< on disk as it was last said, or why not
  /// Told when a fact's standing changes: it can't be kept, it can't for another reason, it is kept after all.
  using listener = std::function<void(const std::string& name, const standing& now)>;

  static constexpr duration patience = std::chrono::seconds(2);
  static constexpr duration again_after = std::chrono::seconds(1);

  fact_keeper(boost::asio::any_io_executor loop, fact_store& store);
  ~fact_keeper();
  fact_keeper(const fact_keeper&) = delete;
  fact_keeper& operator=(const fact_keeper&) = delete;

  /// Who is told from now on; a reload brings another. It is not called from within `keep` and its
  /// like, and must not throw.
  void tell(listener listening);

  /// From now on the name's fact says this, or is none; stored in its own time.
  void keep(const std::string& name, std::string text);
  void forget(const std::string& name);

  /// The same, and waits for what comes of it: nothing where it (or something newer of that name) is on disk, else the first reason why it
  /// is not, at the latest after `patience`. It is tried again all the same.
  boost::asio::awaitable<standing> keep_now(std::string name, std::string text);
  boost::asio::awaitable<standing> forget_now(std::string name);

  /// Waits, at most `patience`, for what was said of a name last: whether that is on disk.
  boost::asio::awaitable<standing> settled(std::string name);

  /// The facts that are not on disk as they were last said, and why. One whose first write is still under way is not among them.
  [[nodiscard]] std::map<std::string, std::string> not_kept() const;

  /// Tries what is not on disk once more, waits at most `patience`, and gives the names of the facts that are lost, with the reason each:
  /// "hold: the disk is full". Nothing is written after it.
  boost::asio::awaitable<std::vector<std::string>> stop();

 private:
  struct parts;
  struct fact;
  static boost::asio::awaitable<void> write(std::shared_ptr<parts> own, std::shared_ptr<fact> of);
  std::shared_ptr<fact> want(const std::string& name, std::optional<std::string> text);
  boost::asio::awaitable<standing> outcome(std::shared_ptr<fact> of, std::uint64_t version);
  std::shared_ptr<parts> parts_;
};

}  // namespace flipback
